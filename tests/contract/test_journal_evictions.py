"""Attempts that are stopped for other gangs: guarded like every write of a leader, remembered with their reason."""

from dataclasses import replace

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.change import GroupMoved
from scheduler.core.model.decision import Evicted
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import Job
from scheduler.core.model.sharing.eviction import Eviction, EvictionCause
from scheduler.ports.journal import Evict, Rejection
from scheduler.services.follow_changes import state_of
from tests.builders.database import World, after_noon, refused, take, written

EVICTION = Eviction("other-g0", "beta", EvictionCause.PRIORITY, 5, 0, 2_000, unsaved_s=12.5)


def evict(world: World, job: Job, *, version: int | None = None, epoch: int | None = None) -> Evict:
    group = world.group(job)
    decision = Evicted(group.id, group.version if version is None else version, group.latest_attempt, EVICTION)
    return Evict(decision, world.epoch if epoch is None else epoch, after_noon(300))


def placed(world: World) -> Job:
    job = world.submit(world.make_job(workers=2))
    world.place(job, take("n1", 0, 1), take("n1", 2, rank=1))
    return job


def test_an_attempt_is_stopped_keeps_for_whom_and_is_queued_again_when_it_is_gone_without_a_retry(world: World) -> None:
    job = placed(world)
    outcome = written(world.write(evict(world, job)))
    group = world.group(job)
    assert (group.state, group.stop_reason, group.preemptions) == (State.STOPPING, StopReason.PREEMPTED, 1)
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=9)
    assert change.body == GroupMoved(group, group.latest_attempt, eviction=EVICTION)
    world.see(group.latest_attempt, Event.GONE)
    after = world.group(job)
    assert (after.state, after.failures, after.preemptions) == (State.QUEUED, 0, 1)
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    (attempt,) = view.attempts
    assert (attempt.stop_reason, attempt.eviction) == (StopReason.PREEMPTED, EVICTION)


def test_a_state_that_is_read_anew_knows_who_stops_for_whom_as_one_does_that_followed(world: World) -> None:
    job, views = placed(world), world.storage.views
    followed = state_of(views.snapshot())
    outcome = written(world.write(evict(world, job)))
    for change in views.changes_after(outcome.change - 1, limit=9):
        followed.apply(change)
    anew = state_of(views.snapshot())
    (live,) = anew.live.values()
    assert live.eviction == EVICTION
    assert followed.digest() == anew.digest()


def test_who_overtook_is_known_by_when_it_is_to_be_stopped_to_all_that_follow_and_to_a_state_read_anew(
    world: World,
) -> None:
    job, views, by = world.submit(world.make_job()), world.storage.views, after_noon(900)
    followed = state_of(views.snapshot())
    outcome = written(world.write(world.placing(job, take("n1", 0), stop_by=by)))
    for change in views.changes_after(outcome.change - 1, limit=9):
        followed.apply(change)
    anew, attempt = state_of(views.snapshot()), world.group(job).latest_attempt
    assert anew.overtakers == followed.overtakers == {attempt: by}
    assert followed.digest() == anew.digest()
    view = views.job(job.id, tenant=None)
    assert view is not None
    assert [each.stop_by for each in view.attempts] == [by]


def test_who_moved_on_meanwhile_is_not_stopped(world: World) -> None:
    job = placed(world)
    seen = world.group(job)
    world.see(seen.latest_attempt, Event.WORKERS_CREATED)
    assert refused(world.write(evict(world, job, version=seen.version))) is Rejection.STALE_VERSION
    world.see(seen.latest_attempt, Event.STOP, reason=StopReason.LOST)
    assert refused(world.write(evict(world, job))) is Rejection.STALE_VERSION
    waiting = world.submit(world.make_job())
    assert refused(world.write(evict(world, waiting))) is Rejection.STALE_VERSION


def test_a_leader_of_the_past_stops_nobody(world: World) -> None:
    job = placed(world)
    assert refused(world.write(evict(world, job, epoch=world.epoch - 1))) is Rejection.STALE_EPOCH
    unknown = evict(world, job)
    unknown = replace(unknown, decision=replace(unknown.decision, group="nobody-g0", attempt="nobody-g0-a1"))
    assert refused(world.write(unknown)) is Rejection.NOT_FOUND
    assert world.group(job).state is State.PLACED
