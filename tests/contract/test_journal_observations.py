"""What was seen of attempts: how groups move, what is kept of their workers, and what is given back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import WorkerEnd, WorkerPhase, WorkerRecord
from scheduler.core.model.change import GroupMoved
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import Job
from scheduler.ports.journal import Rejection, Unchanged
from scheduler.ports.views import JobView
from tests.builders.database import NOON, World, after_noon, refused, take, written

RUNNING = tuple(WorkerRecord(rank, WorkerPhase.RUNNING, started_at=NOON) for rank in range(2))
EXITED = tuple(
    WorkerRecord(rank, WorkerPhase.EXITED, NOON, after_noon(9), exit_code=0, end=WorkerEnd.EXITED) for rank in range(2)
)


def gang(world: World, *, retries: int = 0) -> Job:
    """Return a placed job of two workers."""
    job = world.submit(world.make_job(workers=2, retries=retries))
    world.place(job, take("n1", 0, 1), take("n1", 2, rank=1))
    return job


def view_of(world: World, job: Job) -> JobView:
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    return view


def is_all_free(world: World) -> bool:
    nodes = world.storage.views.nodes(cluster=None, chip=None, after=None, limit=9)
    return not world.storage.views.tenant_use(None) and not any(
        view.holdings or view.cpu_milli_held or view.memory_mib_held for view in nodes
    )


def test_a_job_runs_and_succeeds_and_gives_back_what_it_held(world: World) -> None:
    job = gang(world)
    attempt = world.group(job).latest_attempt
    assert world.see(attempt, Event.WORKERS_CREATED).state is State.STARTING
    assert world.see(attempt, Event.ALL_READY, *RUNNING, at=after_noon(210)).state is State.RUNNING
    assert not is_all_free(world)
    outcome = world.see(attempt, Event.ALL_SUCCEEDED, *EXITED, at=after_noon(220))
    assert outcome.state is State.SUCCEEDED
    view = view_of(world, job)
    (ended,) = view.attempts
    assert (view.state, view.finished_at) == (State.SUCCEEDED, after_noon(220))
    assert (ended.state, ended.started_at, ended.ended_at) == (State.SUCCEEDED, after_noon(210), after_noon(220))
    assert ended.workers == EXITED
    assert len(ended.allocations) == 2, "what it held is remembered"
    assert is_all_free(world)
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=9)
    assert change.body == GroupMoved(view.groups[0], attempt, workers=EXITED)


def test_the_feed_tells_all_that_is_known_of_the_workers_not_only_the_news(world: World) -> None:
    job = gang(world)
    attempt = world.group(job).latest_attempt
    world.see(attempt, Event.ALL_READY, *RUNNING)
    outcome = world.see(attempt, Event.STOP, EXITED[1], reason=StopReason.LOST)
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=9)
    assert isinstance(change.body, GroupMoved)
    assert change.body.workers == (RUNNING[0], EXITED[1])
    assert view_of(world, job).attempts[0].workers == change.body.workers


def test_devices_stay_held_until_the_workers_are_proven_gone(world: World) -> None:
    job = gang(world)
    attempt = world.group(job).latest_attempt
    world.see(attempt, Event.STOP, reason=StopReason.WORKER_FAILED)
    assert not is_all_free(world)
    assert world.storage.views.attempt_is_open(attempt, 1)
    world.see(attempt, Event.GONE)
    assert is_all_free(world)
    assert not world.storage.views.attempt_is_open(attempt, 1)


def test_a_failed_attempt_with_a_retry_left_leads_back_to_the_queue_and_to_a_second_one(world: World) -> None:
    job = gang(world, retries=1)
    first = world.group(job).latest_attempt
    world.end(first, StopReason.WORKER_FAILED)
    group = world.group(job)
    assert (group.state, group.failures, group.attempts) == (State.QUEUED, 1, 1)
    assert group.not_before == after_noon(200) + timedelta(seconds=1)
    world.place(job, take("n2", 0), take("n2", 1, rank=1))
    second = world.group(job).latest_attempt
    world.end(second, StopReason.WORKER_FAILED)
    view = view_of(world, job)
    assert [(attempt.id, attempt.state) for attempt in view.attempts] == [
        (first, State.FAILED),
        (second, State.FAILED),
    ]
    assert (view.state, view.finished_at) == (State.FAILED, after_noon(200))
    assert is_all_free(world)


def test_preemption_costs_no_retry(world: World) -> None:
    job = gang(world)
    world.end(world.group(job).latest_attempt, StopReason.PREEMPTED)
    group = world.group(job)
    assert (group.state, group.failures, group.not_before) == (State.QUEUED, 0, None)
    assert view_of(world, job).finished_at is None


def test_a_stop_reason_is_only_strengthened(world: World) -> None:
    job = gang(world)
    attempt = world.group(job).latest_attempt
    world.see(attempt, Event.STOP, reason=StopReason.LOST)
    weaker = world.write(world.seeing(attempt, Event.STOP, reason=StopReason.PREEMPTED))
    assert weaker == Unchanged(job.id, State.STOPPING)
    world.see(attempt, Event.STOP, reason=StopReason.TIME_LIMIT)
    (live,) = view_of(world, job).attempts
    assert live.stop_reason is StopReason.TIME_LIMIT
    world.see(attempt, Event.GONE)
    assert view_of(world, job).state is State.FAILED


def test_late_and_repeated_news_change_nothing_and_add_nothing_to_the_feed(world: World) -> None:
    job = gang(world)
    attempt = world.group(job).latest_attempt
    world.see(attempt, Event.ALL_READY)
    before = world.storage.views.last_change()
    for event in (Event.WORKERS_CREATED, Event.ALL_READY):
        assert world.write(world.seeing(attempt, event, *RUNNING)) == Unchanged(job.id, State.RUNNING)
    world.see(attempt, Event.ALL_SUCCEEDED)
    late = [world.seeing(attempt, Event.GONE), world.seeing(attempt, Event.STOP, reason=StopReason.CANCELLED)]
    assert world.storage.journal.write(late) == [Unchanged(job.id, State.SUCCEEDED)] * 2
    assert world.storage.views.last_change() == before + 1


def test_a_stop_of_an_attempt_that_is_over_does_not_reach_its_queued_group(world: World) -> None:
    job = gang(world)
    attempt = world.group(job).latest_attempt
    world.end(attempt, StopReason.PREEMPTED)
    late = world.seeing(attempt, Event.STOP, reason=StopReason.CANCELLED)
    assert world.write(late) == Unchanged(job.id, State.QUEUED)


def test_what_the_table_forbids_is_refused(world: World) -> None:
    job = gang(world)
    outcome = world.write(world.seeing(world.group(job).latest_attempt, Event.GONE))
    assert refused(outcome) is Rejection.ILLEGAL
    assert world.group(job).state is State.PLACED


def test_news_of_an_older_attempt_or_generation_are_stale_and_of_none_not_found(world: World) -> None:
    job = gang(world)
    first = world.group(job).latest_attempt
    world.end(first, StopReason.PREEMPTED)
    world.place(job, take("n2", 0), take("n2", 1, rank=1))
    second = world.group(job).latest_attempt
    items = [
        world.seeing(first, Event.ALL_READY),
        world.seeing(second, Event.ALL_READY, generation=2),
        world.seeing(f"{job.id}-g0-a9", Event.ALL_READY),
        world.seeing("nothing", Event.ALL_READY),
    ]
    assert [refused(outcome) for outcome in world.storage.journal.write(items)] == [
        Rejection.STALE_ATTEMPT,
        Rejection.STALE_ATTEMPT,
        Rejection.NOT_FOUND,
        Rejection.NOT_FOUND,
    ]


def test_what_the_cluster_said_about_the_latest_stop_is_told(world: World) -> None:
    job = gang(world, retries=1)
    first = world.group(job).latest_attempt
    outcome = world.see(first, Event.STOP, reason=StopReason.START_REFUSED, detail="no space" + "!" * 2_000)
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=9)
    assert isinstance(change.body, GroupMoved)
    assert change.body.detail is not None
    assert len(change.body.detail) == 1_000
    world.see(first, Event.GONE)
    assert view_of(world, job).refusal == change.body.detail
    world.place(job, take("n1", 0), take("n1", 1, rank=1))
    world.end(world.group(job).latest_attempt, StopReason.LOST)
    assert view_of(world, job).refusal is None


def test_events_of_one_attempt_may_come_in_one_batch(world: World) -> None:
    job = gang(world)
    attempt = world.group(job).latest_attempt
    items = [
        world.seeing(attempt, Event.WORKERS_CREATED),
        world.seeing(attempt, Event.ALL_READY, *RUNNING, at=after_noon(201)),
        world.seeing(attempt, Event.STOP, EXITED[0], reason=StopReason.WORKER_FAILED, at=after_noon(202)),
        world.seeing(attempt, Event.GONE, *EXITED, at=after_noon(203)),
    ]
    outcomes = [written(outcome) for outcome in world.storage.journal.write(items)]
    assert [outcome.state for outcome in outcomes] == [State.STARTING, State.RUNNING, State.STOPPING, State.FAILED]
    (ended,) = view_of(world, job).attempts
    assert (ended.started_at, ended.ended_at, ended.workers) == (after_noon(201), after_noon(203), EXITED)
    assert (ended.state, ended.stop_reason) == (State.FAILED, StopReason.WORKER_FAILED)
    assert is_all_free(world)


def test_a_stop_without_a_reason_is_the_callers_error_and_hurts_nobody_else(world: World) -> None:
    job = gang(world)
    item = world.seeing(world.group(job).latest_attempt, Event.STOP)
    with pytest.raises(ValueError, match="reason"):
        world.write(item)
    assert world.write(replace(item, reason=StopReason.LOST)) is not None
    assert world.group(job).state is State.STOPPING
