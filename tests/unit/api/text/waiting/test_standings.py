from dataclasses import replace

import pytest

from api.text.waiting.standings import comparison_text, grounds_text, standing_text
from scheduler.core.model.asking.comparison import Because, Comparison
from scheduler.core.model.asking.grounds import Grounds, KeptRoom, QueueShare, Standing
from tests.builders.core import NOON

FAIR = Standing("fair", "vision", 3, 5, 7_300.0, (QueueShare("vision", 0.125, 2), QueueShare("team", 0.5, 1)))


def test_a_place_is_told_with_what_it_rests_on() -> None:
    assert standing_text(FAIR) == (
        "fair: 3rd in queue vision; queue vision has 12.5 % at weight 2 and queue team has 50 %, priority 5, "
        "2 hours old"
    )


@pytest.mark.parametrize(
    ("policy", "level", "told"),
    [
        ("rounds", 0.0, "in this round"),
        ("rounds", 1.0, "a later round"),
        ("las", 2.0, "step 2 of"),
        ("srtf", 120.0, "2 minutes of run time"),
        ("srsf", None, "device-time left is not"),
    ],
)
def test_a_policy_that_looks_at_the_past_says_what_it_saw(policy: str, level: float | None, told: str) -> None:
    assert told in standing_text(replace(FAIR, policy=policy, level=level, shares=()))


def test_whom_a_placement_overtook_is_told_by_job() -> None:
    found = Grounds(FAIR, 1, ("01jd3v9k2m0a7b4c-g0",), (), (KeptRoom("x-g0", NOON),))
    text = grounds_text(found)
    assert "1 of its queue was before it and could not start then: 01jd3v9k2m0a7b4c" in text
    assert "it left alone what 1 reservation kept" in text


@pytest.mark.parametrize("because", Because)
def test_every_answer_to_why_one_came_before_another_is_a_sentence(because: Because) -> None:
    found = Comparison("one", "other", because, "srtf", (5, 0), FAIR.shares, (1.0, None))
    assert comparison_text(found).endswith(".")
    if because is Because.SHARE:
        assert "queue vision had 12.5 % at weight 2, queue team had 50 %" in comparison_text(found)


def test_whoever_had_its_turn_came_before_whoever_had_not() -> None:
    found = Comparison("one", "other", Because.LEVEL, "rounds", (0, 0), FAIR.shares, (0.0, 1.0))
    assert comparison_text(found) == "By rounds, one had its turn in that round, and other not."
