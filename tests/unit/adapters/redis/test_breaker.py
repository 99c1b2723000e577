"""When a failing server is left alone, and for how long."""

from datetime import UTC, datetime

import pytest

from scheduler.adapters.memory.clock import ManualClock
from scheduler.adapters.redis.breaker import FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S, Breaker


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    return Breaker(clock.monotonic_s)


def trip(breaker: Breaker) -> None:
    assert [breaker.note_failure() for _ in range(3)] == [False, False, True]
    assert not breaker.is_closed


def test_a_failure_now_and_then_changes_nothing(breaker: Breaker, clock: ManualClock) -> None:
    for _ in range(20):
        assert not breaker.note_failure()
        clock.advance(3)
    assert breaker.is_closed


def test_three_failures_within_seconds_open_it_and_further_ones_do_not_open_it_again(breaker: Breaker) -> None:
    trip(breaker)
    assert not breaker.note_failure()
    assert breaker.probe_in_s == FIRST_PAUSE_S


def test_an_answered_probe_closes_it(breaker: Breaker, clock: ManualClock) -> None:
    trip(breaker)
    clock.advance(FIRST_PAUSE_S)
    assert breaker.probe_in_s == 0
    breaker.note_probe(is_answered=True)
    assert breaker.is_closed
    assert not breaker.note_failure()


def test_probes_in_vain_come_less_and_less_often_but_never_rarely(breaker: Breaker) -> None:
    trip(breaker)
    pauses = []
    for _ in range(7):
        pauses.append(breaker.probe_in_s)
        breaker.note_probe(is_answered=False)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, LONGEST_PAUSE_S]


def test_a_server_that_fails_again_soon_is_left_alone_for_longer(breaker: Breaker, clock: ManualClock) -> None:
    trip(breaker)
    breaker.note_probe(is_answered=True)
    trip(breaker)
    assert breaker.probe_in_s == 2 * FIRST_PAUSE_S
    breaker.note_probe(is_answered=True)
    clock.advance(STEADY_S + 1)
    trip(breaker)
    assert breaker.probe_in_s == FIRST_PAUSE_S


def test_a_late_answer_to_a_probe_of_a_closed_one_changes_nothing(breaker: Breaker) -> None:
    breaker.note_probe(is_answered=False)
    assert breaker.is_closed
