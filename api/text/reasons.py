"""Why a job waits or was refused, in a sentence."""

from typing import assert_never

from api.text.mismatches import mismatch_text
from api.text.sharing import quota_text
from api.text.stops import stop_text
from api.text.words import clock_time, count, date_and_time, duration, in_one, listed
from scheduler.core.model.group import FAILURES, Budget, State
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.job import Condition
from scheduler.core.model.reason import (
    ArrayIsFull,
    BackingOff,
    CannotFollow,
    CannotServe,
    KeptApart,
    KeptFor,
    KeptForOthers,
    Limit,
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
from scheduler.core.model.resources import MAIN_ROLE, MILLI_CORES_PER_CORE
from scheduler.core.model.topology import CLUSTER

_CLOSED = "their nodes take no more workers: an exclusive job has them to itself, or as many run there as may"


def reason_text(reason: Reason, you: TenantName | None) -> str:  # noqa: C901, PLR0911 - one sentence per kind
    """Return the reason as a clause that can follow "it waits: "; `you` is the reader's tenant."""
    match reason:
        case TooFewFree():
            return _too_few_free(reason, you) + _apart(reason.kept_apart, reason.workers_fit)
        case NeverFits():
            return _never_fits(reason)
        case QuotaExceeded() | QueueIsFull():
            return quota_text(reason, you)
        case BackingOff():
            return f"{_what_failed(reason)}; the next attempt is made at {clock_time(reason.until)}"
        case NoCluster():
            return "no cluster that would run it has reported its nodes yet"
        case CannotServe():
            return mismatch_text(reason)
        case WaitsForJob() | WaitsForArray() | CannotFollow():
            return _after_others(reason)
        case ArrayIsFull(_, most_at_once):
            return f"its array runs {most_at_once:,} at once, and so many run"
        case KeptForOthers():
            return _kept_for_others(reason, you)
        case RoomIsMade(attempts, until, giving):
            stop = "1 attempt that is" if attempts == 1 else f"{attempts:,} attempts that are"
            give = "1 that goes" if giving == 1 else f"{giving:,} that go"
            those = [f"{stop} being stopped for it"] * bool(attempts) + [f"{give} on with fewer workers"] * bool(giving)
            return f"it has the devices of {listed(those, 'and')}, by {clock_time(until)} at the latest"
    assert_never(reason)


def _kept_for_others(reason: KeptForOthers, you: TenantName | None) -> str:
    parts = [_kept_for(kept, you) for kept in reason.kept]
    text = f"there is room for it, which is kept for {listed(parts, 'and')}"
    if reason.overtakes_s is None:
        return text
    return f"{text}; with a time limit of at most {duration(reason.overtakes_s)} it would start now"


def _kept_for(kept: KeptFor, you: TenantName | None) -> str:
    devices = listed([f"{number} {chip}" for chip, number in kept.devices], "and") if kept.devices else "room"
    whose = f"your job {kept.job}" if kept.tenant == you else f"a job of tenant {kept.tenant}"
    return f"{whose} from {date_and_time(kept.begins)} ({devices} on {listed(kept.nodes, 'and')})"


def _after_others(reason: WaitsForJob | WaitsForArray | CannotFollow) -> str:
    match reason:
        case WaitsForJob(job, condition):
            return f"job {job} must {_ends(condition)} first"
        case WaitsForArray(array, condition, ended, jobs):
            return f"all jobs of array {array} must {_ends(condition)} first, and {ended:,} of {jobs:,} are over"
        case CannotFollow(array, _, True):
            return f"all jobs of array {array} were to succeed first, and not all of them did"
        case CannotFollow(job, became):
            return f"job {job} was to succeed first, and {_became(became)}"
    assert_never(reason)


def _ends(condition: Condition) -> str:
    return "succeed" if condition is Condition.SUCCEEDED else "end"


def _became(state: State) -> str:
    return "was cancelled" if state is State.CANCELLED else state


def amount(resource: Resource, number: int) -> str:
    """Return so much of a resource, such as `28.5 cores`."""
    match resource:
        case Resource.CPU:
            return f"{number / MILLI_CORES_PER_CORE:g} cores"
        case Resource.MEMORY:
            return f"{number:,} MiB"
        case Resource.DEVICES:
            return count(number, "device")
        case Resource.PODS:
            return count(number, "worker")
    assert_never(resource)


def is_charged(reason: BackingOff) -> bool:
    """Say whether the failure that a job recovers from used up one of its retries."""
    return reason.stop_reason is None or FAILURES[reason.stop_reason].budget is Budget.RETRIES


def _what_failed(reason: BackingOff) -> str:
    if reason.stop_reason is not None and not is_charged(reason):
        return stop_text(reason.stop_reason)
    return f"{count(reason.failures, 'attempt')} failed (retries allowed: {reason.retries})"


def _too_few_free(reason: TooFewFree, you: TenantName | None) -> str:
    text = f"needs {_gang(reason, 'free ')}; {_fit_now(reason)}"
    if reason.limit.resource is not Resource.DEVICES:
        devices = "" if reason.chip is None else "devices are free, but "
        is_closed = reason.limit.resource is Resource.PODS and not reason.limit.most
        short = _CLOSED if is_closed else _shortage(reason.limit, "such a node has left")
        return f"{text}: {devices}{short}"
    if reason.devices_free:
        text += f", {count(reason.devices_free, 'device')} {_are(reason.devices_free)} free"
    parts = [f"{holder.devices} held by {_whom(holder.tenant, you)}" for holder in reason.holders]
    if reason.devices_drained:
        parts.append(f"{reason.devices_drained} on drained nodes")
    if reason.devices_reserved:
        parts.append(f"{reason.devices_reserved} free on nodes of other tenants")
    return f"{text}; {_said_once(parts)}" if parts else text


def _apart(kept: KeptApart | None, workers_fit: int) -> str:
    """Return from what a gang keeps apart, and how many would fit if it did not, where that are more."""
    if kept is None:
        return ""
    otherwise = f" (else {kept.workers_fit} would fit)" if kept.workers_fit > workers_fit else ""
    return f"; it keeps apart from {count(kept.domains, kept.level)}{otherwise}"


def _said_once(parts: list[str]) -> str:
    """Return `16 are held by tenant beta and 8 by you`: what holds for all is said of the first."""
    number, _, what = parts[0].partition(" ")
    others = [part.replace(" held", "") for part in parts[1:]]
    return listed([f"{number} {_are(int(number))} {what}", *others], "and")


def _gang(reason: TooFewFree | NeverFits, which: str) -> str:
    """Return `1 worker with 8 free t4 on one node`, `2 workers, each with 1 free t4, all in one rack`."""
    role = "" if reason.role == MAIN_ROLE else f" of role {reason.role}"
    each = ", each" if reason.workers > 1 else ""
    together = "" if reason.level == CLUSTER or reason.workers == 1 else f", all {in_one(reason.level)}"
    return f"{count(reason.workers, 'worker')}{role}{each} with {_devices(reason, which)}{together}{_room(reason)}"


def _room(reason: TooFewFree | NeverFits) -> str:
    """Return what a gang wants of its nodes beside devices."""
    nodes = "its node" if reason.workers == 1 else "their nodes"
    alone = f", with nothing else on {nodes}" if reason.is_exclusive else ""
    spread = reason.spread if reason.workers > 1 else None
    return alone if spread is None else f", at most {spread.most:,} {in_one(spread.level)}{alone}"


def _devices(reason: TooFewFree | NeverFits, which: str) -> str:
    if reason.chip is None:
        return "no devices"
    if not reason.devices_per_worker:
        return f"a share of one {reason.chip}"
    where = " on one node" if reason.devices_per_worker > 1 else ""
    return f"{reason.devices_per_worker} {which}{reason.chip}{where}"


def _fit_now(reason: TooFewFree) -> str:
    if reason.workers_fit_anywhere is None or reason.workers == 1:
        return f"{_so_many(reason.workers_fit)} now"
    return (
        f"{_so_many(reason.workers_fit)} {in_one(reason.level)} now, {reason.workers_fit_anywhere or 'none'} anywhere"
    )


def _so_many(number: int) -> str:
    return f"{number or 'none'} {'fits' if number <= 1 else 'fit'}"


def _shortage(limit: Limit, most: str) -> str:
    """Return what is short; `most` says of whom the largest amount is."""
    asked, left = amount(limit.resource, limit.asked), amount(limit.resource, limit.most)
    if limit.resource is Resource.PODS:
        return f"room for workers is short (the most {most} is {left})"
    return f"{limit.resource} is short (each worker asks for {asked}, the most {most} is {left})"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _whom(tenant: TenantName, you: TenantName | None) -> str:
    return "you" if tenant == you else f"tenant {tenant}"


def _never_fits(reason: NeverFits) -> str:
    asked = _gang(reason, "")
    if reason.chip is not None and not reason.largest_node_devices:
        return f"needs {asked}; cluster {reason.cluster} has no {reason.chip}"
    if reason.devices_per_worker > reason.largest_node_devices:
        return (
            f"needs {asked}; the largest node of cluster {reason.cluster} "
            f"has {count(reason.largest_node_devices, 'such device')}"
        )
    fit = reason.workers_fit_empty
    most = f"at most {_so_many(fit)}" if fit else "none fits"
    into = "into" if reason.level == CLUSTER else f"{in_one(reason.level)} of"
    text = f"needs {asked}; {most} {into} cluster {reason.cluster} when it is empty"
    if reason.limit.resource is Resource.DEVICES:
        whose = "its" if reason.level == CLUSTER else f"one {reason.level}'s"
        spread = ", so spread," if reason.spread is not None else ""
        return f"{text}: {whose} devices{spread} are too few"
    return f"{text}: {_shortage(reason.limit, 'such a node has')}"
