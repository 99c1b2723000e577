import pytest

from scheduler.core.queueing.classes import WaitingClasses
from scheduler.core.queueing.order import QueueKey
from tests.builders.core import seconds_after_noon


def key(second: int, priority: int = 0) -> QueueKey:
    return (-priority, 0.0, seconds_after_noon(second), f"job{second}", 0)


def test_those_who_ask_for_the_same_are_of_one_class_in_the_order_of_the_queue() -> None:
    classes: WaitingClasses[str] = WaitingClasses()
    late = classes.join("late", "8 x h100", key(2))
    assert classes.join("early", "8 x h100", key(1)) is late
    assert classes.join("other", "1 x h100", key(0)) is not late
    assert [group for _, group in late.members] == ["early", "late"]
    assert late.first == key(1)
    assert set(classes.all) == {"8 x h100", "1 x h100"}


def test_a_class_without_members_is_forgotten() -> None:
    classes: WaitingClasses[str] = WaitingClasses()
    classes.join("one", "8 x h100", key(1))
    classes.leave("one")
    classes.leave("one")
    assert not classes.all
    assert classes.of("one") is None


def test_who_joins_again_is_there_once_as_it_is_now() -> None:
    classes: WaitingClasses[str] = WaitingClasses()
    classes.join("one", "8 x h100", key(5))
    classes.join("two", "8 x h100", key(3))
    classes.join("one", "8 x h100", key(5, priority=1))
    assert [group for _, group in classes.all["8 x h100"].members] == ["one", "two"]
    classes.join("one", "1 x h100", key(5))
    assert [group for _, group in classes.all["8 x h100"].members] == ["two"]


def test_who_moves_within_its_class_leaves_the_class_the_same() -> None:
    classes: WaitingClasses[str] = WaitingClasses()
    for second in range(3):
        classes.join(f"group{second}", "a", key(second))
    before = classes.of("group0")
    classes.move("group0", key(9))
    assert classes.of("group0") is before is classes.all["a"]
    assert [group for _, group in before.members] == ["group1", "group2", "group0"]
    with pytest.raises(KeyError):
        classes.move("nobody", key(1))
