from dataclasses import replace

from scheduler.core.deciding.parts.waiters import Waiters
from scheduler.core.model.job import ArrayMember
from scheduler.core.placement.request import request_of
from scheduler.core.queueing.order import queue_key
from tests.builders.core import NOON, make_group, make_job, seconds_after_noon


def test_arrays_of_which_only_so_many_may_run_are_classes_of_their_own() -> None:
    waiters = Waiters()
    jobs = [make_job(1), make_job(2, array=ArrayMember("free", "sweep", 0, 9))]
    jobs += [make_job(number, array=ArrayMember("limited", "sweep", number, 9, most_at_once=1)) for number in (3, 4)]
    request = request_of(jobs[0])
    classes = [waiters.put(make_group(job), job, request, queue_key(job, make_group(job))) for job in jobs]
    assert classes[0] is classes[1]
    assert classes[2] is classes[3] is not classes[0]
    assert [one.asked[1] for one in classes] == [None, None, "limited", "limited"]
    assert set(waiters.by_id) == {make_group(job).id for job in jobs}


def test_who_backs_off_is_due_once_its_time_has_come() -> None:
    waiters, job = Waiters(), make_job()
    group = replace(make_group(job), not_before=seconds_after_noon(10))
    waiting = waiters.put(group, job, request_of(job), queue_key(job, group))
    assert waiters.next_due(NOON) == seconds_after_noon(10)
    assert list(waiters.due(NOON, seconds_after_noon(9))) == []
    assert list(waiters.due(NOON, seconds_after_noon(10))) == [waiting]
    assert list(waiters.due(seconds_after_noon(10), seconds_after_noon(11))) == []
    assert waiters.next_due(seconds_after_noon(10)) is None
    waiters.remove(group.id)
    assert waiters.next_due(NOON) is None
    assert not waiters.by_id
    assert not waiters.classes.all
