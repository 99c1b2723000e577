"""Use over time as series of averages, for charts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.ports.clock import Clock
from scheduler.ports.records.usage import KEPT_S, STEPS_S, SeriesRow, UsageLog

MOST_POINTS = 1_500
"""Of one chart: a screen shows no more."""
MOST_NAMES = 100
"""Of one chart: the others are added up as OTHERS."""
OTHERS = "(others)"

_Sums = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class ChartWish:
    """What somebody wants to see."""

    since: datetime
    until: datetime
    step_s: int
    """A multiple of 60."""
    by: str
    """As UsageLog.series has it."""
    tenant: TenantName | None
    """Whose devices count as held; None for everybody's."""


@dataclass(frozen=True, slots=True)
class Line:
    """Averages by period, in devices; None for a period that nobody looked at."""

    name: str
    capacity: tuple[float | None, ...]
    usable: tuple[float | None, ...]
    allocated: tuple[float | None, ...]
    busy: tuple[float | None, ...]
    unreported: tuple[float | None, ...]
    idle: tuple[float | None, ...]
    """Held, and neither busy nor unreported."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over the same periods."""

    step_s: int
    times: tuple[datetime, ...]
    lines: tuple[Line, ...]
    """Those that held most first."""


class NotCharted(ValueError):
    """What was asked for has too many points, or is not kept so finely; the message says what to do."""


def chart_usage(usage: UsageLog, clock: Clock, wish: ChartWish) -> Chart:
    """Return the averages of every period from the one that `since` lies in. Raises NotCharted."""
    first = _floor(wish.since, wish.step_s)
    points = -(-int((wish.until - first) / timedelta(microseconds=1)) // (wish.step_s * 1_000_000))
    if points > MOST_POINTS:
        least = -(-int((wish.until - wish.since).total_seconds()) // MOST_POINTS)
        raise NotCharted(f"that is {points:,} points, and {MOST_POINTS:,} are the most; take a step of {least} or more")
    stored_s = max(step_s for step_s in STEPS_S if wish.step_s % step_s == 0)
    _require_kept(wish.since, stored_s, clock.now())
    found = usage.series(first, wish.until, step_s=stored_s, by=wish.by, tenant=wish.tenant)
    covered = [0] * points
    for at, covered_ms in found.covered_ms:
        covered[_index(at, first, wish.step_s)] += covered_ms
    sums: dict[str, list[_Sums]] = defaultdict(lambda: [(0, 0, 0, 0, 0)] * points)
    for row in found.rows:
        index = _index(row.at, first, wish.step_s)
        sums[row.name][index] = _added(sums[row.name][index], _figures(row))
    times = tuple(first + timedelta(seconds=wish.step_s * point) for point in range(points))
    return Chart(wish.step_s, times, tuple(_line(name, each, covered) for name, each in _most_held(sums)))


def _require_kept(since: datetime, stored_s: int, now: datetime) -> None:
    if since >= now - timedelta(seconds=KEPT_S[stored_s] + stored_s):
        return
    longer = [step_s for step_s in STEPS_S if step_s > stored_s and since >= now - timedelta(seconds=KEPT_S[step_s])]
    advice = f"take a step of {longer[0]}, or a multiple of it" if longer else "begin later"
    raise NotCharted(f"sums of {stored_s} s are kept for {KEPT_S[stored_s] // 3_600:,} hours; {advice}")


def _most_held(sums: dict[str, list[_Sums]]) -> Sequence[tuple[str, list[_Sums]]]:
    """Return what held most first, and all beyond the bound as one."""
    ordered = sorted(sums.items(), key=lambda item: (-sum(point[2] for point in item[1]), item[0]))
    shown, others = ordered[: MOST_NAMES - 1], ordered[MOST_NAMES - 1 :]
    if len(others) <= 1:
        return ordered
    together = others[0][1]
    for _, points in others[1:]:
        together = [_added(one, other) for one, other in zip(together, points, strict=True)]
    return [*shown, (OTHERS, together)]


def _line(name: str, points: Sequence[_Sums], covered: Sequence[int]) -> Line:
    averages = [
        None if not covered_ms else tuple(round(one / covered_ms / WHOLE_DEVICE_MILLI, 3) for one in sums)
        for sums, covered_ms in zip(points, covered, strict=True)
    ]
    columns = [tuple(None if one is None else one[column] for one in averages) for column in range(5)]
    idle = tuple(None if one is None else round(max(0.0, one[2] - one[3] - one[4]), 3) for one in averages)
    capacity, usable, allocated, busy, unreported = columns
    if not any(capacity):  # of tenants: there is nothing that is theirs
        capacity = usable = (None,) * len(capacity)
    return Line(name, capacity, usable, allocated, busy, unreported, idle)


def _figures(row: SeriesRow) -> _Sums:
    return row.devices, row.usable, row.allocated, row.busy, row.unreported


def _added(one: _Sums, other: _Sums) -> _Sums:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3], one[4] + other[4]


def _index(at: datetime, first: datetime, step_s: int) -> int:
    return int((at - first).total_seconds()) // step_s


def _floor(at: datetime, step_s: int) -> datetime:
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % step_s, UTC)
