from datetime import UTC, datetime, timedelta

from scheduler.adapters.system.clock import SystemClock


def test_now_is_the_time_in_utc() -> None:
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=10)


def test_seconds_never_step_back() -> None:
    clock = SystemClock()
    seconds = [clock.monotonic_s() for _ in range(1000)]

    assert seconds == sorted(seconds)
