"""Wanted workers against seen workers."""

from dataclasses import replace

import pytest

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import SeenWorker, WorkerEnd, WorkerPhase, WorkerRecord
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import WorkerKey
from scheduler.core.reconciling.actions import Forget, Report, Start, Stop, WantedAttempt
from scheduler.core.reconciling.reconcile import STRAY_GRACE_S, Comparison, reconcile

ATTEMPT = "job1-g0-a1"
RUNNING = WorkerPhase.RUNNING


def wanted(state: State, ranks: int = 2, generation: int = 1, stop_reason: StopReason | None = None) -> WantedAttempt:
    return WantedAttempt(ATTEMPT, generation, state, ranks, grace_s=7, stop_reason=stop_reason)


def running(rank: int, attempt: str = ATTEMPT, generation: int = 1) -> SeenWorker:
    return SeenWorker(WorkerKey(attempt, rank), generation, WorkerRecord(rank, RUNNING))


def ended(rank: int, code: int = 0, end: WorkerEnd = WorkerEnd.EXITED, attempt: str = ATTEMPT) -> SeenWorker:
    record = WorkerRecord(rank, WorkerPhase.EXITED, exit_code=code, end=end)
    return SeenWorker(WorkerKey(attempt, rank), 1, record)


def pending(rank: int) -> SeenWorker:
    return SeenWorker(WorkerKey(ATTEMPT, rank), 1, WorkerRecord(rank, WorkerPhase.PENDING))


def with_end(rank: int, phase: WorkerPhase, end: WorkerEnd, detail: str | None = None) -> SeenWorker:
    record = WorkerRecord(rank, phase, end=end, detail=detail)
    return SeenWorker(WorkerKey(ATTEMPT, rank), 1, record)


def report(action: object) -> tuple[Event, StopReason | None]:
    assert isinstance(action, Report)
    return action.event, action.reason


def test_a_placed_attempt_without_workers_is_started() -> None:
    assert reconcile([wanted(State.PLACED)], []) == (Start(ATTEMPT),)


def test_a_start_that_a_crash_cut_short_is_completed() -> None:
    assert reconcile([wanted(State.PLACED)], [running(0)]) == (Start(ATTEMPT),)


def test_a_start_cut_short_is_not_completed_once_one_of_its_workers_failed() -> None:
    (action,) = reconcile([wanted(State.PLACED)], [ended(0, code=3)])
    assert report(action) == (Event.STOP, StopReason.WORKER_FAILED)


def test_workers_that_all_run_make_the_attempt_ready() -> None:
    (action,) = reconcile([wanted(State.PLACED)], [running(0), running(1)])
    assert report(action) == (Event.ALL_READY, None)


def test_workers_that_all_exist_but_do_not_all_run_are_reported_as_created_once() -> None:
    (action,) = reconcile([wanted(State.PLACED)], [running(0), pending(1)])
    assert report(action) == (Event.WORKERS_CREATED, None)
    assert reconcile([wanted(State.STARTING)], [running(0), pending(1)]) == ()


def test_a_running_attempt_whose_workers_run_needs_nothing() -> None:
    assert reconcile([wanted(State.RUNNING)], [running(0), running(1)]) == ()


def test_a_worker_that_ended_well_waits_for_the_others() -> None:
    assert reconcile([wanted(State.RUNNING)], [ended(0), running(1)]) == ()


def test_an_attempt_succeeds_when_every_worker_ended_with_zero() -> None:
    for state in (State.PLACED, State.STARTING, State.RUNNING):
        (action,) = reconcile([wanted(state)], [ended(0), ended(1)])
        assert report(action) == (Event.ALL_SUCCEEDED, None)


def test_one_failed_worker_stops_its_gang() -> None:
    (action,) = reconcile([wanted(State.RUNNING)], [ended(0, code=1), running(1)])
    assert report(action) == (Event.STOP, StopReason.WORKER_FAILED)


def test_the_strongest_reason_of_several_ends_is_reported() -> None:
    seen = [ended(0, code=1), ended(1, code=-9, end=WorkerEnd.TIME_LIMIT)]
    (action,) = reconcile([wanted(State.RUNNING)], seen)
    assert report(action) == (Event.STOP, StopReason.TIME_LIMIT)


def test_a_worker_over_its_memory_is_reported_as_out_of_memory() -> None:
    (action,) = reconcile([wanted(State.RUNNING)], [ended(0, code=-9, end=WorkerEnd.MEMORY_LIMIT), running(1)])
    assert report(action) == (Event.STOP, StopReason.OUT_OF_MEMORY)


def test_a_vanished_worker_of_a_started_attempt_is_lost_and_never_started_again() -> None:
    for state in (State.STARTING, State.RUNNING):
        (action,) = reconcile([wanted(state)], [running(0)])
        assert report(action) == (Event.STOP, StopReason.LOST)
        assert isinstance(action, Report)
        assert action.workers[1] == WorkerRecord(1, WorkerPhase.LOST, end=WorkerEnd.LOST)


def test_workers_of_another_generation_do_not_count() -> None:
    assert reconcile([wanted(State.PLACED, generation=2)], [running(0), running(1)]) == (Start(ATTEMPT),)


def test_a_stopping_attempt_is_asked_to_stop_while_anything_lives() -> None:
    assert reconcile([wanted(State.STOPPING)], [running(0), ended(1)]) == (Stop(ATTEMPT, 7),)


def test_a_stopping_attempt_is_gone_once_nothing_lives() -> None:
    seen = [ended(0, code=-15, end=WorkerEnd.STOPPED), ended(1, code=1)]
    stop, gone = reconcile([wanted(State.STOPPING)], seen)
    assert stop == Stop(ATTEMPT, 7)
    assert report(gone) == (Event.GONE, None)
    assert isinstance(gone, Report)
    assert [worker.exit_code for worker in gone.workers] == [-15, 1]


def test_an_attempt_stopped_before_its_start_is_barred_from_starting_and_gone() -> None:
    stop, gone = reconcile([wanted(State.STOPPING)], [])
    assert stop == Stop(ATTEMPT, 7)
    assert gone == Report(ATTEMPT, 1, Event.GONE, None, workers=()), "what never was is not lost"


def test_a_stray_worker_is_stopped_and_an_ended_one_forgotten() -> None:
    assert reconcile([], [running(0, attempt="old-g0-a1")]) == (Stop("old-g0-a1", STRAY_GRACE_S),)
    assert reconcile([], [ended(0, attempt="old-g0-a1")]) == (Forget("old-g0-a1"),)


def test_an_attempt_is_not_forgotten_while_one_of_its_workers_lives() -> None:
    seen = [ended(0, attempt="old-g0-a1"), running(1, attempt="old-g0-a1")]
    assert reconcile([], seen) == (Stop("old-g0-a1", STRAY_GRACE_S),)


def test_the_order_of_what_is_seen_changes_nothing() -> None:
    seen = [running(0, attempt="b-g0-a1"), ended(0, code=2), running(1), running(0, attempt="a-g0-a1")]
    want = reconcile([wanted(State.RUNNING)], seen)
    assert reconcile([wanted(State.RUNNING)], list(reversed(seen))) == want


@pytest.mark.parametrize(
    ("end", "want_reason"),
    [
        (WorkerEnd.REJECTED, StopReason.NODE_REJECTED),
        (WorkerEnd.DISRUPTED, StopReason.DISRUPTED),
        (WorkerEnd.UNSTARTABLE, StopReason.UNSTARTABLE),
        (WorkerEnd.LOST, StopReason.LOST),
        (WorkerEnd.STOPPED, StopReason.LOST),
    ],
)
def test_a_worker_that_will_never_run_stops_its_gang(end: WorkerEnd, want_reason: StopReason) -> None:
    for state in (State.PLACED, State.STARTING, State.RUNNING):
        (action,) = reconcile([wanted(state)], [running(0), with_end(1, WorkerPhase.PENDING, end)])
        assert report(action) == (Event.STOP, want_reason)


def test_a_worker_that_will_never_run_is_there_until_it_is_seen_to_be_gone() -> None:
    doomed = with_end(0, WorkerPhase.PENDING, WorkerEnd.UNSTARTABLE)
    attempt = wanted(State.STOPPING, ranks=1, stop_reason=StopReason.UNSTARTABLE)
    assert reconcile([attempt], [doomed]) == (Stop(ATTEMPT, 7),)


def test_what_the_cluster_did_excuses_what_the_program_did() -> None:
    disrupted = with_end(1, WorkerPhase.EXITED, WorkerEnd.DISRUPTED)
    (action,) = reconcile([wanted(State.RUNNING)], [ended(0, code=1), disrupted])
    assert report(action) == (Event.STOP, StopReason.DISRUPTED)


def test_a_report_says_what_the_cluster_said_of_the_worker_that_gave_the_reason() -> None:
    seen = [
        with_end(0, WorkerPhase.EXITED, WorkerEnd.MEMORY_LIMIT, "OOMKilled"),
        with_end(1, WorkerPhase.PENDING, WorkerEnd.UNSTARTABLE),
        with_end(2, WorkerPhase.PENDING, WorkerEnd.UNSTARTABLE, "ErrImagePull: no such image"),
    ]
    (action,) = reconcile([wanted(State.STARTING, ranks=3)], seen)
    assert isinstance(action, Report)
    assert action.detail == "worker 2: ErrImagePull: no such image"


@pytest.mark.parametrize("phase", [WorkerPhase.EXITED, WorkerPhase.LOST])
def test_a_stop_for_the_program_is_excused_by_a_node_that_proves_to_be_the_cause(phase: WorkerPhase) -> None:
    attempt = wanted(State.STOPPING, stop_reason=StopReason.WORKER_FAILED)
    seen = [ended(0, code=1), with_end(1, phase, WorkerEnd.DISRUPTED, "the node is gone")]
    stop, excused = reconcile([attempt], seen)
    assert stop == Stop(ATTEMPT, 7)
    assert report(excused) == (Event.STOP, StopReason.DISRUPTED)
    assert isinstance(excused, Report)
    assert excused.detail == "worker 1: the node is gone"
    _, gone = reconcile([wanted(State.STOPPING, stop_reason=StopReason.DISRUPTED)], seen)
    assert report(gone) == (Event.GONE, None)


def test_a_stop_is_excused_while_another_worker_still_lives() -> None:
    attempt = wanted(State.STOPPING, stop_reason=StopReason.OUT_OF_MEMORY)
    _, excused = reconcile([attempt], [running(0), with_end(1, WorkerPhase.EXITED, WorkerEnd.REJECTED)])
    assert report(excused) == (Event.STOP, StopReason.NODE_REJECTED)


@pytest.mark.parametrize("reason", [StopReason.WORKER_FAILED, StopReason.CANCELLED, StopReason.DISRUPTED])
def test_neither_our_own_stop_nor_a_worker_merely_unseen_excuses_anything(reason: StopReason) -> None:
    attempt = wanted(State.STOPPING, ranks=3, stop_reason=reason)
    _, gone = reconcile([attempt], [ended(0, code=1), ended(1, code=-15, end=WorkerEnd.STOPPED)])
    assert report(gone) == (Event.GONE, None)


@pytest.mark.parametrize("reason", [StopReason.CANCELLED, StopReason.TIME_LIMIT])
def test_a_wish_is_never_turned_into_a_failure(reason: StopReason) -> None:
    attempt = wanted(State.STOPPING, stop_reason=reason)
    (_, gone) = reconcile([attempt], [ended(0, code=1), with_end(1, WorkerPhase.LOST, WorkerEnd.LOST)])
    assert report(gone) == (Event.GONE, None)


def server(state: State) -> WantedAttempt:
    return replace(wanted(state), serves=True)


def unready(rank: int) -> SeenWorker:
    return SeenWorker(WorkerKey(ATTEMPT, rank), 1, WorkerRecord(rank, WorkerPhase.UNREADY))


def test_a_server_is_running_once_all_its_workers_are_ready() -> None:
    (created,) = reconcile([server(State.PLACED)], [unready(0), running(1)])
    assert report(created) == (Event.WORKERS_CREATED, None)
    assert reconcile([server(State.STARTING)], [unready(0), running(1)]) == ()
    (ready,) = reconcile([server(State.STARTING)], [running(0), running(1)])
    assert report(ready) == (Event.ALL_READY, None)


def test_a_server_that_stops_being_ready_is_told_of() -> None:
    (action,) = reconcile([server(State.RUNNING)], [unready(0), running(1)])
    assert report(action) == (Event.NOT_READY, None)


@pytest.mark.parametrize("state", [State.PLACED, State.STARTING, State.RUNNING])
def test_a_server_of_which_a_worker_ends_well_is_stopped_all_the_same(state: State) -> None:
    (action,) = reconcile([server(state)], [ended(0), running(1)])
    assert report(action) == (Event.STOP, StopReason.SERVER_ENDED)


def test_a_server_is_stopped_until_none_of_its_workers_lives() -> None:
    stopping = replace(server(State.STOPPING), stop_reason=StopReason.SCALED_DOWN)
    assert reconcile([stopping], [unready(0), ended(1)]) == (Stop(ATTEMPT, 7),)


def test_a_comparison_that_goes_on_says_what_one_that_begins_says() -> None:
    placed, runs, stops = wanted(State.PLACED), wanted(State.RUNNING), wanted(State.STOPPING)
    both = [running(0), running(1)]
    comparison = Comparison()
    for known, seen in (
        (placed, []),
        (placed, both),
        (runs, both),
        (runs, both),
        (runs, [running(0), ended(1)]),
        (runs, [running(0), ended(1)]),
        (runs, [running(0)]),
        (stops, both),
        (None, both),
        (None, [ended(0), ended(1)]),
        (runs, both),
    ):
        asked = [] if known is None else [known]
        assert comparison.actions(asked, seen) == reconcile(asked, seen)


def test_what_is_to_be_done_is_said_again_until_it_is_done() -> None:
    comparison, placed = Comparison(), wanted(State.PLACED)
    assert comparison.actions([placed], []) == comparison.actions([placed], []) == (Start(ATTEMPT),)
