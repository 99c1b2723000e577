"""Gangs on their way to another size."""

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import ResizeStep, SeenWorker, WorkerEnd, WorkerPhase, WorkerRecord
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import WorkerKey
from scheduler.core.reconciling.actions import Advance, Dismiss, Report, Start, Stop, WantedAttempt, WantedResize
from scheduler.core.reconciling.reconcile import reconcile

ATTEMPT = "job1-g0-a1"
GROWS = WantedResize((0, 1, 4, 5), newcomers=(4, 5), surplus=(), is_called=False, has_met=False)
SHRINKS = WantedResize((0, 1), newcomers=(), surplus=(2, 3), is_called=True, has_met=False)
HAS_SHRUNK = WantedResize((0, 1), newcomers=(), surplus=(2, 3), is_called=True, has_met=True)


def wanted(resize: WantedResize, state: State = State.RUNNING) -> WantedAttempt:
    return WantedAttempt(ATTEMPT, 2, state, len(resize.workers), grace_s=7, resize=resize)


def seen(number: int, record: WorkerRecord) -> SeenWorker:
    return SeenWorker(WorkerKey(ATTEMPT, number), 1, record)


def runs(*numbers: int) -> list[SeenWorker]:
    return [seen(number, WorkerRecord(number, WorkerPhase.RUNNING)) for number in numbers]


def ended(*numbers: int, code: int = 0) -> list[SeenWorker]:
    records = (WorkerRecord(each, WorkerPhase.EXITED, exit_code=code, end=WorkerEnd.EXITED) for each in numbers)
    return [seen(record.rank, record) for record in records]


def test_who_comes_is_started_first() -> None:
    assert reconcile([wanted(GROWS)], runs(0, 1)) == (Start(ATTEMPT),)
    assert reconcile([wanted(GROWS)], runs(0, 1, 4)) == (Start(ATTEMPT),)


def test_all_are_called_once_who_comes_runs() -> None:
    pending = seen(5, WorkerRecord(5, WorkerPhase.PENDING))
    assert reconcile([wanted(GROWS)], [*runs(0, 1, 4), pending]) == ()
    (called,) = reconcile([wanted(GROWS)], runs(0, 1, 4, 5))
    assert isinstance(called, Advance)
    assert (called.step, called.generation) == (ResizeStep.CALLED, 2)
    assert [record.rank for record in called.workers] == [4, 5]


def test_who_is_too_many_is_waited_for_and_ended_once_the_others_have_met() -> None:
    assert reconcile([wanted(SHRINKS)], runs(0, 1, 2, 3)) == ()
    assert reconcile([wanted(HAS_SHRUNK)], [*runs(0, 1, 3), *ended(2, code=7)]) == (Dismiss(ATTEMPT, (3,), 7),)


def test_what_they_held_is_given_back_when_they_are_gone() -> None:
    for resize in (SHRINKS, HAS_SHRUNK):
        (freed,) = reconcile([wanted(resize)], [*runs(0, 1), *ended(2, 3, code=7)])
        assert isinstance(freed, Advance)
        assert (freed.step, [record.exit_code for record in freed.workers]) == (ResizeStep.FREED, [7, 7])


def test_who_was_too_many_once_is_of_no_interest_any_more() -> None:
    after = WantedResize((0, 1), newcomers=(), surplus=(), is_called=True, has_met=True)
    assert reconcile([wanted(after)], [*runs(0, 1), *ended(2, 3, code=7)]) == ()


def test_a_gang_that_comes_apart_on_the_way_is_not_charged() -> None:
    (stop,) = reconcile([wanted(SHRINKS)], [*runs(0, 2, 3), *ended(1, code=1)])
    assert isinstance(stop, Report)
    assert (stop.event, stop.reason) == (Event.STOP, StopReason.RESIZE_FAILED)
    assert stop.detail == "it came apart on its way to 2 workers, generation 2"


def test_a_program_that_fails_before_anybody_was_called_has_failed_by_itself() -> None:
    (stop,) = reconcile([wanted(GROWS)], [*runs(0, 4, 5), *ended(1, code=1)])
    assert isinstance(stop, Report)
    assert stop.reason is StopReason.WORKER_FAILED


def test_what_the_cluster_did_is_told_as_it_is() -> None:
    lost = seen(4, WorkerRecord(4, WorkerPhase.LOST, end=WorkerEnd.DISRUPTED, detail="evicted"))
    (stop,) = reconcile([wanted(GROWS)], [*runs(0, 1, 5), lost])
    assert isinstance(stop, Report)
    assert (stop.reason, stop.detail) == (StopReason.DISRUPTED, "worker 4: evicted")


def test_work_that_is_done_without_those_who_come_is_done_once_they_are_gone() -> None:
    assert reconcile([wanted(GROWS)], [*ended(0, 1), *runs(4)]) == (Stop(ATTEMPT, 7),)
    stop, done = reconcile([wanted(GROWS)], [*ended(0, 1), *ended(4, code=-15)])
    assert stop == Stop(ATTEMPT, 7)
    assert isinstance(done, Report)
    assert (done.event, done.is_after_stop) == (Event.ALL_SUCCEEDED, True)
    assert [record.rank for record in done.workers] == [0, 1]


def test_a_stopped_gang_is_gone_when_nobody_of_any_generation_lives() -> None:
    stopping = wanted(SHRINKS, State.STOPPING)
    assert reconcile([stopping], [*ended(0, 1), *runs(3)]) == (Stop(ATTEMPT, 7),)
    stop, gone = reconcile([stopping], [*ended(0, 1, 2, 3)])
    assert stop == Stop(ATTEMPT, 7)
    assert isinstance(gone, Report)
    assert gone.event is Event.GONE
