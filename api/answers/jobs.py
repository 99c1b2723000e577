"""Jobs as the API shows them."""

from collections.abc import Sequence

from api.answers.reasons import reason_answers
from api.answers.specs import share_answer, spec_answer
from api.schemas.job import (
    MOST_ATTEMPTS,
    AttemptAnswer,
    JobAnswer,
    JobRowAnswer,
    ProgressAnswer,
    StopAnswer,
    WorkerAnswer,
)
from api.text.placements import placement_text
from api.text.stops import stop_text
from scheduler.core.model.attempt import Allocation, Attempt, Progress, WorkerPhase, WorkerRecord
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.reason import PlacementNote, Reason
from scheduler.ports.views import JobRow, JobView


def job_answer(view: JobView, reasons: Sequence[Reason], you: TenantName | None) -> JobAnswer:
    """Return a job; `reasons` say why it waits or was refused, `you` is the reader's tenant."""
    job = view.job
    due = [group.not_before for group in view.groups if group.not_before is not None]
    return JobAnswer(
        id=job.id,
        tenant=job.tenant,
        name=job.spec.name,
        kind=job.spec.kind,
        state=view.state,
        wish=job.wish,
        submitted_by=job.submitted_by,
        submitted_at=job.submitted_at,
        finished_at=view.finished_at,
        spec=spec_answer(job.spec),
        reasons=reason_answers(reasons, you),
        stop=_stop(view),
        attempts=tuple(_attempt(attempt) for attempt in view.attempts[-MOST_ATTEMPTS:]),
        progress=None if view.progress is None else progress_answer(view.progress),
        not_before=min(due, default=None),
        retries_used=max((min(group.failures, job.spec.retries) for group in view.groups), default=0),
    )


def job_row_answer(row: JobRow) -> JobRowAnswer:
    """Return a job in short."""
    return JobRowAnswer(
        id=row.id,
        tenant=row.tenant,
        name=row.name,
        kind=row.kind,
        state=row.state,
        priority=row.priority,
        workers=row.workers,
        devices=row.devices,
        chips=row.chips,
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        finished_at=row.finished_at,
        attempts=row.attempts,
        stop_reason=row.stop_reason,
        progress=None if row.progress is None else progress_answer(row.progress),
    )


def progress_answer(progress: Progress) -> ProgressAnswer:
    """Return one report of a training."""
    return ProgressAnswer(
        step=progress.step,
        steps=progress.steps,
        loss=progress.loss,
        tokens_per_s=progress.tokens_per_s,
        at=progress.at,
    )


def _stop(view: JobView) -> StopAnswer | None:
    for group in view.groups:
        if group.stop_reason is not None:
            return StopAnswer(reason=group.stop_reason, text=stop_text(group.stop_reason), detail=view.refusal)
    return None


def _attempt(attempt: Attempt) -> AttemptAnswer:
    records = {record.rank: record for record in attempt.workers}
    notes = {note.rank: note for note in attempt.notes}
    return AttemptAnswer(
        id=attempt.id,
        number=attempt.number,
        generation=attempt.generation,
        state=attempt.state,
        stop_reason=attempt.stop_reason,
        placed_at=attempt.placed_at,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        workers=tuple(
            worker_answer(allocation, records.get(allocation.rank), notes.get(allocation.rank))
            for allocation in attempt.allocations
        ),
    )


def worker_answer(allocation: Allocation, record: WorkerRecord | None, note: PlacementNote | None) -> WorkerAnswer:
    """Return one rank; a worker that was not seen yet is pending."""
    seen = record or WorkerRecord(allocation.rank, WorkerPhase.PENDING)
    return WorkerAnswer(
        rank=allocation.rank,
        role=allocation.role,
        node=allocation.node,
        chip=allocation.chip,
        devices=allocation.slots,
        devices_counted=allocation.counted,
        share=share_answer(allocation.share_milli, allocation.share_memory_mib),
        cpu_milli=allocation.cpu_milli,
        memory_mib=allocation.memory_mib,
        phase=seen.phase,
        exit_code=seen.exit_code,
        end=seen.end,
        detail=seen.detail,
        started_at=seen.started_at,
        ended_at=seen.ended_at,
        why="" if note is None else placement_text(note),
    )
