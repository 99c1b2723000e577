"""Why a group waits, answered from the state as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.core.deciding.backfilling.beside import Beside
from scheduler.core.deciding.cycle import backing_off
from scheduler.core.deciding.reasons import all_that_blocks
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.asking.grounds import Standing
from scheduler.core.model.group import Group
from scheduler.core.model.identifiers import GroupId
from scheduler.core.model.reason import Reason, RoomIsMade
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate
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
    estimate: Estimate | NoEstimate | None = None
    """When it is expected to start; None where nobody was asked, or nobody knows yet."""
    standing: Standing | None = None
    """What its place there rests on."""


def explain(state: SchedulerState, group_id: GroupId, now: datetime) -> Explanation:
    """Say what blocks a queued group on what is free now; the state is only read. Raises NotWaiting."""
    return explain_all(state, [group_id], now)[0]


def explain_all(state: SchedulerState, group_ids: Sequence[GroupId], now: datetime) -> list[Explanation]:
    """Explain several queued groups, in their order, of one moment. Raises NotWaiting."""
    turns, beside = state.order.turns(state.waiters, now), Beside(state, now)
    explained = []
    for group_id in group_ids:
        group = state.waiting.get(group_id)
        if group is None:
            raise NotWaiting(group_id)
        reasons, ahead = _reasons(state, group, beside, now), turns.ahead_of(group_id)
        standing = turns.standing(state.jobs[group.job_id], group_id)
        explained.append(Explanation(group_id, reasons, position=ahead + 1, ahead=ahead, standing=standing))
    return explained


def _reasons(state: SchedulerState, group: Group, beside: Beside, now: datetime) -> tuple[Reason, ...]:
    job = state.jobs[group.job_id]
    if not group.attempts and (order := why_never(job) or why_not_yet(job, state.dependents.arrays)):
        return order  # what is free until then says nothing about when it comes
    others = (backing_off(job, group, now), why_not_beside(job, state.members_holding), state.sharing.why_full(job))
    request = state.request(group.job_id)
    found = beside.find(request, job, state.waiters.classes.place_of(group.id))
    first = [reason for reason in (_room_made(state, group.id), *others) if reason is not None]
    return all_that_blocks(state, request, found, first)


def _room_made(state: SchedulerState, group: GroupId) -> RoomIsMade | None:
    """Return who is being stopped for a group or gives it workers, None where nobody is."""
    stopping = [state.live[attempt] for attempt in state.losses.stopping]
    leaving = [state.live[attempt] for attempt in state.sizes.leaving]
    stop = [live for live in stopping if live.eviction is not None and live.eviction.beneficiary == group]
    give = [live for live in leaving if (to := live.resizing.given_to) is not None and to.beneficiary == group]
    began = [(live.since, live) for live in stop] + [(live.resizing.began_at or live.since, live) for live in give]
    if not began:
        return None
    until = max(at + timedelta(seconds=live.job.spec.grace_s) for at, live in began)
    return RoomIsMade(len(stop), until, len(give))
