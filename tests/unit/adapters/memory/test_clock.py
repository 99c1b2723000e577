from datetime import UTC, datetime, timedelta

import pytest

from scheduler.adapters.memory.clock import ManualClock

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_time_stands_still_until_it_is_told_to_pass() -> None:
    clock = ManualClock(START)
    assert (clock.now(), clock.monotonic_s()) == (START, 0.0)

    clock.advance(1.5)

    assert (clock.now(), clock.monotonic_s()) == (START + timedelta(seconds=1.5), 1.5)


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        ManualClock(START).advance(-1)
