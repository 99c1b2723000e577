import pytest

from scheduler.core.model.waiting.estimate import StartBasis
from scheduler.core.model.waiting.score import Score, ToldStart
from tests.builders.core import NOON, seconds_after_noon


def score(earliest_s: float, latest_s: float, waited_s: float) -> Score:
    told = ToldStart("a-g0-a1", StartBasis.LIMITS, NOON, seconds_after_noon(earliest_s), seconds_after_noon(latest_s))
    return Score(told, seconds_after_noon(waited_s))


@pytest.mark.parametrize(
    ("earliest_s", "latest_s", "waited_s", "ratio"),
    [(100, 300, 200, 1), (100, 300, 400, 2), (600, 600, 300, 0.5), (0, 0, 30, 1), (0, 0, 120, 2), (600, 600, -9, 0.1)],
)
def test_the_wait_is_compared_with_the_middle_of_what_was_told_and_trifles_do_not_count(
    earliest_s: float, latest_s: float, waited_s: float, ratio: float
) -> None:
    assert score(earliest_s, latest_s, waited_s).ratio == pytest.approx(ratio)


def test_who_started_within_what_was_told_is_in_range() -> None:
    assert [score(100, 300, waited_s).is_in_range for waited_s in (99, 100, 300, 301)] == [False, True, True, False]
    assert score(0, 10, 50).is_in_range, "a minute makes no difference"
