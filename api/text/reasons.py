"""Why a job waits or was refused, in a sentence."""

from typing import assert_never

from api.text.words import clock_time, count, listed
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.reason import BackingOff, NeverFits, NoCluster, QuotaExceeded, Reason, TooFewFree


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
            return "no cluster has reported its nodes yet"
    assert_never(reason)


def advice(reason: Reason) -> str:
    """Return what the user can do about it."""
    match reason:
        case TooFewFree():
            return "wait until devices are free, or submit it with fewer workers or more acceptable chip types"
        case NeverFits():
            return f"submit it again in a shape that fits: {_nearest_shape(reason)}"
        case QuotaExceeded():
            if reason.asked > reason.limit:
                most = count(reason.limit, "device")
                return f"ask for at most {most} of {reason.chip}, or ask an operator for more quota"
            return "wait until your running jobs end, cancel one, or ask an operator for more quota"
        case BackingOff():
            return "wait, or look at the failed attempt's output with `medley logs`"
        case NoCluster():
            return "ask the operator to connect a cluster"
    assert_never(reason)


def _what_failed(reason: BackingOff) -> str:
    if not reason.failures:
        return "the cluster refused to start it, which costs no retry"
    return f"{count(reason.failures, 'attempt')} failed (retries allowed: {reason.retries})"


def _too_few_free(reason: TooFewFree, you: TenantName | None) -> str:
    text = f"{_wanted(reason)}; {_fit_now(reason)}"
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


def _wanted(reason: TooFewFree | NeverFits) -> str:
    return (
        f"needs {count(reason.workers, 'worker')} with {reason.devices_per_worker} free {reason.chip} each on one node"
    )


def _fit_now(reason: TooFewFree) -> str:
    return "none fits now" if not reason.workers_fit else f"{reason.workers_fit} {_fits(reason.workers_fit)} now"


def _fits(number: int) -> str:
    return "fits" if number == 1 else "fit"


def _held(tenant: TenantName, devices: int, you: TenantName | None) -> str:
    return f"{devices} by {'you' if tenant == you else f'tenant {tenant}'}"


def _possessive(tenant: TenantName, you: TenantName | None) -> str:
    return "your" if tenant == you else f"tenant {tenant}'s"


def _never_fits(reason: NeverFits) -> str:
    asked = f"{count(reason.workers, 'worker')} with {reason.devices_per_worker} {reason.chip} each on one node"
    if not reason.largest_node_devices:
        return f"needs {asked}; cluster {reason.cluster} has no {reason.chip}"
    if reason.devices_per_worker > reason.largest_node_devices:
        return (
            f"needs {asked}; the largest node of cluster {reason.cluster} "
            f"has {count(reason.largest_node_devices, 'such device')}"
        )
    fit = reason.workers_fit_empty
    most = "none fits" if not fit else f"at most {fit} {_fits(fit)}"
    return f"needs {asked}; {most} into cluster {reason.cluster} when it is empty, limited by {reason.limited_by}"


def _nearest_shape(reason: NeverFits) -> str:
    if not reason.largest_node_devices:
        return "choose another chip type (`medley chips` lists them)"
    if reason.devices_per_worker > reason.largest_node_devices:
        return f"at most {count(reason.largest_node_devices, 'device')} per worker"
    if reason.workers_fit_empty:
        return f"at most {count(reason.workers_fit_empty, 'worker')} of {reason.devices_per_worker} {reason.chip}"
    match reason.limited_by:
        case "cpu":
            return "fewer cpu_milli per worker"
        case "memory":
            return "less memory_mib per worker"
    return "fewer devices per worker"
