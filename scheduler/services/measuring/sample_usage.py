"""Look again and again at what is held and what of it works, and keep the sums of every minute."""

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import AttemptId, ChipName, ClusterName, TenantName
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.ports.clock import Clock
from scheduler.ports.journal import StorageUnavailable
from scheduler.ports.records.usage import PoolSum, TenantSum, UsageLog, UsagePeriod
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead, LeadershipLost

logger = logging.getLogger(__name__)

BUSY_WITHIN_S = 120.0
"""An attempt is busy for so long after each report of progress."""
LONGEST_GAP_S = 60.0
"""What lies between two looks that are further apart was not looked at."""
_MINUTE = timedelta(minutes=1)
_MILLISECOND = timedelta(milliseconds=1)

_PoolKey = tuple[ClusterName, ChipName]
_TenantKey = tuple[ClusterName, ChipName, TenantName]


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen at one moment, in thousandths of devices."""

    at: datetime
    pools: Mapping[_PoolKey, tuple[int, int]]
    """Devices, and usable ones."""
    tenants: Mapping[_TenantKey, tuple[int, int, int]]
    """Allocated, busy and unreported."""


@dataclass(slots=True)
class _Minute:
    """The sums of one minute, as far as it was looked at."""

    at: datetime
    covered_ms: int = 0
    pools: dict[_PoolKey, tuple[int, int]] = field(default_factory=dict)
    tenants: dict[_TenantKey, tuple[int, int, int]] = field(default_factory=dict)

    def add(self, look: _Look, lasted_ms: int) -> None:
        """Add what was seen for so long."""
        self.covered_ms += lasted_ms
        for pool, (devices, usable) in look.pools.items():
            before = self.pools.get(pool, (0, 0))
            self.pools[pool] = (before[0] + devices * lasted_ms, before[1] + usable * lasted_ms)
        for key, (allocated, busy, unreported) in look.tenants.items():
            had = self.tenants.get(key, (0, 0, 0))
            self.tenants[key] = (
                had[0] + allocated * lasted_ms,
                had[1] + busy * lasted_ms,
                had[2] + unreported * lasted_ms,
            )

    def period(self) -> UsagePeriod:
        """Return what is to be kept."""
        pools = [PoolSum(*key, *sums) for key, sums in sorted(self.pools.items())]
        return UsagePeriod(
            self.at, self.covered_ms, pools, [TenantSum(*k, *s) for k, s in sorted(self.tenants.items())]
        )


class UsageSampler:
    """Samples while it leads. What was seen at a look counts until the next one."""

    def __init__(self, followed: FollowedState, usage: UsageLog, clock: Clock, *, lead: Lead) -> None:
        self._followed = followed
        self._usage = usage
        self._clock = clock
        self._lead = lead
        self._last: _Look | None = None
        self._minute: _Minute | None = None
        self._shapes: dict[AttemptId, Mapping[_PoolKey, int]] = {}

    def sample_once(self) -> None:
        """Look, and write down each minute that is over.

        A minute that the database does not take is lost, and shows as one that nobody looked at: written again, it
        might count twice. Raises StorageUnavailable, LeadershipLost.
        """
        look = self._look()
        ended = self._advance(look.at)
        self._last = look  # before anything may fail: no time is counted twice
        for over in ended:
            self._write(over)

    def close(self) -> None:
        """Write down the minute that is under way, as far as it went, where the database takes it."""
        over = [*self._advance(self._clock.now()), *([self._minute] if self._minute is not None else [])]
        self._last = self._minute = None
        try:
            for minute in over:
                self._write(minute)
        except (StorageUnavailable, LeadershipLost) as error:
            logger.info("the last minute's use is not kept: %s", error or type(error).__name__)

    def _advance(self, now: datetime) -> list[_Minute]:
        """Count what was last seen up to now; return the minutes that are over."""
        over: list[_Minute] = []
        last = self._last
        if last is None or not timedelta(0) < now - last.at <= timedelta(seconds=LONGEST_GAP_S):
            return self._turn(over, now)
        at = last.at
        while at < now:
            over = self._turn(over, at)
            end = min(now, _minute_of(at) + _MINUTE)
            if self._minute is not None:
                self._minute.add(last, round((end - at) / _MILLISECOND))
            at = end
        return self._turn(over, now)

    def _turn(self, over: list[_Minute], at: datetime) -> list[_Minute]:
        """Make the minute of a moment the present one, and put the one before to those that are over."""
        if self._minute is None or self._minute.at != _minute_of(at):
            over = [*over, self._minute] if self._minute is not None and self._minute.covered_ms else over
            self._minute = _Minute(_minute_of(at))
        return over

    def _write(self, minute: _Minute) -> None:
        if minute.covered_ms and not self._usage.record(minute.period(), self._lead.epoch):
            raise LeadershipLost

    def _look(self) -> _Look:
        with self._followed.hold() as state:
            live, capacity = dict(state.live), state.tally.capacity()
        reports = self._usage.latest_reports() if live else {}
        now = self._clock.now()
        self._shapes = {name: self._shapes.get(name) or _shape(attempt) for name, attempt in live.items()}
        tenants: dict[_TenantKey, tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
        for name, attempt in live.items():
            is_busy, is_unreported = _activity(attempt, reports.get(name), now)
            for pool, milli in self._shapes[name].items():
                allocated, busy, unreported = tenants[*pool, attempt.job.tenant]
                tenants[*pool, attempt.job.tenant] = (
                    allocated + milli,
                    busy + milli * is_busy,
                    unreported + milli * is_unreported,
                )
        pools = {
            (one.cluster, one.chip): (
                (one.usable + one.unusable + one.foreign) * WHOLE_DEVICE_MILLI,
                one.usable * WHOLE_DEVICE_MILLI,
            )
            for one in capacity
        }
        return _Look(now, pools, dict(tenants))


def _minute_of(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _shape(attempt: LiveAttempt) -> Mapping[_PoolKey, int]:
    """Return the thousandths of devices that an attempt holds, by cluster and chip type."""
    held: dict[_PoolKey, int] = defaultdict(int)
    for allocation in attempt.allocations:
        if allocation.chip is not None and allocation.devices_milli:
            held[allocation.node.partition("/")[0], allocation.chip] += allocation.devices_milli
    return held


def _activity(attempt: LiveAttempt, reported_at: datetime | None, now: datetime) -> tuple[bool, bool]:
    """Say whether an attempt is busy, and whether it runs and never said anything."""
    if reported_at is None:
        return False, attempt.group.state is State.RUNNING
    return now - reported_at <= timedelta(seconds=BUSY_WITHIN_S), False
