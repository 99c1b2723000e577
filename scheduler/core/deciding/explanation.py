"""Why a group waits, answered from the state as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduler.core.deciding.cycle import backing_off, queue
from scheduler.core.deciding.options import find_place
from scheduler.core.deciding.reasons import reasons_why_not
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.group import Group
from scheduler.core.model.identifiers import GroupId
from scheduler.core.model.reason import Reason, most_binding_first
from scheduler.core.placement.placement import GangPlace
from scheduler.core.queueing.arrays import why_not_beside
from scheduler.core.queueing.dependencies import why_never, why_not_yet


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
    return explain_all(state, [group_id], now)[0]


def explain_all(state: SchedulerState, group_ids: Sequence[GroupId], now: datetime) -> list[Explanation]:
    """Explain several queued groups, in their order, with one look at the queue. Raises NotWaiting."""
    places = {group.id: place for place, group in enumerate(queue(state))}
    explained = []
    for group_id in group_ids:
        if group_id not in places:
            raise NotWaiting(group_id)
        group = state.waiting[group_id]
        reasons = _reasons(state, group, now)
        explained.append(Explanation(group_id, reasons, position=places[group_id] + 1, ahead=places[group_id]))
    return explained


def _reasons(state: SchedulerState, group: Group, now: datetime) -> tuple[Reason, ...]:
    job = state.jobs[group.job_id]
    if not group.attempts and (order := why_never(job) or why_not_yet(job, state.dependents.arrays)):
        return order  # what is free until then says nothing about when it comes
    pause, full = backing_off(job, group, now), why_not_beside(job, state.members_holding)
    request = state.request(group.job_id)
    has_place = isinstance(find_place(state, request), GangPlace)
    lacking = () if has_place else reasons_why_not(state, request)
    return most_binding_first([*((pause,) if pause else ()), *((full,) if full else ()), *lacking])
