from itertools import count

from scheduler.core.deciding.ordering.siblings import Siblings
from scheduler.core.queueing.order import QueueKey
from scheduler.core.queueing.queued import Queued
from tests.builders.core import seconds_after_noon
from tests.unit.core.deciding.ordering.test_shares import Held

NUMBERS = count()


def key(second: int) -> QueueKey:
    return (0, 0.0, seconds_after_noon(second), "job", 0)


def siblings(waiting: dict[str, int], shares: dict[str, float], each_milli: int = 1_000) -> Siblings:
    queued, held = Queued(), Held()
    for queue, number in waiting.items():
        for second in range(number):
            queued.put(f"g{next(NUMBERS)}", queue, key(second), each_milli)
    return Siblings(
        held, queued.queues, lambda name, is_own: (shares.get(name, 0.0), 1 if is_own else held.weight(name)), 10_000
    )


def test_equal_queues_take_turns() -> None:
    found = siblings({"top": 5, "a": 0, "b": 5}, {})
    assert [found.ahead("b", own) for own in range(3)] == [0, 2, 4]


def test_one_that_has_more_waits_until_the_others_have_as_much() -> None:
    found = siblings({"a": 20, "b": 5}, {"b": 0.02})
    assert found.ahead("b", 0) == 7  # at weight 3 each of its devices counts a third, and at equal shares it goes first
    assert found.ahead("a", 0) == 0


def test_no_more_come_before_it_than_there_are() -> None:
    assert siblings({"a": 2, "b": 5}, {"b": 0.9}).ahead("b", 0) == 2


def test_who_asks_for_no_devices_never_moves_up() -> None:
    found = siblings({"a": 4, "b": 5}, {"b": 0.1}, each_milli=0)
    assert found.ahead("b", 3) == 7
    assert found.ahead("a", 3) == 3
