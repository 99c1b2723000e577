"""Replicas of a server as the API shows them."""

from collections.abc import Mapping, Sequence

from api.answers.reasons import reason_answers
from api.schemas.serving.answers import ReplicaAnswer, ReplicaCountAnswer, ReplicaListAnswer
from scheduler.core.model.attempt import Attempt, WorkerPhase
from scheduler.core.model.group import HOLDING, Group, State, StopReason
from scheduler.core.model.identifiers import GroupId, TenantName
from scheduler.core.model.reason import Reason
from scheduler.ports.views import JobView


def listed_replicas(view: JobView) -> list[Group]:
    """Return a server's replicas; those that were scaled down and are gone are left out."""
    return [
        group
        for group in view.groups
        if not (group.state is State.CANCELLED and group.stop_reason is StopReason.SCALED_DOWN)
    ]


def replica_list_answer(
    view: JobView,
    groups: Sequence[Group],
    following: str | None,
    reasons: Mapping[GroupId, Sequence[Reason]],
    you: TenantName | None,
) -> ReplicaListAnswer:
    """Return a page of a server's replicas, and the cursor of the next one.

    `reasons` say why each one waits, `you` is the reader's tenant.
    """
    latest = {attempt.group_id: attempt for attempt in view.attempts}
    return ReplicaListAnswer(
        wanted=view.job.replicas,
        ready=view.ready,
        version=view.job.revision,
        items=tuple(_replica(group, latest.get(group.id), reasons.get(group.id, ()), you) for group in groups),
        next=following,
    )


def replica_count_answer(view: JobView) -> ReplicaCountAnswer | None:
    """Return a server's replicas in short, None for a training."""
    if not view.job.spec.serves:
        return None
    return ReplicaCountAnswer(wanted=view.job.replicas, ready=view.ready)


def _replica(group: Group, attempt: Attempt | None, reasons: Sequence[Reason], you: TenantName | None) -> ReplicaAnswer:
    present = attempt if attempt is not None and group.state in HOLDING else None
    is_ready = group.state is State.RUNNING
    return ReplicaAnswer(
        replica=group.index,
        state=group.state,
        is_ready=is_ready,
        address=None if present is None else _address(present),
        nodes=() if present is None else tuple(dict.fromkeys(rank.node for rank in present.allocations)),
        attempt=None if attempt is None else attempt.id,
        version=None if attempt is None else attempt.revision,
        attempts=group.attempts,
        failures=group.failures,
        stop_reason=group.stop_reason,
        not_before=group.not_before,
        placed_at=None if present is None else present.placed_at,
        ready_since=present.started_at if present is not None and is_ready else None,
        reasons=reason_answers(reasons, you),
    )


def _address(attempt: Attempt) -> str | None:
    live = (WorkerPhase.UNREADY, WorkerPhase.RUNNING)
    return next((one.address for one in attempt.workers if one.rank == 0 and one.phase in live), None)
