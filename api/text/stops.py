"""Why an attempt was stopped, in a sentence."""

from typing import assert_never

from scheduler.core.model.group import StopReason


def stop_text(reason: StopReason) -> str:  # noqa: PLR0911 - one sentence per reason
    """Return what happened, as a sentence without its full stop."""
    match reason:
        case StopReason.PREEMPTED:
            return "its devices were given to another job; no retry is charged"
        case StopReason.START_REFUSED:
            return "the cluster refused to start it; nothing ran and no retry is charged"
        case StopReason.LOST:
            return "a worker vanished without an exit code"
        case StopReason.WORKER_FAILED:
            return "a worker ended with an exit code other than 0"
        case StopReason.OUT_OF_MEMORY:
            return "a worker used more memory than the job asked for"
        case StopReason.TIME_LIMIT:
            return "the job's time limit passed"
        case StopReason.CANCELLED:
            return "it was cancelled"
    assert_never(reason)


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
        case StopReason.PREEMPTED | StopReason.CANCELLED:
            return None
    assert_never(reason)
