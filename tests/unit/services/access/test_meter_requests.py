"""What those pay for whom nobody knows."""

from datetime import UTC, datetime

import pytest

from scheduler.adapters.memory.clock import ManualClock
from scheduler.adapters.system.rate_limits import InProcessRateLimits
from scheduler.ports.rate_limit import Rate
from scheduler.services.access.meter_requests import Meter

ONCE = Rate(units=1, window_s=60)


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("", "", True),
    ],
)
def test_an_allowance_is_an_addresss_or_a_small_networks(first: str, second: str, *, is_one: bool) -> None:
    meter = Meter(InProcessRateLimits(ManualClock(datetime(2026, 1, 1, tzinfo=UTC))), None, None, ONCE)
    assert meter.charge_stranger(first, 1).is_granted
    assert meter.charge_stranger(second, 1).is_granted is not is_one


def test_without_a_limit_strangers_pay_nothing() -> None:
    meter = Meter(InProcessRateLimits(ManualClock(datetime(2026, 1, 1, tzinfo=UTC))), None, None, None)
    assert all(meter.charge_stranger("10.0.0.1", 1).is_granted for _ in range(9))
