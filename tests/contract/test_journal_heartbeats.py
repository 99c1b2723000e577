"""Heartbeats: one row each, written over; the feed hears of what is new."""

import math
from typing import Any

import pytest

from scheduler.core.model.attempt import Attempt, Checkpoint, Heartbeat, Progress
from scheduler.core.model.change import CheckpointSaved, ProgressReported
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import Job
from scheduler.core.reconciling.life_signs import LifeSign
from scheduler.ports.journal import Outcome, Rejection, Unchanged
from scheduler.ports.workers.reports import Beat
from scheduler.services.follow_changes import state_of
from tests.builders.database import World, after_noon, refused, take, written


def beat(world: World, attempt: str, seconds: float = 200.0, *, generation: int = 1, **said: Any) -> Outcome:
    return world.write(Beat(attempt, generation, after_noon(seconds), **said))


def shown(world: World, job: Job) -> Attempt:
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    return view.attempts[-1]


def test_the_latest_heartbeat_is_shown_and_each_one_counts_and_none_is_in_the_feed(world: World) -> None:
    job = world.submit()
    attempt = world.place(job)
    assert (shown(world, job).heartbeat, world.storage.views.life_signs()) == (None, [])
    before = world.storage.views.last_change()
    assert beat(world, attempt, 200, reports=2, memory_mib=300) == Unchanged(job.id, State.PLACED)
    beat(world, attempt, 210, reports=5, memory_mib=400, device_memory_mib=9)
    beat(world, attempt, 205, reports=3)

    assert shown(world, job).heartbeat == Heartbeat(after_noon(205), None, None)
    assert world.storage.views.life_signs() == [LifeSign(attempt, 1, beats=3, reports=5)]
    assert world.storage.views.last_change() == before


def test_a_batch_of_heartbeats_counts_each(world: World) -> None:
    first, second = world.place(world.submit()), world.place(world.submit(), take("n1", 1))
    items = [Beat(attempt, 1, after_noon(200)) for attempt in (first, second, first)]
    world.storage.journal.write(items)

    assert sorted((sign.attempt, sign.beats) for sign in world.storage.views.life_signs()) == [(first, 2), (second, 1)]


def test_a_checkpoint_is_kept_told_and_known_to_who_decides(world: World) -> None:
    job = world.submit()
    attempt = world.place(job)
    followed = state_of(world.storage.views.snapshot())
    before = world.storage.views.last_change()
    outcome = written(beat(world, attempt, 200, checkpoint_step=40))
    (change,) = world.storage.views.changes_after(before, limit=9)

    saved = Checkpoint(40, after_noon(200))
    assert change.body == CheckpointSaved(attempt, saved)
    assert (change.number, change.job, change.tenant) == (outcome.change, job.id, job.tenant)
    assert shown(world, job).checkpoint == saved
    followed.apply(change)
    anew = state_of(world.storage.views.snapshot())
    assert anew.live[attempt].checkpoint == followed.live[attempt].checkpoint == saved
    assert anew.digest() == followed.digest()


def test_a_checkpoint_told_again_or_too_soon_or_behind_the_last_one_adds_nothing(world: World) -> None:
    job = world.submit()
    attempt = world.place(job)
    told = [(40, 200.0, True), (40, 300.0, False), (30, 310.0, False), (50, 200.5, False), (50, 201.5, True)]
    outcomes = [beat(world, attempt, at, checkpoint_step=step) for step, at, _ in told]

    assert [not isinstance(outcome, Unchanged) for outcome in outcomes] == [is_new for *_, is_new in told]
    assert shown(world, job).checkpoint == Checkpoint(50, after_noon(201.5))


def test_a_later_heartbeat_without_a_checkpoint_forgets_none(world: World) -> None:
    job = world.submit()
    attempt = world.place(job)
    beat(world, attempt, 200, checkpoint_step=40)
    beat(world, attempt, 210)

    assert shown(world, job).checkpoint == Checkpoint(40, after_noon(200))


def test_progress_in_a_heartbeat_is_kept_as_any_report_is(world: World) -> None:
    job = world.submit()
    attempt = world.place(job)
    told = [Progress(step, 60, loss, 5.0, after_noon(200 + step)) for step, loss in ((1, 2.5), (2, None))]
    outcomes = [written(beat(world, attempt, 200 + each.step, progress=each)) for each in told]
    close = Progress(3, 60, 1.0, 5.0, after_noon(202.1))
    assert isinstance(beat(world, attempt, 202.1, progress=close), Unchanged)

    assert world.storage.views.progress(attempt, limit=9) == told
    (change,) = world.storage.views.changes_after(outcomes[-1].change - 1, limit=9)
    assert change.body == ProgressReported(attempt, told[-1])


def test_a_loss_that_is_no_number_is_refused_and_the_heartbeat_counts(world: World) -> None:
    attempt = world.place(world.submit())
    progress = Progress(1, 60, math.nan, 5.0, after_noon(200))

    assert refused(beat(world, attempt, progress=progress)) is Rejection.ILLEGAL
    assert [sign.beats for sign in world.storage.views.life_signs()] == [1]


def test_an_old_attempt_keeps_fewer_reports_so_that_the_feed_stays_short(world: World) -> None:
    attempt = world.place(world.submit())
    day_s = 86_400.0
    for seconds in (day_s, day_s + 29, day_s + 31):
        progress = Progress(int(seconds), 10**9, 1.0, 5.0, after_noon(seconds))
        beat(world, attempt, seconds, progress=progress)

    assert [report.step for report in world.storage.views.progress(attempt, limit=9)] == [day_s, day_s + 31]


def test_only_the_present_attempt_and_generation_is_heard(world: World) -> None:
    job = world.submit()
    over = world.place(job)
    beat(world, over)
    world.end(over, StopReason.PREEMPTED)
    present = world.place(job)
    outcomes = [beat(world, over), beat(world, present, generation=2), beat(world, f"{job.id}-g0-a9")]

    assert [refused(outcome) for outcome in outcomes] == [
        Rejection.STALE_ATTEMPT,
        Rejection.STALE_ATTEMPT,
        Rejection.NOT_FOUND,
    ]
    assert world.storage.views.life_signs() == []


@pytest.mark.parametrize("reason", [StopReason.SILENT, StopReason.STALLED])
def test_an_attempt_that_was_given_up_is_tried_again_at_the_cost_of_a_retry(world: World, reason: StopReason) -> None:
    job = world.submit(world.make_job(retries=1))
    world.end(world.place(job), reason)

    assert (world.group(job).state, world.group(job).failures) == (State.QUEUED, 1)
    assert shown(world, job).stop_reason is reason
