import pytest

from scheduler.core.forecasting.scoring import ENOUGH, WIDEST, records_of, widened
from scheduler.core.model.waiting.estimate import Estimate, StartBasis
from scheduler.core.model.waiting.record import Record
from scheduler.core.model.waiting.score import Score, ToldStart
from tests.builders.core import NOON, seconds_after_noon


def score(waited_s: float, basis: StartBasis = StartBasis.LEARNT, *, told_s: tuple[float, float] = (100, 100)) -> Score:
    earliest, latest = map(seconds_after_noon, told_s)
    return Score(ToldStart("a-g0-a1", basis, NOON, earliest, latest), seconds_after_noon(waited_s))


def told(basis: StartBasis = StartBasis.LEARNT) -> Estimate:
    return Estimate(seconds_after_noon(100), seconds_after_noon(1_000), basis, NOON)


def test_a_record_says_within_which_factor_half_of_them_were_whichever_way_they_were_wrong() -> None:
    (record,) = records_of([score(100), score(200), score(1_000), score(62.5), score(400)]).values()
    assert (record.scored, record.half_within, record.in_range) == (5, 2.0, 0.2)
    assert (record.sooner, record.later) == (0.625, 10.0)


def test_each_basis_has_a_record_of_its_own_and_nothing_known_gives_none() -> None:
    found = records_of([score(100), score(300, StartBasis.GUESSED)])
    assert {basis: record.half_within for basis, record in found.items()} == {
        StartBasis.LEARNT: 1.0,
        StartBasis.GUESSED: 3.0,
    }
    assert records_of([]) == {}


def test_a_range_is_made_as_wide_as_the_scores_ask_for() -> None:
    record = Record(ENOUGH, 2.0, 0.5, sooner=0.5, later=3.0)
    found = widened(told(), {StartBasis.LEARNT: record}, NOON)
    assert (found.earliest, found.latest) == (seconds_after_noon(50), seconds_after_noon(3_000))
    assert (found.record, found.basis) == (record, StartBasis.LEARNT)


def test_no_record_of_nonsense_makes_a_range_endless() -> None:
    found = widened(told(), {StartBasis.LEARNT: Record(ENOUGH, 99.0, 0.0, sooner=0.001, later=900.0)}, NOON)
    assert (found.earliest, found.latest) == (seconds_after_noon(100 / WIDEST), seconds_after_noon(1_000 * WIDEST))


def test_what_begins_before_now_is_not_moved_before_it() -> None:
    record, now = Record(ENOUGH, 2.0, 0.5, sooner=0.5, later=2.0), seconds_after_noon(2_000)
    assert widened(told(), {StartBasis.LEARNT: record}, now).earliest == now


@pytest.mark.parametrize("scored", [ENOUGH - 1, 0])
def test_too_few_scores_change_nothing(scored: int) -> None:
    assert widened(told(), {StartBasis.LEARNT: Record(scored, 9.0, 0.0, 0.1, 9.0)}, NOON) == told()
    assert widened(told(), {}, NOON) == told()


@pytest.mark.parametrize("basis", [StartBasis.FREE, StartBasis.PROMISED])
def test_a_promise_and_what_is_free_are_told_as_they_are_with_their_record(basis: StartBasis) -> None:
    record = Record(ENOUGH, 9.0, 0.0, 0.1, 9.0)
    found = widened(told(basis), {basis: record}, NOON)
    assert (found.earliest, found.latest, found.record) == (told().earliest, told().latest, record)
