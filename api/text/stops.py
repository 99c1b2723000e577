"""Why an attempt was stopped, in a sentence."""

from typing import assert_never

from scheduler.core.model.group import FAILURES, StopReason


def stop_text(reason: StopReason) -> str:
    """Return what happened, as a sentence without its full stop."""
    return FAILURES[reason].sentence


def stop_advice(reason: StopReason) -> str | None:
    """Return what the user can do about it, None where nothing needs to be done."""
    match reason:
        case StopReason.LOST | StopReason.WORKER_FAILED:
            return "read its output with `medley logs`"
        case StopReason.OUT_OF_MEMORY:
            return "submit it with more memory_mib"
        case StopReason.TIME_LIMIT:
            return "submit it with a longer time_limit_s"
        case StopReason.START_REFUSED:
            return "look at the detail; an operator may have to mend the cluster"
        case StopReason.UNSTARTABLE:
            return "look at the detail, mend the job's image or secrets, and submit it again"
        case StopReason.PREEMPTED | StopReason.NODE_REJECTED | StopReason.DISRUPTED | StopReason.CANCELLED:
            return None
    assert_never(reason)
