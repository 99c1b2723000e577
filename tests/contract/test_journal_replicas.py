"""How many replicas of a server there are, on both databases."""

from dataclasses import replace
from typing import Any

import pytest

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.change import ReplicasWished
from scheduler.core.model.decision import GivenPlace, Placed
from scheduler.core.model.group import Group, State, StopReason
from scheduler.core.model.job import CommandProgram, Job, JobKind, Serving
from scheduler.ports.journal import (
    Observe,
    Outcome,
    Place,
    Rejected,
    Rejection,
    ReviseJob,
    ScaleJob,
    Unchanged,
    Written,
)
from scheduler.ports.views import JobView
from tests.builders.database import MANY_JOBS, World, after_noon, refused, take, written


def server(world: World, replicas: int = 2) -> Job:
    job = world.make_job(kind=JobKind.INFERENCE, replicas=replicas, serving=Serving(8000, "/ready"))
    return world.submit(replace(job, replicas=replicas))


def scale(world: World, server_job: Job, replicas: int, **differing: Any) -> Outcome:
    item = ScaleJob(server_job.id, server_job.tenant, replicas, MANY_JOBS, "ann", after_noon(200))
    return world.write(replace(item, **differing))


def view(world: World, job: Job) -> JobView:
    found = world.storage.views.job(job.id, tenant=None)
    assert found is not None
    return found


def states(world: World, job: Job) -> list[State]:
    return [group.state for group in view(world, job).groups]


def place(world: World, group: Group, rank: Allocation) -> str:
    decision = Placed(group.id, group.version, group.next_attempt, GivenPlace((rank,)))
    written(world.write(Place(decision, world.epoch, after_noon(100))))
    return group.next_attempt


def see(world: World, attempt: str, event: Event, reason: StopReason | None = None, at_s: float = 300) -> Outcome:
    return world.write(Observe(attempt, 1, event, reason, (), world.epoch, after_noon(at_s)))


def run_all(world: World, job: Job) -> list[str]:
    attempts = [place(world, group, take("n1", group.index)) for group in view(world, job).groups]
    for attempt in attempts:
        written(see(world, attempt, Event.ALL_READY))
    return attempts


def test_every_replica_is_a_queued_group_of_its_own(world: World) -> None:
    job = server(world, 3)
    assert states(world, job) == [State.QUEUED] * 3
    assert view(world, job).job.replicas == 3


def test_replicas_are_placed_run_and_fail_one_by_one(world: World) -> None:
    job = server(world)
    first, second = run_all(world, job)
    written(see(world, first, Event.STOP, StopReason.WORKER_FAILED))
    written(see(world, first, Event.GONE, at_s=301))
    groups = view(world, job).groups
    assert [group.state for group in groups] == [State.QUEUED, State.RUNNING]
    assert (groups[0].failures, groups[0].not_before) == (1, after_noon(302))
    assert (view(world, job).state, view(world, job).ready) == (State.RUNNING, 1)
    assert groups[1].latest_attempt == second


def test_a_server_that_ran_for_long_is_started_again_at_once(world: World) -> None:
    job = server(world, 1)
    (attempt,) = run_all(world, job)
    written(see(world, attempt, Event.STOP, StopReason.LOST, at_s=2_000))
    written(see(world, attempt, Event.GONE, at_s=2_000))
    (group,) = view(world, job).groups
    assert (group.state, group.failures, group.not_before) == (State.QUEUED, 1, after_noon(2_001))


def test_more_replicas_are_queued_and_fewer_are_stopped(world: World) -> None:
    job = server(world)
    attempts = run_all(world, job)
    written(scale(world, job, 4))
    assert states(world, job) == [State.RUNNING, State.RUNNING, State.QUEUED, State.QUEUED]
    written(scale(world, job, 1))
    assert states(world, job) == [State.RUNNING, State.STOPPING, State.CANCELLED, State.CANCELLED]
    written(see(world, attempts[1], Event.GONE))
    assert states(world, job) == [State.RUNNING] + [State.CANCELLED] * 3
    assert view(world, job).state is State.RUNNING
    assert world.storage.views.capacity_errors() == []


def test_a_retired_replica_that_is_wanted_again_comes_back(world: World) -> None:
    job = server(world)
    attempts = run_all(world, job)
    written(scale(world, job, 1))
    written(scale(world, job, 2))
    assert states(world, job) == [State.RUNNING, State.STOPPING]
    written(see(world, attempts[1], Event.GONE))
    assert states(world, job) == [State.RUNNING, State.QUEUED]
    place(world, view(world, job).groups[1], take("n1", 5))
    assert [attempt.number for attempt in view(world, job).attempts] == [1, 1, 2]


def test_a_replica_that_failed_for_good_is_tried_again_when_somebody_scales(world: World) -> None:
    job = server(world)
    attempts = run_all(world, job)
    written(see(world, attempts[0], Event.STOP, StopReason.UNSTARTABLE))
    written(see(world, attempts[0], Event.GONE))
    assert states(world, job) == [State.FAILED, State.RUNNING]
    assert isinstance(scale(world, job, 2), Written)
    assert states(world, job) == [State.QUEUED, State.RUNNING]


def test_the_same_wish_again_changes_nothing(world: World) -> None:
    job = server(world)
    before = world.storage.views.last_change()
    assert scale(world, job, 2) == Unchanged(job.id, State.QUEUED)
    assert world.storage.views.last_change() == before


def test_a_cancelled_server_ends_with_all_its_replicas(world: World) -> None:
    job = server(world)
    attempts = run_all(world, job)
    world.cancel(job)
    assert states(world, job) == [State.STOPPING, State.STOPPING]
    for attempt in attempts:
        written(see(world, attempt, Event.GONE))
    assert view(world, job).state is State.CANCELLED
    assert refused(scale(world, job, 3)) is Rejection.ILLEGAL


@pytest.mark.parametrize(
    ("differing", "why"),
    [
        ({"tenant": "beta"}, Rejection.NOT_FOUND),
        ({"job": "000000009abcdefg"}, Rejection.NOT_FOUND),
        ({"most_live_jobs": 4}, Rejection.TOO_MANY_JOBS),
    ],
)
def test_what_may_not_be_scaled_is_left_as_it_is(world: World, differing: dict[str, Any], why: Rejection) -> None:
    job = server(world)
    assert refused(scale(world, job, 5, **differing)) is why
    assert states(world, job) == [State.QUEUED] * 2


def test_fewer_replicas_are_allowed_whatever_the_tenant_has(world: World) -> None:
    job = server(world)
    assert isinstance(scale(world, job, 1, most_live_jobs=1), Written)


def test_a_training_has_no_replicas(world: World) -> None:
    outcome = scale(world, world.submit(), 2)
    assert isinstance(outcome, Rejected)
    assert outcome.why is Rejection.ILLEGAL


def test_who_follows_the_feed_knows_what_who_reads_all_knows(world: World) -> None:
    followed = state_of(world)
    job = server(world)
    attempts = run_all(world, job)
    for replicas in (4, 1, 3):
        written(scale(world, job, replicas))
    written(see(world, attempts[1], Event.GONE))
    for change in world.storage.views.changes_after(0, limit=1_000):
        followed.apply(change)
    assert followed.digest() == state_of(world).digest()
    assert followed.jobs[job.id].replicas == 3
    wishes = [change.body for change in world.storage.views.changes_after(0, limit=1_000)]
    assert [body.replicas for body in wishes if isinstance(body, ReplicasWished)] == [4, 1, 3]


def state_of(world: World) -> SchedulerState:
    found = world.storage.views.snapshot()
    return SchedulerState.from_parts(
        clusters=found.clusters,
        nodes=found.nodes,
        jobs=found.jobs,
        groups=found.groups,
        attempts=found.attempts,
        chips=found.chips,
        shares=found.shares,
    )


def revise(world: World, job: Job, **differing: Any) -> Outcome:
    present = view(world, job).job
    spec = replace(present.spec, program=CommandProgram(("serve", str(present.revision))))
    item = ReviseJob(job.id, job.tenant, spec, present.revision, "ann", after_noon(250))
    return world.write(replace(item, **differing))


def test_a_new_version_replaces_one_serving_replica_after_the_other(world: World) -> None:
    job = server(world, 3)
    attempts = run_all(world, job)
    written(revise(world, job))
    assert states(world, job) == [State.STOPPING, State.RUNNING, State.RUNNING]
    for index, attempt in enumerate(attempts):
        written(see(world, attempt, Event.GONE))
        group = view(world, job).groups[index]
        assert (group.state, group.not_before, group.failures) == (State.QUEUED, None, 0)
        fresh = place(world, group, take("n1", index))
        assert sum(state is State.RUNNING for state in states(world, job)) == 2
        written(see(world, fresh, Event.ALL_READY))
    assert states(world, job) == [State.RUNNING] * 3
    found = view(world, job)
    assert (found.job.revision, found.job.spec.program) == (2, CommandProgram(("serve", "1")))
    assert [attempt.revision for attempt in found.attempts] == [1, 2] * 3
    assert world.storage.views.capacity_errors() == []


def test_a_version_that_does_not_become_ready_replaces_one_replica_and_no_more(world: World) -> None:
    job = server(world)
    attempts = run_all(world, job)
    written(revise(world, job))
    written(see(world, attempts[0], Event.GONE))
    broken = place(world, view(world, job).groups[0], take("n1", 0))
    written(see(world, broken, Event.WORKERS_CREATED))
    assert states(world, job) == [State.STARTING, State.RUNNING]
    written(revise(world, job))
    assert states(world, job) == [State.STOPPING, State.RUNNING]


def test_a_version_of_what_was_replaced_meanwhile_is_refused_and_the_same_changes_nothing(world: World) -> None:
    job = server(world)
    assert isinstance(revise(world, job, spec=job.spec), Unchanged)
    written(revise(world, job))
    assert refused(revise(world, job, revision=1)) is Rejection.STALE_VERSION
    assert refused(revise(world, job, tenant="beta")) is Rejection.NOT_FOUND
    assert refused(revise(world, world.submit())) is Rejection.ILLEGAL
    world.cancel(job)
    assert refused(revise(world, job)) is Rejection.ILLEGAL


def test_who_follows_the_feed_knows_of_new_versions(world: World) -> None:
    followed = state_of(world)
    job = server(world)
    attempts = run_all(world, job)
    written(revise(world, job))
    written(see(world, attempts[0], Event.GONE))
    for change in world.storage.views.changes_after(0, limit=1_000):
        followed.apply(change)
    assert followed.digest() == state_of(world).digest()
    assert followed.jobs[job.id].revision == 2
