import pytest

from api.text.waiting.estimates import estimate_text
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate, StartBasis, UnknownStart
from scheduler.core.model.waiting.record import Record
from tests.builders.core import NOON, seconds_after_noon


def between(earliest_s: float, latest_s: float, basis: StartBasis = StartBasis.LIMITS) -> str:
    return estimate_text(Estimate(seconds_after_noon(earliest_s), seconds_after_noon(latest_s), basis, NOON))


def test_a_start_is_a_range_with_what_it_rests_on() -> None:
    assert between(600, 2_400) == "it is expected to start between 12:10 and 12:40 UTC, as far as time limits tell"
    assert between(600, 610) == "it is expected to start around 12:10 UTC, as far as time limits tell"
    assert between(600, 86_400).startswith("it is expected to start between 12:10 and 2026-01-02 12:00 UTC")


def test_how_right_such_estimates_were_is_told_where_it_is_known() -> None:
    record = Record(scored=1_234, half_within=1.62, in_range=0.7, sooner=0.5, later=2.0)
    told = Estimate(seconds_after_noon(600), seconds_after_noon(900), StartBasis.LEARNT, NOON, record)
    said = "half of 1,234 such estimates of the last week were within a factor of 1.6"
    assert estimate_text(told).endswith(f"as others like them did ({said})")


def test_what_is_free_is_there_at_once() -> None:
    assert between(0, 0, StartBasis.FREE) == "it is expected to start at once"


@pytest.mark.parametrize("basis", StartBasis)
def test_every_basis_has_words(basis: StartBasis) -> None:
    assert between(60, 120, basis).startswith("it is expected to start between 12:01 and 12:02 UTC")


def test_every_reason_to_say_nothing_has_words_of_its_own() -> None:
    texts = {estimate_text(NoEstimate(why, NOON)) for why in UnknownStart}
    assert len(texts) == len(UnknownStart)
    assert all(text.startswith("nobody can say when it starts: ") for text in texts)
