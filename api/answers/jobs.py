"""Jobs as the API shows them."""

from collections.abc import Sequence

from api.answers.reasons import reason_answers
from api.answers.replicas import replica_count_answer
from api.answers.specs import share_answer, spec_answer
from api.answers.waiting.standings import grounds_answer
from api.schemas.arrays.answers import ArrayAnswer, ArrayMemberAnswer
from api.schemas.job import (
    MOST_ATTEMPTS,
    AttemptAnswer,
    CheckpointAnswer,
    EvictionAnswer,
    HeartbeatStateAnswer,
    JobAnswer,
    JobRowAnswer,
    ProgressAnswer,
    ResumeAnswer,
    StopAnswer,
    WorkerAnswer,
)
from api.schemas.serving.answers import ReplicaCountAnswer
from api.schemas.waiting.starts import StartAnswer
from api.text.placements import placement_text
from api.text.resuming import resume_text
from api.text.stops import eviction_text, stop_text
from scheduler.core.model.attempt import Allocation, Attempt, Checkpoint, Heartbeat, Progress, WorkerPhase, WorkerRecord
from scheduler.core.model.group import FINAL, HOLDING
from scheduler.core.model.identifiers import TenantName, group_index, job_named_by
from scheduler.core.model.job import ArrayMember, JobKind
from scheduler.core.model.reason import PlacementNote, Reason
from scheduler.core.model.sharing.eviction import Eviction
from scheduler.ports.views import ArrayView, JobRow, JobView


def job_answer(
    view: JobView,
    reasons: Sequence[Reason],
    you: TenantName | None,
    *,
    keeps_checkpoints: bool | None = None,
    starts: StartAnswer | None = None,
) -> JobAnswer:
    """Return a job; `reasons` say why it waits or was refused, `you` is the reader's tenant.

    `keeps_checkpoints`: whether its cluster has a place for them, None where that is not known.
    """
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
        attempts=tuple(_attempt(attempt) for attempt in _latest(view)),
        progress=None if view.progress is None else progress_answer(view.progress),
        resume=None if view.state in FINAL else resume_answer(view, keeps_checkpoints),
        not_before=min(due, default=None),
        retries_used=max((min(group.failures, job.spec.retries) for group in view.groups), default=0),
        replicas=replica_count_answer(view),
        array=_membership(job.spec.array),
        starts=starts,
    )


def _membership(member: ArrayMember | None) -> ArrayMemberAnswer | None:
    if member is None:
        return None
    return ArrayMemberAnswer(
        id=member.array,
        name=member.name,
        index=member.index,
        count=member.count,
        most_at_once=member.most_at_once,
    )


def array_answer(view: ArrayView) -> ArrayAnswer:
    """Return an array."""
    return ArrayAnswer(
        id=view.member.array,
        tenant=view.tenant,
        name=view.member.name,
        count=view.member.count,
        most_at_once=view.member.most_at_once,
        submitted_by=view.submitted_by,
        submitted_at=view.submitted_at,
        states=dict(view.states),
    )


def job_row_answer(row: JobRow, starts: StartAnswer | None = None) -> JobRowAnswer:
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
        mix=dict(row.mix) or None,
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        finished_at=row.finished_at,
        attempts=row.attempts,
        stop_reason=row.stop_reason,
        progress=None if row.progress is None else progress_answer(row.progress),
        replicas=ReplicaCountAnswer(wanted=row.replicas, ready=row.ready) if row.kind is JobKind.INFERENCE else None,
        array=row.array,
        starts=starts,
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


def _latest(view: JobView) -> list[Attempt]:
    """Return the attempts that are shown, oldest first: of several replicas those that began last."""
    by_age = sorted(view.attempts, key=lambda attempt: attempt.placed_at) if len(view.groups) > 1 else view.attempts
    return list(by_age[-MOST_ATTEMPTS:])


def _stop(view: JobView) -> StopAnswer | None:
    for group in view.groups:
        if group.stop_reason is not None:
            return StopAnswer(reason=group.stop_reason, text=stop_text(group.stop_reason), detail=view.refusal)
    return None


def eviction_answer(eviction: Eviction) -> EvictionAnswer:
    """Return for whom an attempt was stopped."""
    return EvictionAnswer(
        job=job_named_by(eviction.beneficiary),
        tenant=eviction.tenant,
        cause=eviction.cause,
        priority=eviction.priority,
        own_priority=eviction.own_priority,
        devices_milli=eviction.devices_milli,
        unsaved_s=eviction.unsaved_s,
        text=eviction_text(eviction),
    )


def _attempt(attempt: Attempt) -> AttemptAnswer:
    records = {record.rank: record for record in attempt.workers}
    notes = {note.rank: note for note in attempt.notes}
    return AttemptAnswer(
        id=attempt.id,
        number=attempt.number,
        replica=group_index(attempt.group_id),
        generation=attempt.generation,
        state=attempt.state,
        stop_reason=attempt.stop_reason,
        placed_at=attempt.placed_at,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        heartbeat=_heartbeat(attempt.heartbeat),
        checkpoint=_checkpoint(attempt.checkpoint),
        eviction=None if attempt.eviction is None else eviction_answer(attempt.eviction),
        stop_by=attempt.stop_by,
        grounds=None if attempt.grounds is None else grounds_answer(attempt.grounds),
        workers=tuple(
            worker_answer(allocation, records.get(allocation.worker), notes.get(allocation.rank))
            for allocation in attempt.allocations
        ),
        is_resizing=attempt.state in HOLDING and attempt.resizing.is_under_way(attempt.generation),
    )


def resume_answer(view: JobView, keeps_checkpoints: bool | None) -> ResumeAnswer:  # noqa: FBT001 - None is an answer
    """Return where a retry would go on."""
    saved = [(attempt.number, attempt.checkpoint) for attempt in view.attempts if attempt.checkpoint is not None]
    number, checkpoint = saved[-1] if saved else (0, None)
    return ResumeAnswer(
        is_possible=keeps_checkpoints,
        step=None if checkpoint is None else checkpoint.step,
        text=resume_text(view.job.spec, checkpoint, number, keeps_checkpoints=keeps_checkpoints),
    )


def _heartbeat(heartbeat: Heartbeat | None) -> HeartbeatStateAnswer | None:
    if heartbeat is None:
        return None
    return HeartbeatStateAnswer(
        at=heartbeat.at, memory_mib=heartbeat.memory_mib, device_memory_mib=heartbeat.device_memory_mib
    )


def _checkpoint(checkpoint: Checkpoint | None) -> CheckpointAnswer | None:
    return None if checkpoint is None else CheckpointAnswer(step=checkpoint.step, at=checkpoint.at)


def worker_answer(allocation: Allocation, record: WorkerRecord | None, note: PlacementNote | None) -> WorkerAnswer:
    """Return one rank; a worker that was not seen yet is pending."""
    seen = record or WorkerRecord(allocation.worker, WorkerPhase.PENDING)
    return WorkerAnswer(
        rank=allocation.rank,
        number=allocation.worker,
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
