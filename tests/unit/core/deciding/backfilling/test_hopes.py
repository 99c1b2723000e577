from datetime import datetime

from scheduler.core.deciding.backfilling.hopes import MOST_AT_ONCE, MOST_DEAD, PAUSE_S, Hopes
from scheduler.core.deciding.parts.waiters import Class
from scheduler.core.queueing.order import QueueKey
from tests.builders.core import NOON, make_job, make_node, make_state, seconds_after_noon


def waiting(*priorities: int) -> list[Class]:
    """Return classes of one job each, by their numbers."""
    jobs = [make_job(number, workers=number, priority=of) for number, of in enumerate(priorities, start=1)]
    state = make_state(make_node(), jobs=tuple(jobs))
    found = {each.asked[0].options[0].parts[0].part.workers: each for each in state.waiters.classes.all.values()}
    return [found[number] for number in range(1, len(jobs) + 1)]


def leave(which: Class) -> None:
    which.members.clear()


def test_who_is_too_young_is_due_when_it_has_waited_long_enough_and_once() -> None:
    (which,), hopes = waiting(0), Hopes(300)
    hopes.wait(which, hopes.of_age(NOON, NOON))
    assert hopes.next_due(NOON, 0) == seconds_after_noon(300)
    assert hopes.due(seconds_after_noon(299), 1) == []
    assert hopes.due(seconds_after_noon(300), 0) == [which]
    assert (hopes.due(seconds_after_noon(300), 1), len(hopes)) == ([], 0)


def test_who_was_submitted_when_the_clock_was_ahead_waits_as_long_as_one_that_comes_now() -> None:
    assert Hopes(300).of_age(datetime.max.replace(tzinfo=NOON.tzinfo), NOON) == seconds_after_noon(300)


def test_of_those_that_are_parked_the_first_in_the_queue_come_up_and_no_more_than_may_be_given_one() -> None:
    first, second, third = waiting(0, 5, 9)
    hopes = Hopes()
    for each in (first, second, third):
        hopes.park(each)
    assert hopes.next_due(NOON, 0) is None
    assert hopes.next_due(NOON, 1) == seconds_after_noon(PAUSE_S)
    assert hopes.due(NOON, 0) == []
    assert hopes.due(NOON, 2) == [third, second]
    assert hopes.due(NOON, 2) == [first]


def test_who_lost_its_place_in_the_queue_comes_up_where_it_stands_now() -> None:
    first, second = waiting(9, 5)
    hopes = Hopes()
    hopes.park(first)
    hopes.park(second)
    (_, group) = first.members.pop()
    first.members.append((make_later(second), group))
    assert hopes.due(NOON, 2) == [second, first]


def make_later(than: Class) -> QueueKey:
    priority, level, at, job, index = than.first
    return (priority + 1, level, at, job, index)


def test_who_waits_no_longer_is_forgotten() -> None:
    first, second = waiting(0, 0)
    hopes = Hopes()
    hopes.wait(first, NOON)
    hopes.park(second)
    leave(first)
    leave(second)
    assert hopes.next_due(NOON, 1) is None
    assert hopes.due(NOON, 1) == []
    assert len(hopes) == 0


def test_those_whose_time_has_come_are_asked_so_many_at_once_and_the_others_a_moment_later() -> None:
    them, hopes = waiting(*[0] * (MOST_AT_ONCE + 1)), Hopes()
    for each in them:
        hopes.wait(each, NOON)
    assert hopes.due(NOON, 0) == them[:MOST_AT_ONCE]
    assert hopes.next_due(NOON, 0) == seconds_after_noon(PAUSE_S)
    assert hopes.due(NOON, 0) == them[MOST_AT_ONCE:]


def test_what_is_dead_is_swept() -> None:
    (which,), hopes = waiting(0), Hopes()
    for number in range(2 * MOST_DEAD):
        hopes.wait(which, seconds_after_noon(number))
    assert len(hopes) == 1
    assert hopes.due(seconds_after_noon(2 * MOST_DEAD - 2), 0) == []
    assert hopes.due(seconds_after_noon(2 * MOST_DEAD), 0) == [which]
