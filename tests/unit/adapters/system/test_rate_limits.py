"""Allowances in this process: exact, and bounded in number."""

from datetime import UTC, datetime

import pytest

from scheduler.adapters.memory.clock import ManualClock
from scheduler.adapters.system.rate_limits import InProcessRateLimits
from scheduler.ports.rate_limit import Allowance, Rate


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


def allowance(key: str) -> Allowance:
    return Allowance("token", key, Rate(units=10, window_s=10))


def test_a_unit_is_back_after_its_part_of_the_window_and_not_sooner(clock: ManualClock) -> None:
    limits = InProcessRateLimits(clock)
    assert limits.charge([allowance("a")], 10).is_granted
    clock.advance(0.9)
    assert limits.charge([allowance("a")], 1).wait_s == pytest.approx(0.1)
    clock.advance(0.1)
    assert limits.charge([allowance("a")], 1).is_granted
    assert limits.charge([allowance("a")], 3).wait_s == pytest.approx(3.0)


def test_a_allowance_is_never_more_than_full(clock: ManualClock) -> None:
    limits = InProcessRateLimits(clock)
    limits.charge([allowance("a")], 1)
    clock.advance(1000)
    charge = limits.charge([allowance("a")], 1)
    assert (charge.balances[0].remaining, charge.balances[0].full_in_s) == (9, 1.0)


def test_of_more_allowances_than_are_kept_those_charged_last_are_known(clock: ManualClock) -> None:
    limits = InProcessRateLimits(clock, most=2)
    for key in ("a", "b", "a", "c"):
        limits.charge([allowance(key)], 4)
    assert limits.charge([allowance("a")], 1).balances[0].remaining == 1
    assert limits.charge([allowance("b")], 1).balances[0].remaining == 9
