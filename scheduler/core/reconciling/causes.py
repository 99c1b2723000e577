"""Why a gang is to end, as its workers' records say it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from scheduler.core.lifecycle.transitions import STRENGTH
from scheduler.core.model.attempt import WorkerEnd, WorkerPhase, WorkerRecord
from scheduler.core.model.group import StopReason

ALIVE = frozenset({WorkerPhase.PENDING, WorkerPhase.UNREADY, WorkerPhase.RUNNING})

_REASON_OF_END: Mapping[WorkerEnd, StopReason] = MappingProxyType(
    {
        WorkerEnd.TIME_LIMIT: StopReason.TIME_LIMIT,
        WorkerEnd.MEMORY_LIMIT: StopReason.OUT_OF_MEMORY,
        WorkerEnd.LOST: StopReason.LOST,
        WorkerEnd.REJECTED: StopReason.NODE_REJECTED,
        WorkerEnd.DISRUPTED: StopReason.DISRUPTED,
        WorkerEnd.UNSTARTABLE: StopReason.UNSTARTABLE,
    }
)

Cause = tuple[StopReason, str | None]
"""Why to stop a gang, and what the cluster said of the worker that is the reason."""


def complete(numbers: Iterable[int], seen: Mapping[int, WorkerRecord]) -> tuple[WorkerRecord, ...]:
    """Return one record per worker; one that nobody sees any more is lost."""
    lost = (WorkerRecord(number, WorkerPhase.LOST, end=WorkerEnd.LOST) for number in numbers)
    return tuple(seen.get(record.rank, record) for record in lost)


def strongest(records: Iterable[WorkerRecord], among: Collection[StopReason] = tuple(StopReason)) -> Cause | None:
    """Return the strongest reason that any of these workers gives to stop its gang, None where none gives any.

    Of several workers with that reason the first one counts of which the cluster said something.
    """
    causes = [
        (reason, f"worker {record.rank}: {record.detail}" if record.detail else None)
        for record in records
        if (reason := _failure(record)) in among and reason is not None
    ]
    return max(causes, key=lambda cause: (STRENGTH[cause[0]], cause[1] is not None), default=None)


def are_done(records: Sequence[WorkerRecord]) -> bool:
    """Say whether all of these workers ended well."""
    return all(record.phase is WorkerPhase.EXITED and _failure(record) is None for record in records)


def _failure(record: WorkerRecord) -> StopReason | None:
    if record.end is not None and record.end in _REASON_OF_END:
        return _REASON_OF_END[record.end]
    match record.phase:
        case WorkerPhase.LOST:
            return StopReason.LOST
        case WorkerPhase.PENDING:
            return None if record.end is None else StopReason.LOST
        case WorkerPhase.UNREADY | WorkerPhase.RUNNING:
            return None
        case WorkerPhase.EXITED:
            has_succeeded = record.exit_code == 0 and record.end is WorkerEnd.EXITED
            return None if has_succeeded else StopReason.WORKER_FAILED
