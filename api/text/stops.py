"""Why an attempt was stopped, in a sentence."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import assert_never

from api.text.words import count
from scheduler.core.model.group import FAILURES, StopReason
from scheduler.core.model.identifiers import JobId, job_named_by
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.eviction import Eviction, EvictionCause, GivenTo

_MINUTE_S, _HOUR_S = 60, 3_600
_READ_OUTPUT = "read its output with `medley logs {job}`"


def stop_text(reason: StopReason) -> str:
    """Return what happened, as a sentence without its full stop."""
    return FAILURES[reason].sentence


def eviction_text(eviction: Eviction) -> str:
    """Return for whom an attempt is stopped, by which right, and what that costs, without a full stop."""
    devices = count(-(-eviction.devices_milli // WHOLE_DEVICE_MILLI), "device")
    whom = f"job {job_named_by(eviction.beneficiary)} of tenant {eviction.tenant}"
    unsaved = f"{_about(eviction.unsaved_s)} of work on {devices} was not saved by then"
    return f"stopped for {whom}, {_right(eviction)}; {unsaved}"


def given_text(given: GivenTo) -> str:
    """Return to whom devices of a gang that goes on go, and by which right, without a full stop."""
    devices = count(-(-given.devices_milli // WHOLE_DEVICE_MILLI), "device")
    return f"{devices} of it go to job {job_named_by(given.beneficiary)} of tenant {given.tenant}, {_right(given)}"


def _right(eviction: Eviction | GivenTo) -> str:
    match eviction.cause:
        case EvictionCause.PRIORITY:
            return f"which has priority {eviction.priority} over its {eviction.own_priority}"
        case EvictionCause.RECLAIM:
            return "to which these devices are guaranteed"
        case EvictionCause.LOAN:
            return "for they were lent while nobody waited for them"
        case EvictionCause.MOVE:
            return "which has room so, and it can go on elsewhere"
        case EvictionCause.TIME_UP:
            return "for which the room is kept that it overtook on, and now needed"
        case EvictionCause.ROUND:
            return "whose turn it is in this round"
    assert_never(eviction.cause)


def _about(seconds: float) -> str:
    if seconds < 2 * _MINUTE_S:
        return f"about {count(round(seconds), 'second')}"
    if seconds < 2 * _HOUR_S:
        return f"about {count(round(seconds / _MINUTE_S), 'minute')}"
    return f"about {count(round(seconds / _HOUR_S), 'hour')}"


_ADVICE: Mapping[StopReason, str | None] = MappingProxyType(
    {
        StopReason.PREEMPTED: None,
        StopReason.REPLACED: None,
        StopReason.START_REFUSED: "look at the detail; an operator may have to mend the cluster",
        StopReason.STALLED: f"{_READ_OUTPUT}, or submit it with a longer stall_limit_s",
        StopReason.SILENT: _READ_OUTPUT,
        StopReason.RESIZE_FAILED: f"{_READ_OUTPUT}; an elastic job's program saves and exits when should_stop says so",
        StopReason.SERVER_ENDED: f"{_READ_OUTPUT}; a server's command is to run on until it gets SIGTERM",
        StopReason.WORKER_FAILED: _READ_OUTPUT,
        StopReason.OUT_OF_MEMORY: "submit it with more memory_mib",
        StopReason.UNSTARTABLE: "look at the detail, mend the job's image or secrets, and submit it again",
        StopReason.LOST: _READ_OUTPUT,
        StopReason.NODE_REJECTED: None,
        StopReason.DISRUPTED: None,
        StopReason.TIME_LIMIT: "submit it with a longer time_limit_s",
        StopReason.SCALED_DOWN: None,
        StopReason.CANCELLED: None,
    }
)


def stop_advice(reason: StopReason, job: JobId) -> str | None:
    """Return what the user can do about it, None where nothing needs to be done."""
    advice = _ADVICE[reason]
    return None if advice is None else advice.format(job=job)
