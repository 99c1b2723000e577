"""What reconciling asks for, and is asked."""

from scheduler.core.model.group import State
from scheduler.core.reconciling.actions import WantedAttempt, WantedResize


def test_the_workers_of_a_first_generation_are_its_ranks() -> None:
    assert WantedAttempt("a", 1, State.RUNNING, 3, grace_s=1).workers == (0, 1, 2)


def test_a_later_one_has_workers_of_other_numbers_and_is_under_way_until_all_have_met_and_none_is_too_many() -> None:
    met = WantedResize((0, 4), newcomers=(4,), surplus=(), is_called=True, has_met=True)
    assert WantedAttempt("a", 3, State.RUNNING, 2, grace_s=1, resize=met).workers == (0, 4)
    assert not met.is_under_way
    assert WantedResize((0,), newcomers=(), surplus=(1,), is_called=True, has_met=True).is_under_way
    assert WantedResize((0,), newcomers=(), surplus=(), is_called=True, has_met=False).is_under_way
