"""Entries of the change feed as events, and who may see them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, assert_never

from api.answers.jobs import eviction_answer, worker_answer
from api.answers.reasons import reason_answers
from api.answers.specs import spec_answer
from api.schemas.service import EventAnswer
from api.text.changes import change_text
from api.text.stops import given_text, stop_text
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.change import (
    KIND_OF,
    Change,
    ChangeBody,
    CheckpointSaved,
    ChipDefined,
    ChipGroupRemoved,
    ChipGroupSet,
    ClusterSeen,
    GroupMoved,
    GroupPlaced,
    GroupResized,
    JobRevised,
    JobSubmitted,
    NodeSeen,
    PriorityChanged,
    ProfilesChanged,
    ProgressReported,
    QueueQuotaLifted,
    QueueQuotaSet,
    QueueRemoved,
    QueueSet,
    ReplicasWished,
    ReservationDropped,
    ReservationMade,
    ResizeAdvanced,
    SpeedsChanged,
    StopWished,
    TenantCreated,
    WorkersNoted,
    WorkersWished,
)
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import TenantName, job_named_by
from scheduler.core.model.measuring.layers import LayerSpeed
from scheduler.core.model.reason import PlacementNote
from scheduler.core.model.sharing.eviction import Eviction, GivenTo
from scheduler.core.model.tenant import Principal

OF_NO_TENANT = ClusterSeen | NodeSeen | ChipDefined | ChipGroupSet | ChipGroupRemoved
_TOLD_OF_A_JOB = {"name", "kind", "workers", "chips", "devices_per_worker", "share", "alternatives", "roles"}
_TOLD_OF_A_WORKER = {"rank", "role", "node", "chip", "devices", "devices_counted", "share", "why"}


def is_visible(change: Change, reader: Principal) -> bool:
    """Say whether a change exists for the reader.

    Cluster-wide roles see everything, others what is their tenant's and what concerns clusters, nodes and chip types.
    """
    if reader.role.is_cluster_wide or isinstance(change.body, OF_NO_TENANT):
        return True
    return reader.tenant is not None and _tenant_of(change) == reader.tenant


def event_answer(change: Change, you: TenantName | None) -> EventAnswer:
    """Return the event of a change; `you` is the reader's tenant."""
    return EventAnswer(
        number=change.number,
        at=change.at,
        tenant=_tenant_of(change),
        job=change.job,
        kind=KIND_OF[type(change.body)],
        state=_state(change.body),
        text=change_text(change.body, you),
        data=_data(change.body, you),
    )


def _tenant_of(change: Change) -> TenantName | None:
    match change.body:
        case TenantCreated(tenant):
            return tenant
        case QueueSet(queue):
            return queue.tenant
    return change.tenant


def _state(body: ChangeBody) -> State | None:
    match body:
        case JobSubmitted():
            return State.QUEUED
        case GroupPlaced(group, together=together) | GroupMoved(group, together=together):
            return group.state if together is None else together.state
        case GroupResized(group):
            return group.state
    return None


def _data(body: ChangeBody, you: TenantName | None) -> dict[str, Any]:  # noqa: C901, PLR0911, PLR0912 - one shape per kind
    match body:
        case JobSubmitted(job):
            return spec_answer(job.spec).model_dump(mode="json", include=_TOLD_OF_A_JOB)
        case StopWished(by=by):
            return {"by": by}
        case ReplicasWished(replicas=replicas, by=by):
            return {"by": by, "replicas": replicas}
        case JobRevised(revision=revision, by=by):
            return {"by": by, "version": revision}
        case PriorityChanged(priority=priority, by=by):
            return {"priority": priority, "by": by}
        case WorkersWished(workers=workers, by=by):
            return {"workers": workers, "by": by}
        case GroupPlaced():
            return _placed(body)
        case GroupResized():
            return _resized(body)
        case ResizeAdvanced(attempt, generation, step):
            return {"attempt": attempt, "generation": generation, "step": step}
        case GroupMoved():
            return _moved(body, you)
        case WorkersNoted(attempt, remarks):
            return {"attempt": attempt, "remarks": [{"rank": one.rank, "text": one.text} for one in remarks]}
        case ProgressReported(attempt, progress):
            figures = {"loss": progress.loss, "tokens_per_s": progress.tokens_per_s}
            return {"attempt": attempt, "step": progress.step, "steps": progress.steps, **figures}
        case CheckpointSaved(attempt, checkpoint):
            return {"attempt": attempt, "step": checkpoint.step}
        case ClusterSeen(cluster):
            return {"cluster": cluster.name, "kind": cluster.kind}
        case NodeSeen(node):
            devices = [{"chip": group.chip, "count": group.count} for group in node.devices]
            return {"cluster": node.cluster, "name": node.name, "state": node.state, "devices": devices}
        case TenantCreated(tenant):
            return {"tenant": tenant}
        case QueueSet(queue):
            return asdict(queue)
        case QueueRemoved(name):
            return {"queue": name}
        case QueueQuotaSet(quota):
            return asdict(quota)
        case QueueQuotaLifted(queue_name, resource):
            return {"queue": queue_name, "resource": resource}
        case ChipGroupSet(chips):
            return {"group": chips.name, "chips": list(chips.chips)}
        case ChipGroupRemoved(resource):
            return {"group": resource}
        case ChipDefined(chip_type):
            return {"chip": chip_type.name, "vendor": chip_type.vendor, "model": chip_type.model}
        case SpeedsChanged(speeds):
            return {"speeds": [{"family": one.family.name, "chip": one.chip, "per_s": one.per_s} for one in speeds]}
        case ProfilesChanged(profiles):
            return {"profiles": [_layer_speed(one) for one in profiles]}
        case ReservationMade(promise):
            bases = sorted({end.basis for end in promise.awaited})
            return {"begins": promise.begins.isoformat(), "nodes": list(promise.nodes), "bases": bases}
        case ReservationDropped(why=why):
            return {"why": why}
    assert_never(body)


def _layer_speed(one: LayerSpeed) -> dict[str, Any]:
    key, times = one.key, one.times
    return {
        "family": one.family.name,
        "chip": key.chip,
        "tensor_parallel": key.tensor_parallel,
        "micro_batch": key.micro_batch,
        "layer_forward_s": None if times is None else times.layer_forward_s,
        "layer_backward_s": None if times is None else times.layer_backward_s,
    }


def _placed(placed: GroupPlaced) -> dict[str, Any]:
    return {
        "attempt": placed.attempt,
        "number": placed.group.attempts,
        "workers": _workers(placed.allocations, {note.rank: note for note in placed.notes}),
        **({} if placed.stop_by is None else {"stop_by": placed.stop_by.isoformat()}),
        **_replica(placed),
    }


def _resized(resized: GroupResized) -> dict[str, Any]:
    notes = {note.rank: note for note in resized.notes}
    return {
        "attempt": resized.attempt,
        "number": resized.group.attempts,
        "generation": resized.generation,
        "cause": resized.cause,
        "workers": _workers(resized.allocations, notes),
        **_given(resized.given_to),
    }


def _given(given: GivenTo | None) -> dict[str, Any]:
    if given is None:
        return {}
    job = job_named_by(given.beneficiary)
    return {"given_to": {**asdict(given), "beneficiary": job, "text": given_text(given)}}


def _workers(allocations: Sequence[Allocation], notes: Mapping[int, PlacementNote]) -> list[dict[str, Any]]:
    return [
        worker_answer(allocation, None, notes.get(allocation.rank)).model_dump(mode="json", include=_TOLD_OF_A_WORKER)
        for allocation in allocations
    ]


def _moved(moved: GroupMoved, you: TenantName | None) -> dict[str, Any]:
    reason = moved.group.stop_reason
    return {
        "attempt": moved.attempt,
        "stop": None if reason is None else {"reason": reason, "text": stop_text(reason), "detail": moved.detail},
        "reasons": [answer.model_dump(mode="json") for answer in reason_answers(moved.reasons, you)],
        "workers": [
            {
                "rank": seen.rank,
                "phase": seen.phase,
                "exit_code": seen.exit_code,
                "end": seen.end,
                "detail": seen.detail,
            }
            for seen in moved.workers
        ],
        **_evicted(moved.eviction),
        **_replica(moved),
    }


def _evicted(eviction: Eviction | None) -> dict[str, Any]:
    return {} if eviction is None else {"eviction": eviction_answer(eviction).model_dump(mode="json")}


def _replica(change: GroupPlaced | GroupMoved) -> dict[str, Any]:
    """Return which of several replicas it was, what that one is, and how many are ready."""
    if change.together is None:
        return {}
    return {"replica": change.group.index, "replica_state": change.group.state, "ready": change.together.ready}
