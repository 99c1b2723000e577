"""What every clock promises: aware times in UTC, and seconds that never step back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from scheduler.adapters.memory.clock import ManualClock
from scheduler.adapters.system.clock import SystemClock
from scheduler.ports.clock import Clock

PAUSE_S = 0.02


@dataclass(frozen=True)
class Time:
    """A clock under test, and what lets its time pass."""

    clock: Clock
    let_pass: Callable[[float], object]


def system() -> Time:
    """Build the machine's clock; its time passes while nobody rings."""
    return Time(SystemClock(), Event().wait)


def manual() -> Time:
    """Build a clock of tests."""
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    return Time(clock, clock.advance)


@pytest.fixture(params=[system, manual])
def time(request: pytest.FixtureRequest) -> Time:
    """Build the clock under test."""
    build: Callable[[], Time] = request.param
    return build()


def test_now_is_aware_and_in_utc(time: Time) -> None:
    for _ in range(2):
        assert time.clock.now().tzinfo is UTC
        time.let_pass(PAUSE_S)


def test_seconds_never_step_back(time: Time) -> None:
    seconds = []
    for _ in range(100):
        seconds.append(time.clock.monotonic_s())
        time.let_pass(0)

    assert seconds == sorted(seconds)


def test_both_times_pass(time: Time) -> None:
    began_at, began_s = time.clock.now(), time.clock.monotonic_s()

    time.let_pass(PAUSE_S)

    assert time.clock.monotonic_s() - began_s >= PAUSE_S
    assert time.clock.now() - began_at >= timedelta(seconds=PAUSE_S / 2), "the wall clock may be slewed"
