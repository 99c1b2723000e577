"""Cancelling, and what trainings say about themselves."""

import math
from dataclasses import replace

import pytest

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import Progress, WorkerPhase, WorkerRecord
from scheduler.core.model.change import GroupMoved, ProgressReported, StopWished
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import Wish
from scheduler.ports.journal import Rejection, SubmitJob, Unchanged, WishStop, Write, Written
from scheduler.ports.workers.reports import RegisterRendezvous, ReportProgress
from tests.builders.database import MANY_JOBS, NOON, World, after_noon, refused, take, written


def test_cancelling_a_queued_job_ends_it_now(world: World) -> None:
    job = world.submit()
    outcome = written(world.cancel(job, by="bob"))
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    assert (view.state, view.job.wish, view.finished_at) == (State.CANCELLED, Wish.STOP, after_noon(300))
    wished, moved = world.storage.views.changes_after(outcome.change - 2, limit=9)
    assert wished.body == StopWished(job.id, "bob")
    assert moved.body == GroupMoved(view.groups[0], None)


def test_cancelling_a_live_job_stops_it_and_its_devices_stay_held_until_it_is_gone(world: World) -> None:
    job = world.submit()
    attempt = world.place(job)
    assert written(world.cancel(job)).state is State.STOPPING
    assert world.storage.views.attempt_is_open(attempt, 1)
    assert world.see(attempt, Event.GONE).state is State.CANCELLED
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    assert (view.state, view.attempts[0].state) == (State.CANCELLED, State.CANCELLED)


def test_cancelling_tells_what_is_known_of_the_workers(world: World) -> None:
    job = world.submit()
    attempt = world.place(job)
    running = WorkerRecord(0, WorkerPhase.RUNNING, started_at=NOON)
    world.see(attempt, Event.ALL_READY, running)
    outcome = written(world.cancel(job))
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=9)
    assert change.body == GroupMoved(world.group(job), attempt, workers=(running,))


def test_cancelling_wins_over_a_failure_that_would_be_retried(world: World) -> None:
    job = world.submit(world.make_job(retries=3))
    attempt = world.place(job)
    world.see(attempt, Event.STOP, reason=StopReason.WORKER_FAILED)
    world.cancel(job)
    assert world.see(attempt, Event.GONE).state is State.CANCELLED


def test_cancelling_twice_or_after_the_end_changes_nothing(world: World) -> None:
    stopping, ended = world.submit(), world.submit()
    world.place(stopping)
    world.see(world.place(ended, take("n1", 1)), Event.ALL_SUCCEEDED)
    world.cancel(stopping)
    assert world.cancel(stopping) == Unchanged(stopping.id, State.STOPPING)
    assert world.cancel(ended) == Unchanged(ended.id, State.SUCCEEDED)


def test_another_tenants_job_is_not_found(world: World) -> None:
    job = world.submit()
    items = [
        WishStop(job.id, "beta", "eve", NOON),
        WishStop("000000099abcdefg", None, "eve", NOON),
        WishStop(job.id, None, "root", NOON),
    ]
    foreign, unknown, any_tenant = world.storage.journal.write(items)
    assert [refused(foreign), refused(unknown)] == [Rejection.NOT_FOUND] * 2
    assert written(any_tenant).state is State.CANCELLED


def test_a_job_may_be_submitted_and_cancelled_in_one_batch(world: World) -> None:
    job = world.make_job()
    items: list[Write] = [SubmitJob(job, None, MANY_JOBS), WishStop(job.id, None, "ann", NOON)]
    first, second = (written(outcome) for outcome in world.storage.journal.write(items))
    assert (first.state, second.state) == (State.QUEUED, State.CANCELLED)
    assert second.change == first.change + 2


def test_the_latest_address_of_rank_0_is_what_the_others_get(world: World) -> None:
    attempt = world.place(world.submit())
    assert world.storage.views.rendezvous(attempt, 1) is None
    before = world.storage.views.last_change()
    for address in ("10.0.0.1:1", "10.0.0.1:2"):
        outcome = written(world.write(RegisterRendezvous(attempt, 1, address, NOON)))
        assert outcome.change == world.storage.views.last_change() == before, "it adds no change"
        assert world.storage.views.rendezvous(attempt, 1) == address
    assert world.storage.views.rendezvous(attempt, 2) is None


def test_progress_is_kept_told_and_shown(world: World) -> None:
    job = world.submit()
    attempt = world.place(job)
    outcomes = [written(world.report(attempt, step, loss=1 / step)) for step in (1, 2, 3)]
    reports = world.storage.views.progress(attempt, limit=2)
    assert [(report.step, report.loss) for report in reports] == [(2, 1 / 2), (3, 1 / 3)]
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    assert view.progress == reports[-1]
    (change,) = world.storage.views.changes_after(outcomes[-1].change - 1, limit=9)
    assert change.body == ProgressReported(attempt, reports[-1])


def test_a_report_sent_again_changes_nothing(world: World) -> None:
    job = world.submit()
    attempt = world.place(job)
    written(world.report(attempt, 1))
    assert world.report(attempt, 1) == Unchanged(job.id, State.PLACED)
    again = replace(step_report(attempt, 1), progress=Progress(1, 10_000, 0.25, 10.0, after_noon(202)))
    written(world.write(again))
    assert [report.loss for report in world.storage.views.progress(attempt, limit=9)] == [0.25]


def test_a_report_close_to_the_latest_is_dropped_unless_it_tells_of_the_end(world: World) -> None:
    job = world.submit()
    attempt = world.place(job)
    other = world.place(world.submit(), take("n1", 1))
    dropped = Unchanged(job.id, State.PLACED)
    want_kept = [
        (1, 0.0, True),
        (2, 0.199, False),
        (3, 0.2, True),
        (2, 0.39, False),  # a smaller step is no way around
        (3, 0.39, False),
        (4, 0.6, True),
        (100, 0.61, True),
        (100, 0.62, False),  # nor is the last step, said over and over
        (5, 0.7, False),
        (6, -3_600.0, True),  # a clock that was set back
    ]
    before = world.storage.views.last_change()
    one_by_one = [world.write(report_after(attempt, step, seconds)) for step, seconds, _ in want_kept]
    assert [outcome != dropped for outcome in one_by_one] == [is_kept for *_, is_kept in want_kept]
    at_once = world.storage.journal.write([report_after(other, step, seconds) for step, seconds, _ in want_kept])
    assert [isinstance(outcome, Written) for outcome in at_once] == [is_kept for *_, is_kept in want_kept]
    assert world.storage.views.last_change() == before + 2 * sum(is_kept for *_, is_kept in want_kept)
    assert [report.step for report in world.storage.views.progress(attempt, limit=99)] == [1, 3, 4, 6, 100]


def report_after(attempt: str, step: int, seconds: float) -> ReportProgress:
    return ReportProgress(attempt, 1, Progress(step, 100, 1.0, 10.0, after_noon(seconds)))


def test_of_one_attempt_the_latest_thousand_reports_are_kept(world: World) -> None:
    attempt = world.place(world.submit())
    other = world.place(world.submit(), take("n1", 1))
    world.report(other, 1)
    for first in (1, 701):
        reports = [step_report(attempt, step) for step in range(first, first + 700)]
        world.storage.journal.write(reports)
    kept = world.storage.views.progress(attempt, limit=5_000)
    assert [report.step for report in kept] == list(range(401, 1_401))
    assert len(world.storage.views.progress(other, limit=9)) == 1


def step_report(attempt: str, step: int) -> ReportProgress:
    return ReportProgress(attempt, 1, Progress(step, 2_000, 1.0, 10.0, after_noon(step)))


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_refused(world: World, loss: float) -> None:
    attempt = world.place(world.submit())
    assert refused(world.report(attempt, 1, loss=loss)) is Rejection.ILLEGAL
    assert world.storage.views.progress(attempt, limit=9) == []


def test_only_the_present_attempt_and_generation_is_listened_to(world: World) -> None:
    job = world.submit()
    over = world.place(job)
    world.end(over, StopReason.PREEMPTED)
    present = world.place(job)
    items: list[Write] = [
        RegisterRendezvous(over, 1, "a:1", NOON),
        step_report(over, 1),
        RegisterRendezvous(present, 2, "a:1", NOON),
        RegisterRendezvous(f"{job.id}-g0-a9", 1, "a:1", NOON),
        step_report("nothing", 1),
        step_report(present, 1),
    ]
    *refusals, fine = world.storage.journal.write(items)
    assert [refused(outcome) for outcome in refusals] == [
        Rejection.STALE_ATTEMPT,
        Rejection.STALE_ATTEMPT,
        Rejection.STALE_ATTEMPT,
        Rejection.NOT_FOUND,
        Rejection.NOT_FOUND,
    ]
    written(fine)


def test_a_stopping_attempt_may_still_report(world: World) -> None:
    job = world.submit()
    attempt = world.place(job)
    world.cancel(job)
    written(world.report(attempt, 7))
