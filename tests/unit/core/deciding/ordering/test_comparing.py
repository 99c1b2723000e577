from dataclasses import replace

from scheduler.core.deciding.ordering.comparing import Contender, compare
from scheduler.core.model.asking.comparison import Because
from scheduler.core.model.asking.grounds import Grounds, QueueShare, Standing
from tests.builders.core import seconds_after_noon

MINE = QueueShare("mine", 0.1, 1)
FAIR = Grounds(Standing("fair", "mine", 1, 0, 60.0, shares=(MINE,), ageing_s=600.0), overtook=0)
ONE = Contender("one", ("mine",), 0, seconds_after_noon(10), seconds_after_noon(100), FAIR)
OTHER = Contender("other", ("mine",), 0, seconds_after_noon(5), None)


def because(one: Contender = ONE, other: Contender = OTHER) -> Because:
    return compare(one, other).because


def test_who_was_not_placed_was_placed_before_nobody() -> None:
    assert because(replace(ONE, placed_at=None)) is Because.NOT_PLACED
    assert because(other=replace(OTHER, placed_at=seconds_after_noon(99))) is Because.OTHER_FIRST


def test_who_came_after_that_was_overtaken_by_nobody() -> None:
    assert because(other=replace(OTHER, submitted_at=seconds_after_noon(101))) is Because.CAME_LATER


def test_without_grounds_nothing_is_made_up() -> None:
    assert because(replace(ONE, grounds=None)) is Because.UNKNOWN


def test_in_one_queue_the_earlier_one_had_no_place_and_the_later_one_came_later() -> None:
    assert because() is Because.NO_PLACE
    assert because(other=replace(OTHER, submitted_at=seconds_after_noon(20))) is Because.EARLIER
    overtaken = replace(FAIR, overtaken=("other-g0",), overtook=1)
    assert because(replace(ONE, grounds=overtaken), replace(OTHER, path=("theirs",))) is Because.NO_PLACE


def test_priority_is_a_head_start_as_large_as_it_was_then() -> None:
    urgent = replace(ONE, priority=1)
    assert because(urgent) is Because.PRIORITY
    assert because(urgent, replace(OTHER, submitted_at=seconds_after_noon(-700))) is Because.NO_PLACE


def test_between_queues_the_shares_tell() -> None:
    other = replace(OTHER, path=("theirs",))
    assert because(other=other) is Because.SHARE
    for share, want in ((0.5, Because.SHARE), (0.05, Because.NO_PLACE)):
        noted = replace(FAIR, siblings=(QueueShare("theirs", share, 1),))
        found = compare(replace(ONE, grounds=noted), other)
        assert found.because is want
        assert [each.queue for each in found.shares] == ["mine", "theirs"]


def test_queues_are_compared_where_they_part() -> None:
    path, beside = ("mine", "team", "top"), ("theirs", "other-team", "top")
    shares = (MINE, QueueShare("team", 0.4, 4), QueueShare("top", 0.9, 1))
    noted = replace(FAIR, standing=replace(FAIR.standing, shares=shares), siblings=(QueueShare("other-team", 0.2, 1),))
    found = compare(replace(ONE, path=path, grounds=noted), replace(OTHER, path=beside))
    assert [each.queue for each in found.shares] == ["team", "other-team"]
    assert found.because is Because.SHARE


def test_by_policies_that_look_at_the_past_the_levels_tell() -> None:
    low = Grounds(Standing("srtf", "mine", 1, 0, 60.0, level=5.0), 0)
    high = replace(low, standing=replace(low.standing, level=9.0))
    later = replace(OTHER, placed_at=seconds_after_noon(200))
    assert because(replace(ONE, grounds=low), replace(later, grounds=high)) is Because.LEVEL
    assert because(replace(ONE, grounds=high), replace(later, grounds=low)) is Because.NO_PLACE
