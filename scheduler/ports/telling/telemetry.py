"""What is told of Medley's own work as it happens, and what is read when somebody looks: figures for its operators.

Tenants, chip types, clusters and pools name figures; jobs and attempts never do: there is no end of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from scheduler.core.deciding.parts.tally import CapacityCount, QueueCount
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.model.waiting.estimate import StartBasis


@dataclass(frozen=True, slots=True)
class CycleFigures:
    """One decision cycle, from reading the feed to the commit."""

    duration_s: float
    placed: int
    refused: int
    rejected: int
    """Decisions that the database did not take."""
    evicted: int = 0
    """Attempts that are stopped for other gangs."""


class Telemetry(Protocol):
    """Takes figures; never blocks and never raises. Safe to use from several threads."""

    def cycle(self, figures: CycleFigures) -> None:
        """Take a cycle that decided something or looked whether there is something to decide."""
        ...

    def decided(self, latency_s: float) -> None:
        """Take the time from a job's submission to its first decision, which is durable or is to wait."""
        ...

    def submitted(self, tenant: TenantName) -> None:
        """Count a job."""
        ...

    def placed(self, tenant: TenantName, chip: ChipName | None, wait_s: float) -> None:
        """Take the time that a gang waited for its place; `chip` is the one it got, None for no devices."""
        ...

    def stopped(self, reason: StopReason) -> None:
        """Count an attempt that is stopped: evicted, failed, lost or cancelled."""
        ...

    def evicted(self, cause: EvictionCause, unsaved_device_s: float) -> None:
        """Count an attempt that is stopped for another gang, with the work that it had not saved by then."""
        ...

    def retried(self, reason: StopReason) -> None:
        """Count a gang that is queued again after an attempt."""
        ...

    def finished(self, tenant: TenantName, state: State) -> None:
        """Count a gang that came to its end."""
        ...

    def estimated(self, basis: StartBasis, ratio: float) -> None:
        """Take how many times as long a gang waited as it was told on some basis."""
        ...

    def committed(self, duration_s: float, items: int) -> None:
        """Take a transaction of the writer, with how many writes went into it."""
        ...

    def answered(self, operation: str, status: int, duration_s: float) -> None:
        """Take a request of the API, with the time until its answer began."""
        ...


class _Silence:
    """Tells nobody."""

    def cycle(self, figures: CycleFigures) -> None: ...

    def decided(self, latency_s: float) -> None: ...

    def submitted(self, tenant: TenantName) -> None: ...

    def placed(self, tenant: TenantName, chip: ChipName | None, wait_s: float) -> None: ...

    def stopped(self, reason: StopReason) -> None: ...

    def evicted(self, cause: EvictionCause, unsaved_device_s: float) -> None: ...

    def retried(self, reason: StopReason) -> None: ...

    def finished(self, tenant: TenantName, state: State) -> None: ...

    def estimated(self, basis: StartBasis, ratio: float) -> None: ...

    def committed(self, duration_s: float, items: int) -> None: ...

    def answered(self, operation: str, status: int, duration_s: float) -> None: ...


SILENCE: Telemetry = _Silence()
"""For whoever needs no figures."""


@dataclass(frozen=True, slots=True)
class HeldReading:
    """What a tenant holds of one chip type in one cluster."""

    cluster: ClusterName
    chip: ChipName
    tenant: TenantName
    devices_milli: int


@dataclass(frozen=True, slots=True)
class WaitingReading:
    """What a tenant has waiting for one chip type, and for how long the oldest waits."""

    count: QueueCount
    oldest_wait_s: float


class LoopReading(Protocol):
    """How a loop fares."""

    @property
    def name(self) -> str:
        """What it does."""
        ...

    @property
    def failures_in_a_row(self) -> int:
        """0 where it works."""
        ...

    @property
    def last_error(self) -> str | None:
        """What the last failed step said, for people."""
        ...

    @property
    def s_since_success(self) -> float | None:
        """None before the first step that succeeded."""
        ...


@dataclass(frozen=True, slots=True)
class LeaderReadings:
    """How the scheduler's state stands, of which every process has a copy: told once, by the process that decides."""

    epoch: int
    """Under which this process leads."""
    waiting: Sequence[WaitingReading]
    held: Sequence[HeldReading]
    capacity: Sequence[CapacityCount]
    live_attempts: int


@dataclass(frozen=True, slots=True)
class Readings:
    """How things stand in one process at the moment somebody looks."""

    change: int
    """The latest change that this process has followed."""
    age_s: float
    """Since it last compared itself with the feed."""
    leader: LeaderReadings | None
    """None where this process does not lead: sums over processes are to count nothing twice."""
    loops: Sequence[LoopReading] = ()
    watch_lag_s: Sequence[tuple[ClusterName, float]] = ()
    """By cluster: since it last told anything of what is followed there."""
