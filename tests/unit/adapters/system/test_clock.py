from datetime import UTC, datetime, timedelta

from scheduler.adapters.system.clock import SystemClock


def test_now_is_the_machines_time() -> None:
    assert abs(SystemClock().now() - datetime.now(UTC)) < timedelta(seconds=10)
