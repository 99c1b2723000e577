"""Entries of the change feed, in a sentence."""

from collections.abc import Sequence
from typing import assert_never

from api.text.reasons import reason_text
from api.text.resizing import advanced_text, resized_text
from api.text.sharing import sharing_text
from api.text.stops import eviction_text, stop_text
from api.text.waiting.promises import dropped_text, promise_text
from api.text.words import count, date_and_time, gang, listed
from scheduler.core.model.attempt import Progress, WorkerRemark
from scheduler.core.model.change import (
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
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.measuring.layers import LayerSpeed
from scheduler.core.model.measuring.throughput import Speed
from scheduler.core.model.node import Node
from scheduler.core.model.sharing.eviction import Eviction

MOST_REMARKS = 3
"""So many different remarks are shown in one line."""
LONGEST_REMARK = 200


def change_text(body: ChangeBody, you: TenantName | None) -> str:  # noqa: C901, PLR0911, PLR0912 - one sentence per kind
    """Return what happened; `you` is the reader's tenant."""
    match body:
        case JobSubmitted(job):
            return f"{job.spec.name} was submitted by {job.submitted_by}: {gang(job.spec)}"
        case StopWished(by=by):
            return f"{by} asked for it to stop"
        case ReplicasWished(replicas=replicas, by=by):
            return f"{by} asked for {count(replicas, 'replica')}"
        case JobRevised(revision=revision, by=by):
            return f"{by} gave it version {revision}; its replicas are replaced"
        case PriorityChanged(priority=priority, by=by):
            return f"{by} gave it the priority {priority}"
        case WorkersWished(workers=workers, by=by):
            return f"{by} asked for {count(workers, 'worker')} at most"
        case GroupPlaced():
            return _placed(body)
        case GroupResized():
            return resized_text(body)
        case ResizeAdvanced():
            return advanced_text(body)
        case GroupMoved():
            return _moved(body, you)
        case WorkersNoted(remarks=remarks):
            return _remarks(remarks)
        case ProgressReported(progress=progress):
            return _progress(progress)
        case CheckpointSaved(checkpoint=checkpoint):
            return f"step {checkpoint.step} is saved: a retry goes on from there"
        case ClusterSeen(cluster):
            return f"cluster {cluster.name} was registered"
        case NodeSeen(node):
            return _node(node)
        case TenantCreated(tenant):
            return f"tenant {tenant} was created"
        case QueueSet() | QueueRemoved() | QueueQuotaSet() | QueueQuotaLifted() | ChipGroupSet() | ChipGroupRemoved():
            return sharing_text(body)
        case ChipDefined(chip_type):
            return f"chip type {chip_type.name} was defined: {chip_type.vendor} {chip_type.model}"
        case SpeedsChanged(speeds):
            return listed([_speed(speed) for speed in speeds], "and")
        case ProfilesChanged(profiles):
            return listed([_layer_speed(one) for one in profiles], "and")
        case ReservationMade(promise):
            return promise_text(promise)
        case ReservationDropped(why=why):
            return dropped_text(why)
    assert_never(body)


def _speed(speed: Speed) -> str:
    if speed.per_s is None:
        return f"how fast family {speed.family.name} is on {speed.chip} is not known any more"
    how = "said to do" if speed.is_set else "measured to do"
    return f"family {speed.family.name} is {how} {speed.per_s:g} units a second on each {speed.chip}"


def _layer_speed(one: LayerSpeed) -> str:
    where = f"{one.key.tensor_parallel} {one.key.chip} with a micro-batch of {one.key.micro_batch}"
    if one.times is None:
        return f"how long a layer of family {one.family.name} takes on {where} is not known any more"
    forward_ms, backward_ms = 1e3 * one.times.layer_forward_s, 1e3 * one.times.layer_backward_s
    return f"a layer of family {one.family.name} takes {forward_ms:g} and {backward_ms:g} ms on {where}"


def _node(node: Node) -> str:
    devices = listed([f"{group.count} {group.chip}" for group in node.devices] or ["no devices"], "and")
    owner = "" if node.tenant is None else f", for tenant {node.tenant} only"
    foreign = sum(number for _, number in node.foreign.devices)
    used = f", {count(foreign, 'device')} used by others than Medley" if foreign else ""
    return f"node {node.id} is {node.state} with {devices}{owner}{used}" + (f": {node.note}" if node.note else "")


def _replica(change: GroupPlaced | GroupMoved) -> str:
    return "" if change.together is None else f"replica {change.group.index}: "


def _placed(placed: GroupPlaced) -> str:
    nodes = sorted({allocation.node for allocation in placed.allocations})
    workers = count(len(placed.allocations), "worker")
    text = f"{_replica(placed)}attempt {placed.group.attempts} was placed: {workers} on {listed(nodes, 'and')}"
    if placed.stop_by is None:
        return text
    return (
        f"{text}, where room is kept for others: it is stopped at {date_and_time(placed.stop_by)} if they need it then"
    )


def _moved(moved: GroupMoved, you: TenantName | None) -> str:
    text = _replica(moved) + (_moved_to(moved) if moved.eviction is None else _evicted(moved, moved.eviction))
    if moved.reasons:
        text += ": " + "; ".join(reason_text(reason, you) for reason in moved.reasons)
    return text if moved.detail is None else f"{text} ({moved.detail})"


def _evicted(moved: GroupMoved, eviction: Eviction) -> str:
    return f"attempt {moved.group.attempts} is being {eviction_text(eviction)}; no retry is charged"


def _moved_to(moved: GroupMoved) -> str:  # noqa: PLR0911 - one sentence per state
    group = moved.group
    why = "" if group.stop_reason is None else f": {stop_text(group.stop_reason)}"
    match group.state:
        case State.QUEUED:
            if group.stop_reason is None:
                return "it is wanted again and waits for devices"
            return f"attempt {group.attempts} is over and it waits for the next one{why}"
        case State.PLACED:
            return f"attempt {group.attempts} holds its devices"
        case State.STARTING:
            return "its workers are starting"
        case State.RUNNING:
            return "all its workers run"
        case State.STOPPING:
            return f"it is being stopped{why}"
        case State.SUCCEEDED:
            return "it succeeded"
        case State.FAILED:
            return f"it failed{why}" if group.attempts else "it was refused"
        case State.CANCELLED:
            return "it is not wanted any more" if group.stop_reason is StopReason.SCALED_DOWN else "it was cancelled"
    assert_never(group.state)


def _remarks(remarks: Sequence[WorkerRemark]) -> str:
    """Return what was said, what many ranks have in common once, and the rest counted: a gang may have thousands."""
    ranks: dict[str, list[str]] = {}
    for remark in remarks:
        ranks.setdefault(remark.text, []).extend([] if remark.rank is None else [str(remark.rank)])
    said = [f"{_whose(those)}{_cut(text)}" for text, those in list(ranks.items())[:MOST_REMARKS]]
    left = len(ranks) - len(said)
    return "; ".join(said) + (f"; and {left} more" if left else "")


def _whose(ranks: Sequence[str]) -> str:
    return f"worker{'s' if len(ranks) > 1 else ''} {listed(ranks, 'and')}: " if ranks else ""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_REMARK else f"{text[: LONGEST_REMARK - 1]}…"


def _progress(progress: Progress) -> str:
    speed = f"{progress.tokens_per_s:,.0f} tokens per second"
    step = f"step {progress.step} of {progress.steps}" if progress.steps else f"step {progress.step}"
    loss = "no finite loss" if progress.loss is None else f"loss {progress.loss:.4g}"
    return f"{step}: {loss}, {speed}"
