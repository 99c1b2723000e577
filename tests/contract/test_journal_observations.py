"""What was seen of attempts: how groups move, what is kept of their workers, and what is given back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import WorkerEnd, WorkerPhase, WorkerRecord, WorkerRemark
from scheduler.core.model.change import GroupMoved, WorkersNoted
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import Job
from scheduler.ports.journal import MOST_REMARKS, NoteWorkers, Rejection, Unchanged
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


def test_what_a_cluster_says_is_kept_as_far_as_both_databases_can(world: World) -> None:
    attempt = world.place(world.submit())
    said = "cut \0 and \ud800 " + "x" * 2_000
    lost = WorkerRecord(0, WorkerPhase.LOST, end=WorkerEnd.DISRUPTED, detail=said)
    world.see(attempt, Event.STOP, lost, reason=StopReason.DISRUPTED, detail=said)
    view = view_of(world, world.storage.views.snapshot().jobs[0])
    (worker,) = view.attempts[0].workers
    assert worker.detail == ("cut \ufffd and ? " + "x" * 2_000)[:500]
    assert view.refusal == ("cut \ufffd and ? " + "x" * 2_000)[:1_000]
    change = world.storage.views.changes_after(world.storage.views.last_change() - 1, limit=1)[0]
    assert change.body == GroupMoved(view.groups[0], attempt, (worker,), detail=view.refusal)


def noting(world: World, attempt: str, *texts: str, epoch: int | None = None) -> NoteWorkers:
    remarks = tuple(WorkerRemark(0, text, NOON) for text in texts)
    return NoteWorkers(attempt, remarks, world.epoch if epoch is None else epoch, after_noon(210))


@pytest.mark.parametrize("is_over", [False, True])
def test_remarks_come_into_the_feed_and_move_nothing(world: World, *, is_over: bool) -> None:
    job = world.submit()
    attempt = world.place(job)
    if is_over:
        world.see(attempt, Event.ALL_SUCCEEDED)
    before = view_of(world, job)
    outcome = written(world.write(noting(world, attempt, "Pulling \0", "y" * 2_000)))
    assert outcome.state is before.state
    assert view_of(world, job) == before
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=9)
    assert (change.tenant, change.job, change.at) == (job.tenant, job.id, after_noon(210))
    want = (WorkerRemark(0, "Pulling \ufffd", NOON), WorkerRemark(0, "y" * 500, NOON))
    assert change.body == WorkersNoted(attempt, want)


def test_an_attempt_has_room_for_so_many_remarks_and_the_next_one_again(world: World) -> None:
    job = world.submit(world.make_job(retries=1))
    attempt = world.place(job)
    written(world.write(noting(world, attempt, *["x"] * (MOST_REMARKS - 1))))
    last = written(world.write(noting(world, attempt, "last", "one too many")))
    (change,) = world.storage.views.changes_after(last.change - 1, limit=9)
    assert change.body == WorkersNoted(attempt, (WorkerRemark(0, "last", NOON),))
    assert isinstance(world.write(noting(world, attempt, "dropped")), Unchanged)
    world.end(attempt)
    written(world.write(noting(world, world.place(job, take("n1", 1)), "again")))


def test_remarks_of_one_batch_share_the_room(world: World) -> None:
    attempt = world.place(world.submit())
    items = [noting(world, attempt, *["x"] * 60), noting(world, attempt, *["y"] * 60)]
    for outcome in world.storage.journal.write(items):
        written(outcome)
    bodies = [change.body for change in world.storage.views.changes_after(0, limit=99)]
    assert sum(len(body.remarks) for body in bodies if isinstance(body, WorkersNoted)) == MOST_REMARKS


def test_remarks_about_the_unknown_or_of_an_old_leader_are_refused(world: World) -> None:
    attempt = world.place(world.submit())
    assert refused(world.write(noting(world, "nobody-g0-a1", "x"))) is Rejection.NOT_FOUND
    assert refused(world.write(noting(world, attempt, "x", epoch=world.epoch - 1))) is Rejection.STALE_EPOCH
