"""Series of averages, bounded, with holes where nobody looked."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scheduler.adapters.memory.clock import ManualClock
from scheduler.ports.records.usage import SeriesRow, SeriesRows, UsageLog
from scheduler.services.measuring import chart_usage as module
from scheduler.services.measuring.chart_usage import OTHERS, Chart, ChartWish, NotCharted, chart_usage

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FULL = 60_000


class Kept:
    """Rows as a database gives them."""

    def __init__(self, covered: Sequence[tuple[datetime, int]], rows: Sequence[SeriesRow]) -> None:
        self._rows = SeriesRows(covered, rows)
        self.steps: list[int] = []

    def series(self, _since: datetime, _until: datetime, *, step_s: int, **_: Any) -> SeriesRows:
        self.steps.append(step_s)
        return self._rows


def row(
    minute: int, name: str = "pool", *, devices: int = 0, allocated: int = 0, busy: int = 0, unreported: int = 0
) -> SeriesRow:
    scale = FULL * 1_000
    return SeriesRow(
        NOW + minute * MINUTE, name, devices * scale, 0, allocated * scale, busy * scale, unreported * scale
    )


def chart(kept: Kept, *, minutes: int, step_s: int, begin: datetime = NOW) -> Chart:
    usage: UsageLog = kept  # type: ignore[assignment]  # all that is asked of it
    wish = ChartWish(begin, begin + minutes * MINUTE, step_s, "pool", None)
    return chart_usage(usage, ManualClock(NOW + timedelta(hours=1)), wish)


def test_a_point_is_the_average_of_what_was_looked_at() -> None:
    covered = [(NOW, FULL), (NOW + MINUTE, FULL), (NOW + 2 * MINUTE, FULL)]
    rows = [row(0, devices=8, allocated=4, busy=2, unreported=1), row(1, devices=8)]
    found = chart(Kept(covered, rows), minutes=4, step_s=120)
    assert found.times == (NOW, NOW + 2 * MINUTE)
    (line,) = found.lines
    assert (line.capacity, line.allocated, line.busy, line.unreported) == (
        (8.0, 0.0),
        (2.0, 0.0),
        (1.0, 0.0),
        (0.5, 0.0),
    )
    assert line.idle == (0.5, 0.0)


def test_what_nobody_looked_at_is_a_hole_and_half_a_look_is_an_average_of_that_half() -> None:
    half = SeriesRow(NOW, "pool", 8 * 30_000_000, 0, 4 * 30_000_000, 0, 0)
    found = chart(Kept([(NOW, 30_000)], [half]), minutes=2, step_s=60)
    assert found.lines[0].allocated == (4.0, None)
    assert found.lines[0].idle == (4.0, None)


def test_a_chart_begins_with_the_period_that_its_beginning_lies_in() -> None:
    kept = Kept([], [])
    found = chart(kept, minutes=60, step_s=3_600, begin=NOW - 30 * MINUTE)
    assert found.times == (NOW - 60 * MINUTE, NOW)
    assert (found.lines, kept.steps) == ((), [3_600])


@pytest.mark.parametrize(
    ("step_s", "stored_s"), [(60, 60), (5_400, 60), (7_200, 3_600), (86_400, 86_400), (90_000, 3_600)]
)
def test_the_coarsest_sums_that_fit_are_read(step_s: int, stored_s: int) -> None:
    kept = Kept([], [])
    chart(kept, minutes=60, step_s=step_s)
    assert kept.steps == [stored_s]


def test_too_many_points_are_refused_with_the_step_that_would_do() -> None:
    with pytest.raises(NotCharted, match="a step of 116 or more"):
        chart(Kept([], []), minutes=60 * 48, step_s=60)


def test_what_is_kept_no_longer_so_finely_is_refused_with_a_step_that_is() -> None:
    with pytest.raises(NotCharted, match="take a step of 3600"):
        chart(Kept([], []), minutes=60, step_s=60, begin=NOW - timedelta(days=3))
    with pytest.raises(NotCharted, match="begin later"):
        chart(Kept([], []), minutes=60, step_s=86_400, begin=NOW - timedelta(days=3_000))


def test_lines_come_by_what_they_held_and_those_beyond_the_bound_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_NAMES", 3)
    rows = [row(0, f"pool-{number}", allocated=number) for number in range(1, 6)]
    found = chart(Kept([(NOW, FULL)], rows), minutes=1, step_s=60)
    assert [(line.name, line.allocated) for line in found.lines] == [
        ("pool-5", (5.0,)),
        ("pool-4", (4.0,)),
        (OTHERS, (6.0,)),
    ]
