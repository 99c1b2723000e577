"""What a user can do about a job that waits or was refused."""

from typing import assert_never

from api.text.mismatches import mismatch_advice
from api.text.reasons import amount, is_charged
from api.text.sharing import within_quota
from api.text.words import count, in_one, listed
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.reason import (
    ArrayIsFull,
    BackingOff,
    CannotFollow,
    CannotServe,
    KeptForOthers,
    NearestShape,
    NeverFits,
    NoCluster,
    QueueIsFull,
    QuotaExceeded,
    Reason,
    Resource,
    RoomIsMade,
    TooFewFree,
    WaitsForArray,
    WaitsForJob,
)
from scheduler.core.model.resources import MAIN_ROLE
from scheduler.core.model.topology import CLUSTER

_LESS = {Resource.CPU: "less cpu_milli per worker", Resource.MEMORY: "less memory_mib per worker"}


def advice(reason: Reason, job: JobId) -> str:  # noqa: C901, PLR0911 - one sentence per kind
    """Return what the user can do about why a job waits or was refused."""
    match reason:
        case TooFewFree():
            return f"wait, or submit it {listed(_easier(reason), 'or')}"
        case NeverFits():
            return f"submit it again in a shape that fits: {_shape_that_fits(reason)}"
        case QuotaExceeded():
            return within_quota(reason)
        case BackingOff():
            look = f", or look at the failed attempt's output with `medley logs {job}`"
            return f"wait{look if is_charged(reason) else ''}"
        case NoCluster():
            return "ask the operator to connect a cluster"
        case CannotServe():
            return mismatch_advice(reason)
        case WaitsForJob(name) | WaitsForArray(name):
            return f"wait, or see how that one stands: `medley show {name}`"
        case CannotFollow():
            other = "another array" if reason.is_array else "another job"
            return f"submit it again after {other}, or with the condition `ended` (`medley clone --set after=...`)"
        case ArrayIsFull(array):
            return f"wait until one of them ends: `medley ls --array {array}`"
        case KeptForOthers(_, overtakes_s):
            limit = "" if overtakes_s is None else f", or submit it with time_limit_s of at most {overtakes_s}"
            return f"wait{limit}"
        case RoomIsMade():
            return "wait: its devices are kept for it"
        case QueueIsFull():
            return "wait until one of them ends, or ask an operator to let more of them run at once"
    assert_never(reason)


def _easier(reason: TooFewFree) -> list[str]:
    """Return what would make the job easier to place, the nearest shape first."""
    ways: list[str] = []
    if reason.nearest is not None and (changes := _changes(reason, reason.nearest)):
        ways.append(f"{listed(changes, 'and')} (fits now)")
    elif reason.workers > 1:
        ways.append("with fewer workers")
    if reason.nearest is None or reason.nearest.level != CLUSTER:
        ways += [_loosened(reason)] if _fits_anywhere(reason) else []
    if reason.kept_apart is not None and reason.kept_apart.workers_fit >= reason.workers:
        ways.append(f"without apart ({reason.kept_apart.workers_fit} would fit)")
    if reason.limit.resource in _LESS:
        ways.append(f"with {_LESS[reason.limit.resource]}")
    if reason.chip is not None:
        ways.append("with more acceptable chip types")
    return ways or ["in a smaller shape"]


def _fits_anywhere(reason: TooFewFree) -> bool:
    return reason.workers_fit_anywhere is not None and reason.workers_fit_anywhere >= reason.workers


def _loosened(reason: TooFewFree) -> str:
    return f"without topology.require ({reason.workers_fit_anywhere} fit anywhere)"


def _changes(reason: TooFewFree | NeverFits, nearest: NearestShape) -> list[str]:
    """Return how the nearest shape differs from what was asked for."""
    role = "" if reason.role == MAIN_ROLE else f" of role {reason.role}"
    changes: list[str] = []
    if nearest.workers != reason.workers:
        changes.append(f"with {count(nearest.workers, 'worker')}{role}")
    if nearest.devices_per_worker != reason.devices_per_worker:
        changes.append(f"with {count(nearest.devices_per_worker, 'device')} per worker{role}")
    if nearest.level != reason.level:
        to = "without topology.require" if nearest.level == CLUSTER else f"with topology.require: {nearest.level}"
        changes.append(to)
    return changes


def _shape_that_fits(reason: NeverFits) -> str:
    if reason.chip is not None and not reason.largest_node_devices:
        return "choose another chip type (`medley chips` lists them)"
    if reason.nearest is not None and (changes := _changes(reason, reason.nearest)):
        return listed(changes, "and")
    if reason.devices_per_worker > reason.largest_node_devices:
        return f"at most {count(reason.largest_node_devices, 'device')} per worker"
    if reason.workers_fit_empty:
        near = "" if reason.level == CLUSTER else f" {in_one(reason.level)}"
        return f"at most {count(reason.workers_fit_empty, 'worker')}{_of(reason)}{near}"
    if reason.limit.resource in _LESS:
        return f"{_LESS[reason.limit.resource]}, at most {amount(reason.limit.resource, reason.limit.most)}"
    return "fewer devices per worker" if reason.devices_per_worker else "smaller workers"


def _of(reason: NeverFits) -> str:
    if reason.chip is None:
        return ""
    return (
        f" of {reason.devices_per_worker} {reason.chip}"
        if reason.devices_per_worker
        else f" of a share of {reason.chip}"
    )
