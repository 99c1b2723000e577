"""Why an attempt was stopped, in a sentence."""

from collections.abc import Mapping
from types import MappingProxyType

from scheduler.core.model.group import FAILURES, StopReason
from scheduler.core.model.identifiers import JobId

_READ_OUTPUT = "read its output with `medley logs {job}`"


def stop_text(reason: StopReason) -> str:
    """Return what happened, as a sentence without its full stop."""
    return FAILURES[reason].sentence


_ADVICE: Mapping[StopReason, str | None] = MappingProxyType(
    {
        StopReason.PREEMPTED: None,
        StopReason.REPLACED: None,
        StopReason.START_REFUSED: "look at the detail; an operator may have to mend the cluster",
        StopReason.STALLED: f"{_READ_OUTPUT}, or submit it with a longer stall_limit_s",
        StopReason.SILENT: _READ_OUTPUT,
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
