"""Why a job waits or was refused, in a sentence."""

from typing import assert_never

from api.text.stops import stop_text
from api.text.words import clock_time, count, listed
from scheduler.core.model.group import FAILURES, Budget
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.reason import (
    BackingOff,
    Limit,
    NeverFits,
    NoCluster,
    QuotaExceeded,
    Reason,
    Resource,
    TooFewFree,
)
from scheduler.core.model.resources import MILLI_CORES_PER_CORE

_LESS = {Resource.CPU: "less cpu_milli per worker", Resource.MEMORY: "less memory_mib per worker"}


def reason_text(reason: Reason, you: TenantName | None) -> str:
    """Return the reason as a clause that can follow "it waits: "; `you` is the reader's tenant."""
    match reason:
        case TooFewFree():
            return _too_few_free(reason, you)
        case NeverFits():
            return _never_fits(reason)
        case QuotaExceeded():
            return (
                f"{_possessive(reason.tenant, you)} quota for {reason.chip} is {count(reason.limit, 'device')}; "
                f"{reason.used} are held and {reason.asked} more are asked for"
            )
        case BackingOff():
            return f"{_what_failed(reason)}; the next attempt is made at {clock_time(reason.until)}"
        case NoCluster():
            return "no cluster that would run it has reported its nodes yet"
    assert_never(reason)


def advice(reason: Reason) -> str:
    """Return what the user can do about it."""
    match reason:
        case TooFewFree():
            return f"wait, or submit it {listed(_smaller(reason), 'or')}"
        case NeverFits():
            return f"submit it again in a shape that fits: {_nearest_shape(reason)}"
        case QuotaExceeded():
            return _within_quota(reason)
        case BackingOff():
            return "wait, or look at the failed attempt's output with `medley logs`" if _is_charged(reason) else "wait"
        case NoCluster():
            return "ask the operator to connect a cluster"
    assert_never(reason)


def _smaller(reason: TooFewFree) -> list[str]:
    """Return what would make the job easier to place."""
    ways = ["with more acceptable chip types"]
    if reason.limit.resource in _LESS:
        ways.insert(0, f"with {_LESS[reason.limit.resource]}")
    if reason.workers > 1:
        ways.insert(0, "with fewer workers")
    return ways


def _within_quota(reason: QuotaExceeded) -> str:
    if not reason.limit:
        return f"choose another chip type, or ask an operator for a quota of {reason.chip}"
    if reason.asked > reason.limit:
        most = count(reason.limit, "device")
        return f"ask for at most {most} of {reason.chip}, or ask an operator for more quota"
    return "wait until your running jobs end, cancel one, or ask an operator for more quota"


def _what_failed(reason: BackingOff) -> str:
    if reason.stop_reason is not None and not _is_charged(reason):
        return stop_text(reason.stop_reason)
    return f"{count(reason.failures, 'attempt')} failed (retries allowed: {reason.retries})"


def _is_charged(reason: BackingOff) -> bool:
    return reason.stop_reason is None or FAILURES[reason.stop_reason].budget is Budget.RETRIES


def _too_few_free(reason: TooFewFree, you: TenantName | None) -> str:
    text = f"{_wanted(reason)}; {_fit_now(reason)}"
    if reason.limit.resource is not Resource.DEVICES:
        return f"{text}: devices are free, but {_shortage(reason.limit, 'such a node has left')}"
    if reason.devices_free:
        text += f", {count(reason.devices_free, 'device')} {'is' if reason.devices_free == 1 else 'are'} free"
    parts = [_held(holder.tenant, holder.devices, you) for holder in reason.holders]
    if reason.devices_drained:
        parts.append(f"{reason.devices_drained} on drained nodes")
    if not parts:
        return text
    first, *others = parts
    verb = "is" if first.startswith("1 ") else "are"
    number, _, rest = first.partition(" ")
    held = "" if rest.startswith("on ") else "held "
    return f"{text}; {listed([f'{number} {verb} {held}{rest}', *others], 'and')}"


def _wanted(reason: TooFewFree) -> str:
    return f"needs {_gang(reason, 'free ')}"


def _gang(reason: TooFewFree | NeverFits, which: str) -> str:
    """Return `1 worker with 8 free t4 on one node`, `2 workers, each with 1 free t4`."""
    where = " on one node" if reason.devices_per_worker > 1 else ""
    each = ", each" if reason.workers > 1 else ""
    return f"{count(reason.workers, 'worker')}{each} with {reason.devices_per_worker} {which}{reason.chip}{where}"


def _shortage(limit: Limit, most: str) -> str:
    """Return what is short; `most` says of whom the largest amount is."""
    asked, left = _amount(limit.resource, limit.asked), _amount(limit.resource, limit.most)
    if limit.resource is Resource.PODS:
        return f"room for workers is short (the most {most} is {left})"
    return f"{limit.resource} is short (each worker asks for {asked}, the most {most} is {left})"


def _amount(resource: Resource, amount: int) -> str:
    match resource:
        case Resource.CPU:
            return f"{amount / MILLI_CORES_PER_CORE:g} cores"
        case Resource.MEMORY:
            return f"{amount:,} MiB"
        case Resource.DEVICES:
            return count(amount, "device")
        case Resource.PODS:
            return count(amount, "worker")
    assert_never(resource)


def _fit_now(reason: TooFewFree) -> str:
    return "none fits now" if not reason.workers_fit else f"{reason.workers_fit} {_fits(reason.workers_fit)} now"


def _fits(number: int) -> str:
    return "fits" if number == 1 else "fit"


def _held(tenant: TenantName, devices: int, you: TenantName | None) -> str:
    return f"{devices} by {'you' if tenant == you else f'tenant {tenant}'}"


def _possessive(tenant: TenantName, you: TenantName | None) -> str:
    return "your" if tenant == you else f"tenant {tenant}'s"


def _never_fits(reason: NeverFits) -> str:
    asked = _gang(reason, "")
    if not reason.largest_node_devices:
        return f"needs {asked}; cluster {reason.cluster} has no {reason.chip}"
    if reason.devices_per_worker > reason.largest_node_devices:
        return (
            f"needs {asked}; the largest node of cluster {reason.cluster} "
            f"has {count(reason.largest_node_devices, 'such device')}"
        )
    fit = reason.workers_fit_empty
    most = "none fits" if not fit else f"at most {fit} {_fits(fit)}"
    text = f"needs {asked}; {most} into cluster {reason.cluster} when it is empty"
    if reason.limit.resource is Resource.DEVICES:
        return f"{text}: its devices are too few"
    return f"{text}: {_shortage(reason.limit, 'such a node has')}"


def _nearest_shape(reason: NeverFits) -> str:
    if not reason.largest_node_devices:
        return "choose another chip type (`medley chips` lists them)"
    if reason.devices_per_worker > reason.largest_node_devices:
        return f"at most {count(reason.largest_node_devices, 'device')} per worker"
    if reason.workers_fit_empty:
        return f"at most {count(reason.workers_fit_empty, 'worker')} of {reason.devices_per_worker} {reason.chip}"
    if reason.limit.resource in _LESS:
        return f"{_LESS[reason.limit.resource]}, at most {_amount(reason.limit.resource, reason.limit.most)}"
    return "fewer devices per worker"
