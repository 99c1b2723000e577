from dataclasses import replace

from scheduler.core.deciding.backfilling.ends import ExpectedEnd, expected_end, expected_run_s
from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.model.attempt import FIRST_GENERATION
from scheduler.core.model.group import State
from scheduler.core.model.job import Job, JobKind
from scheduler.core.model.waiting.promise import Basis
from scheduler.core.queueing.run_times import RunTimes
from tests.builders.core import NOON, make_group, make_job, seconds_after_noon


def job(limit_s: int | None = None, *, kind: JobKind = JobKind.TRAINING) -> Job:
    made = make_job()
    return replace(made, spec=replace(made.spec, time_limit_s=limit_s, grace_s=10, kind=kind))


def learnt(*runs_s: float) -> RunTimes:
    times = RunTimes()
    for run_s in runs_s:
        times.note(job(), run_s)
    return times


def end(
    of: Job, at_s: float, times: RunTimes | None = None, state: State = State.RUNNING
) -> tuple[float, Basis] | None:
    """Return when something ends that is in its state since noon, in seconds after noon, as seen at a time."""
    live = LiveAttempt("a", make_group(of, state), of, FIRST_GENERATION, (), NOON)
    found: ExpectedEnd | None = expected_end(live, NOON, times or learnt(), seconds_after_noon(at_s))
    return None if found is None else ((found.at - NOON).total_seconds(), found.basis)


def test_a_limit_ends_it_at_the_latest_with_its_grace() -> None:
    assert end(job(600), 100) == (610, Basis.LIMIT)
    assert end(job(600), 100, learnt(900.0)) == (610, Basis.LIMIT)


def test_what_such_jobs_did_says_more_than_a_limit_that_is_longer() -> None:
    assert end(job(6_000), 100, learnt(300.0)) == (300, Basis.LEARNT)
    assert end(job(), 100, learnt(300.0)) == (300, Basis.LEARNT)


def test_one_that_runs_longer_than_all_like_it_may_end_at_any_moment() -> None:
    assert end(job(), 400, learnt(300.0)) == (400, Basis.LEARNT)
    assert end(job(600), 900) == (900, Basis.LIMIT)


def test_of_what_nothing_is_known_it_is_taken_to_run_as_long_again() -> None:
    assert end(job(), 2_000) == (4_000, Basis.GUESSED)
    assert end(job(), 1) == (601, Basis.GUESSED)


def test_what_is_not_ready_yet_has_all_of_its_time_before_it() -> None:
    assert end(job(600), 100, state=State.STARTING) == (710, Basis.LIMIT)


def test_what_is_being_stopped_ends_within_its_grace_and_a_server_never_does() -> None:
    assert end(job(600), 4, state=State.STOPPING) == (10, Basis.LIMIT)
    assert end(job(kind=JobKind.INFERENCE), 4) is None
    assert end(job(kind=JobKind.INFERENCE), 4, state=State.STOPPING) == (10, Basis.LIMIT)


def test_how_long_a_job_runs_is_known_by_its_limit_by_others_or_not_at_all() -> None:
    assert expected_run_s(job(600), learnt()) == (610, Basis.LIMIT)
    assert expected_run_s(job(600), learnt(60.0)) == (60, Basis.LEARNT)
    assert expected_run_s(job(), learnt()) is None
