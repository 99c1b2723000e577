"""The state of a job, derived from its groups."""

from collections.abc import Collection

from scheduler.core.model.group import State

_FURTHEST_FIRST = (State.RUNNING, State.STARTING, State.PLACED, State.STOPPING, State.QUEUED)


def job_state(groups: Collection[State]) -> State:
    """Return what a job with these groups is, or an array with jobs in these states; at least one.

    While any group lives, the job is what its furthest group is. Then it is failed if one failed, else
    cancelled if one was cancelled, else succeeded.
    """
    for state in _FURTHEST_FIRST:
        if state in groups:
            return state
    if State.FAILED in groups:
        return State.FAILED
    return State.CANCELLED if State.CANCELLED in groups else State.SUCCEEDED
