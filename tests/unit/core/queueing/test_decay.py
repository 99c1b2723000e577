import pytest

from scheduler.core.queueing.decay import DecayedAverage, HeldLately, averages
from tests.builders.core import NOON, seconds_after_noon

HALF_LIFE_S = 100.0


def test_after_one_half_life_the_past_and_what_has_been_since_count_the_same() -> None:
    average = DecayedAverage(8.0, 0, NOON)
    assert average.value(seconds_after_noon(100), HALF_LIFE_S) == pytest.approx(4.0)
    assert average.step(16, NOON, HALF_LIFE_S).value(seconds_after_noon(100), HALF_LIFE_S) == pytest.approx(12.0)


def test_what_is_held_for_ever_is_the_average_in_the_end() -> None:
    assert DecayedAverage(0.0, 8, NOON).value(seconds_after_noon(10_000), HALF_LIFE_S) == pytest.approx(8.0)


def test_it_does_not_matter_how_often_it_was_looked_at() -> None:
    once = DecayedAverage(3.0, 8, NOON)
    often = once
    for second in range(10, 100, 10):
        often = often.step(8, seconds_after_noon(second), HALF_LIFE_S)
    now = seconds_after_noon(100)
    assert often.value(now, HALF_LIFE_S) == pytest.approx(once.value(now, HALF_LIFE_S))


def test_a_clock_that_goes_back_changes_nothing() -> None:
    average = DecayedAverage(3.0, 8, seconds_after_noon(50))
    assert average.value(NOON, HALF_LIFE_S) == 3.0
    assert average.step(1, NOON, HALF_LIFE_S) == DecayedAverage(3.0, 1, seconds_after_noon(50))


def test_sums_over_periods_give_the_average_that_would_have_been_followed() -> None:
    average = DecayedAverage(0.0, 8, NOON).step(2, seconds_after_noon(100), HALF_LIFE_S)
    periods = [
        HeldLately("q", "h100", NOON, 100.0, 800.0),
        HeldLately("q", "h100", seconds_after_noon(100), 100.0, 100.0),  # half of it is over
        HeldLately("q", "h100", seconds_after_noon(900), 100.0, 7.0),
    ]
    at = seconds_after_noon(150)
    ((queue, chip, found),) = averages(periods, at, HALF_LIFE_S)
    assert (queue, chip) == ("q", "h100")
    assert found == pytest.approx(average.value(at, HALF_LIFE_S))
