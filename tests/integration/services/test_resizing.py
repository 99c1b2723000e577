"""Elastic jobs through the production services: their gangs get fewer workers, and more, and come apart on the way."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scheduler.core.model.attempt import Attempt
from scheduler.core.model.decision import ResizeCause
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import JobId, WorkerKey
from scheduler.core.model.job import JobSpec
from scheduler.core.model.resources import Elastic
from scheduler.ports.journal import WishStop, WishWorkers
from scheduler.ports.workers.reports import Beat
from scheduler.services.heartbeats.watching import RESIZE_LIMIT_S, Watch
from tests.builders.database import written
from tests.builders.stage import DEVICES_PER_NODE, NODES, TENANT, Stage, make_spec, stage

ALL = NODES * DEVICES_PER_NODE
COOL_DOWN_S = 121


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as found:
        yield found


def elastic(workers: int = 4, least: int = 2, step: int = 1) -> JobSpec:
    return replace(make_spec(workers=workers), elastic=Elastic(least, step))


def latest(scene: Stage, job: JobId) -> Attempt:
    return scene.job(job).attempts[-1]


def beat(scene: Stage, job: JobId) -> None:
    """Be heard of as one of the generation that the job's workers were called to."""
    attempt = latest(scene, job)
    scene.storage.journal.write([Beat(attempt.id, attempt.resizing.called, scene.clock.now())])


def wish(scene: Stage, job: JobId, workers: int) -> None:
    written(scene.storage.journal.change(WishWorkers(job, TENANT, workers, "ann", scene.clock.now())))


def meet(scene: Stage, job: JobId) -> None:
    """Go on as the runtime does: who stays is heard of as one of the next generation, who is too many exits with 7."""
    attempt = latest(scene, job)
    beat(scene, job)
    for surplus in attempt.resizing.surplus:
        scene.cluster.end_worker(WorkerKey(attempt.id, surplus.worker), exit_code=7)
    scene.turn()


def shape(scene: Stage, job: JobId) -> tuple[State, int, list[int], bool]:
    """Return state, generation, the numbers of the workers, and whether it is on its way."""
    attempt = latest(scene, job)
    under_way = attempt.resizing.is_under_way(attempt.generation)
    return scene.job(job).state, attempt.generation, [held.worker for held in attempt.allocations], under_way


def test_a_gang_goes_from_four_workers_to_two_and_to_four(scene: Stage) -> None:
    job = scene.submit(elastic())
    scene.turn()
    assert shape(scene, job) == (State.RUNNING, 1, [0, 1, 2, 3], False)

    wish(scene, job, 2)
    scene.turn()
    assert shape(scene, job) == (State.RUNNING, 2, [0, 1], True)
    assert scene.devices_held() == 4, "until those that are too many are proven gone"
    meet(scene, job)
    assert shape(scene, job) == (State.RUNNING, 2, [0, 1], False)
    assert scene.devices_held() == 2

    wish(scene, job, 4)
    scene.turn()
    assert shape(scene, job) == (State.RUNNING, 3, [0, 1, 4, 5], True)
    assert (latest(scene, job).resizing.called, scene.devices_held()) == (3, 4)
    assert [key.rank for key in scene.cluster.starts] == [0, 1, 2, 3, 4, 5]
    meet(scene, job)
    assert shape(scene, job) == (State.RUNNING, 3, [0, 1, 4, 5], False)

    for number in (0, 1, 4, 5):
        scene.cluster.end_worker(WorkerKey(latest(scene, job).id, number), exit_code=0)
    scene.turn()
    assert (scene.job(job).state, scene.devices_held()) == (State.SUCCEEDED, 0)
    assert scene.storage.views.capacity_errors() == []
    assert scene.followed.live_attempts() == {}


def test_who_waits_begins_with_as_many_as_there_is_room_for_and_grows_when_there_is_more(scene: Stage) -> None:
    other = scene.submit(make_spec(workers=ALL - 3))
    job = scene.submit(elastic(workers=6, least=2, step=2))
    scene.turn()
    assert shape(scene, job) == (State.RUNNING, 1, [0, 1], False)
    scene.storage.journal.write([WishStop(other, TENANT, "ann", scene.clock.now())])
    scene.turn()
    scene.turn()
    assert shape(scene, job)[1] == 1, "it began to run just now"
    scene.clock.advance(COOL_DOWN_S)
    scene.turn()
    assert shape(scene, job) == (State.RUNNING, 2, [0, 1, 2, 3, 4, 5], True)


def test_room_is_for_those_who_wait_first(scene: Stage) -> None:
    other = scene.submit(make_spec(workers=ALL - 2))
    job = scene.submit(elastic())
    scene.turn()
    waiting = scene.submit(make_spec(workers=ALL - 2))
    scene.turn()
    scene.clock.advance(COOL_DOWN_S)
    scene.storage.journal.write([WishStop(other, TENANT, "ann", scene.clock.now())])
    scene.turn()
    scene.turn()
    assert (scene.job(waiting).state, shape(scene, job)[1]) == (State.RUNNING, 1)


def test_a_gang_that_is_on_its_way_is_left_alone_until_it_has_met(scene: Stage) -> None:
    job = scene.submit(elastic())
    scene.turn()
    wish(scene, job, 3)
    scene.turn()
    wish(scene, job, 2)
    scene.turn()
    assert shape(scene, job) == (State.RUNNING, 2, [0, 1, 2], True)
    meet(scene, job)
    scene.turn()
    assert shape(scene, job) == (State.RUNNING, 3, [0, 1], True)


def test_a_worker_that_dies_on_the_way_ends_the_attempt_without_a_charge(scene: Stage) -> None:
    job = scene.submit(elastic())
    scene.turn()
    wish(scene, job, 2)
    scene.turn()
    attempt = latest(scene, job).id
    scene.cluster.end_worker(WorkerKey(attempt, 1), exit_code=1)
    scene.turn()
    scene.clock.advance(300)
    scene.turn()
    view = scene.job(job)
    assert view.attempts[0].stop_reason is StopReason.RESIZE_FAILED
    assert view.refusal is not None
    assert "on its way to 2 workers, generation 2" in view.refusal
    assert (view.groups[0].failures, view.state) == (0, State.RUNNING)
    assert shape(scene, job) == (State.RUNNING, 1, [0, 1], False)
    assert scene.storage.views.capacity_errors() == []


def test_a_leader_that_takes_over_on_the_way_goes_on(scene: Stage) -> None:
    job = scene.submit(elastic())
    scene.turn()
    wish(scene, job, 2)
    scene.turn()
    scene.lead()
    meet(scene, job)
    assert shape(scene, job) == (State.RUNNING, 2, [0, 1], False)
    wish(scene, job, 4)
    scene.decider.decide_once()
    scene.lead()
    scene.turn()
    assert latest(scene, job).resizing.called == 3
    meet(scene, job)
    assert shape(scene, job) == (State.RUNNING, 3, [0, 1, 4, 5], False)


def test_a_job_that_is_cancelled_on_the_way_leaves_nothing(scene: Stage) -> None:
    job = scene.submit(elastic())
    scene.turn()
    wish(scene, job, 2)
    scene.turn()
    scene.storage.journal.write([WishStop(job, TENANT, "ann", scene.clock.now())])
    scene.turn()
    scene.turn()
    assert (scene.job(job).state, scene.devices_held()) == (State.CANCELLED, 0)
    assert scene.cluster.observe() == []


def test_work_that_is_done_before_others_have_come_is_done(scene: Stage) -> None:
    job = scene.submit(elastic())
    scene.turn()
    wish(scene, job, 2)
    scene.turn()
    meet(scene, job)
    wish(scene, job, 4)
    scene.turn()
    for number in (0, 1):
        scene.cluster.end_worker(WorkerKey(latest(scene, job).id, number), exit_code=0)
    scene.turn()
    scene.turn()
    assert (scene.job(job).state, scene.devices_held()) == (State.SUCCEEDED, 0)


def test_a_gang_that_never_meets_is_given_up_and_tried_again(scene: Stage) -> None:
    job = scene.submit(elastic())
    scene.turn()
    wish(scene, job, 2)
    scene.turn()
    watch = Watch(
        scene.storage.views, scene.followed, scene.storage.journal, clock=scene.clock, lead=scene.current_lead
    )
    assert watch.look() == 0
    scene.clock.advance(RESIZE_LIMIT_S + 1)
    assert watch.look() == 1
    scene.turn()
    assert latest(scene, job).stop_reason is StopReason.RESIZE_FAILED


def test_surplus_workers_that_do_not_leave_are_ended_once_the_others_have_met(scene: Stage) -> None:
    job = scene.submit(elastic())
    scene.turn()
    wish(scene, job, 2)
    scene.turn()
    beat(scene, job)
    scene.turn()
    scene.turn()
    assert shape(scene, job) == (State.RUNNING, 2, [0, 1], False)
    assert scene.devices_held() == 2


def test_the_feed_tells_why(scene: Stage) -> None:
    job = scene.submit(elastic())
    scene.turn()
    wish(scene, job, 2)
    scene.turn()
    changes = scene.storage.views.changes_after(0, limit=100, job=job)
    causes = [change.body.cause for change in changes if hasattr(change.body, "cause")]
    assert causes == [ResizeCause.WISHED]
