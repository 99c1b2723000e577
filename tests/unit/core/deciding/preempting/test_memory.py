from scheduler.core.deciding.parts.waiters import Asked, Class
from scheduler.core.deciding.preempting.memory import Attempts
from scheduler.core.placement.request import request_of
from tests.builders.core import NOON, make_job, seconds_after_noon


def waiting_class() -> Class:
    job = make_job()
    return Class(Asked(request_of(job), None), [((0.0, 0.0, NOON, job.id, 0), "first")])


def test_who_found_nobody_is_looked_at_again_at_its_time_and_then_forgotten() -> None:
    attempts, one = Attempts(), waiting_class()
    attempts.put(one, 3, seconds_after_noon(10))
    assert attempts.next_due() == seconds_after_noon(10)
    assert attempts.due(NOON) == []
    assert attempts.due(seconds_after_noon(10)) == [one]
    assert attempts.next_due() is None
    assert len(attempts) == 0


def test_a_member_of_higher_priority_need_not_wait_for_that() -> None:
    attempts, one = Attempts(), waiting_class()
    attempts.put(one, 3, seconds_after_noon(10))
    assert attempts.is_paused(one, 3, NOON)
    assert not attempts.is_paused(one, 4, NOON)
    attempts.forget(one)
    assert not attempts.is_paused(one, 3, NOON)


def test_a_class_that_waits_no_longer_is_forgotten() -> None:
    attempts, one = Attempts(), waiting_class()
    attempts.put(one, 3, seconds_after_noon(10))
    one.members.clear()
    assert attempts.due(NOON) == []
    assert len(attempts) == 0
