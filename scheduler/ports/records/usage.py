"""What was used over time: sampled sums for charts, and the exact spans that attempts held devices for accounts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scheduler.core.model.group import State
from scheduler.core.model.identifiers import AttemptId, ChipName, ClusterName, JobId, TenantName

STEPS_S = (60, 3_600, 86_400)
"""The periods of which sums are kept: minutes, hours and days, in UTC."""
KEPT_S = {60: 26 * 3_600, 3_600: 60 * 86_400, 86_400: 5 * 366 * 86_400}
"""For how long: minutes for 26 hours, hours for sixty days, days for five years."""


@dataclass(frozen=True, slots=True)
class PoolSum:
    """What there was of one chip type in one cluster, in thousandths of devices times milliseconds."""

    cluster: ClusterName
    chip: ChipName
    devices: int
    usable: int
    """Of nodes that take work, less what others use there."""


@dataclass(frozen=True, slots=True)
class TenantSum:
    """What a tenant held of it, in thousandths of devices times milliseconds."""

    cluster: ClusterName
    chip: ChipName
    tenant: TenantName
    allocated: int
    busy: int
    """By attempts that reported progress lately."""
    unreported: int
    """By attempts that run and have never reported any: nobody knows what these do. The rest is held and idle."""


@dataclass(frozen=True, slots=True)
class UsagePeriod:
    """The sums of a part of one minute."""

    at: datetime
    """The beginning of the minute."""
    covered_ms: int
    """How much of it was looked at."""
    pools: Sequence[PoolSum]
    tenants: Sequence[TenantSum]


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """The sums of one period, for all that has the same name; in thousandths of devices times milliseconds."""

    at: datetime
    name: str
    devices: int
    usable: int
    allocated: int
    busy: int
    unreported: int


@dataclass(frozen=True, slots=True)
class SeriesRows:
    """What was kept of a span of time."""

    covered_ms: Sequence[tuple[datetime, int]]
    """By period, oldest first; a period that nobody looked at is absent."""
    rows: Sequence[SeriesRow]
    """By period and name."""


@dataclass(frozen=True, slots=True)
class HeldSpan:
    """Devices of one chip type that one attempt held, from its placement until its workers were proven gone."""

    tenant: TenantName
    user: str
    chip: ChipName
    devices_milli: int
    began: datetime
    ended: datetime | None
    """None where it holds them still."""


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """A job that came to its end."""

    job: JobId
    name: str
    tenant: TenantName
    user: str
    state: State
    submitted_at: datetime
    finished_at: datetime
    held: tuple[HeldSpan, ...]
    """By attempt and chip type, in the order of the attempts."""
    attempts: int
    placed_at: datetime | None
    """When its first attempt was placed; None where it never was."""


@dataclass(frozen=True, slots=True)
class FinishedFilter:
    """Which finished jobs to list; None means any."""

    since: datetime | None = None
    until: datetime | None = None
    """Before this."""
    tenant: TenantName | None = None
    user: str | None = None
    states: frozenset[State] | None = None


class UsageLog(Protocol):
    """Use over time. Any call may raise StorageUnavailable."""

    def record(self, period: UsagePeriod, epoch: int) -> bool:
        """Add a period to its minute, hour and day, and drop what is older than it is kept; False for an old epoch."""
        ...

    def latest_reports(self) -> dict[AttemptId, datetime]:
        """Return when each attempt that holds something last reported progress; one that never did is absent."""
        ...

    def series(
        self, since: datetime, until: datetime, *, step_s: int, by: str, tenant: TenantName | None
    ) -> SeriesRows:
        """Return the sums of the periods of `step_s`, one of STEPS_S, that begin within [since, until).

        `by` is what names the rows: `total`, `pool` (`cluster/chip`), `cluster`, `chip` or `tenant`, whose rows
        tell what is held and 0 for what there is. With `tenant` what is held is that tenant's alone.
        """
        ...

    def held_spans(self, since: datetime, until: datetime, *, tenant: TenantName | None) -> Iterator[HeldSpan]:
        """Yield what was held at any time within [since, until), whole spans, in no order that means anything."""
        ...

    def finished_jobs(
        self, where: FinishedFilter, *, before: tuple[datetime, JobId] | None, limit: int
    ) -> list[FinishedJob]:
        """Return finished jobs, the latest end first, those before (end, id)."""
        ...
