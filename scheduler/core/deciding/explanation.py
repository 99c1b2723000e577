"""Why a group waits, answered from the state as it is."""

from dataclasses import dataclass
from datetime import datetime

from scheduler.core.deciding.cycle import backing_off
from scheduler.core.deciding.options import find_place, most_binding_first
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.identifiers import GroupId
from scheduler.core.model.reason import Reason
from scheduler.core.placement.request import Placement
from scheduler.core.placement.room import Survey
from scheduler.core.queueing.order import queue_key


class NotWaiting(KeyError):
    """No such group waits; `args[0]` names it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What blocks a queued group at one moment."""

    group: GroupId
    reasons: tuple[Reason, ...]
    """Most binding first, each once; empty where it would be placed now."""
    position: int
    """In the queue, from 1."""
    ahead: int
    """How many groups are before it in the queue."""


def explain(state: SchedulerState, group_id: GroupId, now: datetime) -> Explanation:
    """Say what blocks a queued group on what is free now; the state is only read. Raises NotWaiting."""
    group = state.waiting.get(group_id)
    if group is None:
        raise NotWaiting(group_id)
    job = state.jobs[group.job_id]
    pause = backing_off(job, group, now)
    found = find_place(state, Survey(state.ledger), job)
    lacking = () if isinstance(found, Placement) else found.reasons
    own = queue_key(job, group)
    ahead = sum(queue_key(state.jobs[other.job_id], other) < own for other in state.waiting.values())
    return Explanation(
        group=group_id,
        reasons=most_binding_first([*((pause,) if pause else ()), *lacking]),
        position=ahead + 1,
        ahead=ahead,
    )
