"""A loop's step comes again at hints, at intervals and after errors."""

import threading
import time
from collections.abc import Callable

import pytest

from scheduler.loops.loop import LONGEST_REST_S, Loop
from scheduler.ports.cluster import ClusterUnavailable


class Clock:
    def now(self) -> None:
        raise NotImplementedError

    def monotonic_s(self) -> float:
        return time.monotonic()


class SteppedClock(Clock):
    """A clock that only the test moves."""

    elapsed_s = 0.0

    def monotonic_s(self) -> float:
        return self.elapsed_s


class Hints:
    """A waiter that the test wakes."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def wait(self, timeout_s: float) -> bool:
        came = self._event.wait(timeout_s)
        self._event.clear()
        return came

    def close(self) -> None:
        self._event.set()

    def hint(self) -> None:
        self._event.set()


class Fatal(Exception):
    """Ends a loop."""


def loop_of(step: Callable[[], float], hints: Hints, on_fatal: Callable[[], None] = lambda: None) -> Loop:
    return Loop("test", step, hints, Clock(), fatal=Fatal, on_fatal=on_fatal)  # type: ignore[arg-type]  # half a clock


def test_a_hint_brings_the_next_step_without_waiting_for_the_interval() -> None:
    steps = threading.Semaphore(0)
    hints = Hints()

    def step() -> float:
        steps.release()
        return 3600.0

    loop = loop_of(step, hints)
    loop.start()
    assert steps.acquire(timeout=5)
    assert not steps.acquire(blocking=False)
    hints.hint()
    assert steps.acquire(timeout=5)
    assert loop.stop(timeout_s=5)


def test_a_step_says_when_the_next_one_is_due_at_the_latest() -> None:
    steps = threading.Semaphore(0)

    def step() -> float:
        steps.release()
        return 0.001

    loop = loop_of(step, Hints())
    loop.start()
    assert all(steps.acquire(timeout=5) for _ in range(5))
    assert loop.stop(timeout_s=5)


def test_a_failing_step_is_tried_again_and_its_error_is_shown_until_it_succeeds() -> None:
    failed, succeeded, go_on = threading.Event(), threading.Event(), threading.Event()

    def step() -> float:
        if not go_on.is_set():
            failed.set()
            raise RuntimeError("away")
        succeeded.set()
        return 3600.0

    loop = loop_of(step, Hints())
    loop.start()
    assert failed.wait(5)
    deadline = time.monotonic() + 5
    while loop.health.failures_in_a_row == 0 and time.monotonic() < deadline:
        pass
    assert loop.health.last_error == "RuntimeError: away"
    go_on.set()
    assert succeeded.wait(10)
    assert loop.stop(timeout_s=5)
    assert loop.health.failures_in_a_row == 0
    assert loop.health.last_error is None


def test_an_outage_is_logged_in_one_line_for_as_long_as_it_is_the_same(caplog: pytest.LogCaptureFixture) -> None:
    outages = iter(["no route", "no route", "no route", "wrong certificate"])
    succeeded = threading.Event()

    def step() -> float:
        for outage in outages:
            raise ClusterUnavailable(outage)
        succeeded.set()
        return 3600.0

    loop = loop_of(step, Hints())
    loop.start()
    assert succeeded.wait(10)
    assert loop.stop(timeout_s=5)
    assert [record.getMessage() for record in caplog.records] == [
        "test waits: no route",
        "test waits: wrong certificate",
    ]
    assert not any(record.exc_info for record in caplog.records)


def test_a_fatal_error_ends_the_loop_and_is_announced() -> None:
    announced = threading.Event()

    def step() -> float:
        raise Fatal

    loop = loop_of(step, Hints(), announced.set)
    loop.start()
    assert announced.wait(5)
    assert loop.stop(timeout_s=5)


def test_a_loop_that_never_started_stops_at_once() -> None:
    assert loop_of(lambda: 0.0, Hints()).stop(timeout_s=0.1)


def test_hints_that_come_while_a_loop_rests_are_worked_on_by_one_step() -> None:
    steps, hints, clock = threading.Semaphore(0), Hints(), SteppedClock()

    def step() -> float:
        clock.elapsed_s += 3600.0  # it took very long, so that the rest is the longest one
        steps.release()
        return 3600.0

    loop = Loop("test", step, hints, clock, fatal=Fatal, on_fatal=lambda: None)  # type: ignore[arg-type]
    loop.start()
    assert steps.acquire(timeout=5)
    began_s = time.monotonic()
    for _ in range(20):
        hints.hint()
    assert steps.acquire(timeout=5)
    assert time.monotonic() - began_s > LONGEST_REST_S / 2
    assert not steps.acquire(timeout=LONGEST_REST_S)
    assert loop.stop(timeout_s=5)


def test_a_loop_does_not_rest_where_its_step_has_more_to_do_at_once() -> None:
    steps, clock = threading.Semaphore(0), SteppedClock()

    def step() -> float:
        clock.elapsed_s += 3600.0
        steps.release()
        return 0.0

    loop = Loop("test", step, Hints(), clock, fatal=Fatal, on_fatal=lambda: None)  # type: ignore[arg-type]
    began_s = time.monotonic()
    loop.start()
    assert all(steps.acquire(timeout=5) for _ in range(200))
    assert time.monotonic() - began_s < 200 * LONGEST_REST_S / 2
    assert loop.stop(timeout_s=5)
