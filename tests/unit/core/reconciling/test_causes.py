"""Why gangs end, as their workers' records say it."""

import pytest

from scheduler.core.model.attempt import WorkerEnd, WorkerPhase, WorkerRecord
from scheduler.core.model.group import StopReason
from scheduler.core.reconciling.causes import are_done, complete, strongest

RUNS = WorkerRecord(0, WorkerPhase.RUNNING)
DONE = WorkerRecord(0, WorkerPhase.EXITED, exit_code=0, end=WorkerEnd.EXITED)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (RUNS, None),
        (DONE, None),
        (WorkerRecord(0, WorkerPhase.EXITED, exit_code=0, end=WorkerEnd.STOPPED), StopReason.WORKER_FAILED),
        (WorkerRecord(0, WorkerPhase.EXITED, exit_code=3, end=WorkerEnd.EXITED), StopReason.WORKER_FAILED),
        (WorkerRecord(0, WorkerPhase.EXITED, end=WorkerEnd.MEMORY_LIMIT), StopReason.OUT_OF_MEMORY),
        (WorkerRecord(0, WorkerPhase.LOST), StopReason.LOST),
        (WorkerRecord(0, WorkerPhase.PENDING, end=WorkerEnd.UNSTARTABLE), StopReason.UNSTARTABLE),
    ],
)
def test_a_record_gives_a_reason_or_none(record: WorkerRecord, reason: StopReason | None) -> None:
    cause = strongest([record])
    assert (None if cause is None else cause[0]) == reason


def test_of_several_causes_the_strongest_counts_and_the_first_of_which_something_was_said() -> None:
    failed = WorkerRecord(0, WorkerPhase.EXITED, exit_code=1, end=WorkerEnd.EXITED, detail="it fell")
    silent = WorkerRecord(1, WorkerPhase.LOST, end=WorkerEnd.DISRUPTED)
    told = WorkerRecord(2, WorkerPhase.LOST, end=WorkerEnd.DISRUPTED, detail="evicted")
    assert strongest([failed, silent, told]) == (StopReason.DISRUPTED, "worker 2: evicted")
    assert strongest([failed, told], among={StopReason.WORKER_FAILED}) == (
        StopReason.WORKER_FAILED,
        "worker 0: it fell",
    )


def test_who_is_seen_by_nobody_is_lost() -> None:
    assert complete([0, 5], {0: RUNS}) == (RUNS, WorkerRecord(5, WorkerPhase.LOST, end=WorkerEnd.LOST))


def test_work_is_done_where_all_ended_well() -> None:
    assert are_done([DONE])
    assert not are_done([DONE, RUNS])
