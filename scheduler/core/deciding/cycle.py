"""The decision cycle: every waiting group, in order, gets its decision on one state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.deciding.neighbours import Neighbours
from scheduler.core.deciding.options import Blocked, find_place
from scheduler.core.ledger.changes import Seat
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.decision import Decision, Placed, Refused, Waiting
from scheduler.core.model.job import Wish
from scheduler.core.model.reason import BackingOff
from scheduler.core.queueing.arrays import MembersHolding, why_not_beside
from scheduler.core.queueing.dependencies import why_never, why_not_yet
from scheduler.core.queueing.order import queue_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.changes import LedgerChange
    from scheduler.core.model.group import Group
    from scheduler.core.model.job import Job
    from scheduler.core.placement.request import GangRequest


def decide(state: SchedulerState, now: datetime) -> list[Decision]:
    """Return one decision per waiting group, in the order of the queue; none for a job that is to stop.

    What is placed counts as held for all who come after it. A group that must wait blocks nobody behind it. The
    state is afterwards what it was before.
    """
    with Trial(state.ledger) as trial:
        cycle = Cycle(state, trial.apply, now)
        return [cycle.decide(group) for group in queue(state) if state.jobs[group.job_id].wish is Wish.RUN]


def queue(state: SchedulerState) -> list[Group]:
    """Return the waiting groups, first in the queue first."""
    return sorted(state.waiting.values(), key=lambda group: queue_key(state.jobs[group.job_id], group))


def next_due(state: SchedulerState, now: datetime) -> datetime | None:
    """Return when the next back-off ends, None where no waiting group is backing off."""
    return min((due for group in state.waiting.values() if (due := group.not_before) and due > now), default=None)


def backing_off(job: Job, group: Group, now: datetime) -> BackingOff | None:
    """Return the reason why no attempt may be made yet, None where one may."""
    if group.not_before is None or group.not_before <= now:
        return None
    return BackingOff(group.not_before, group.failures, job.spec.retries, group.stop_reason)


class Cycle:
    """Decisions on one state, one group after the other. Meanwhile only they may change it."""

    def __init__(self, state: SchedulerState, apply: Callable[[LedgerChange], object], now: datetime) -> None:
        self._state = state
        self._apply = apply
        self._now = now
        self._blocked: dict[GangRequest, Blocked] = {}
        """Capacity and quota only shrink during a cycle: who asks the same as one who was blocked is blocked too."""
        self._placed = Neighbours()
        self._members_placed = MembersHolding()

    def decide(self, group: Group) -> Decision:
        """Decide on one group; where it is placed, apply that its place is held."""
        state = self._state
        if group.not_before is not None:
            pause = backing_off(state.jobs[group.job_id], group, self._now)
            if pause is not None:
                return Waiting(group.id, (pause,))
        request = state.request(group.job_id)
        # what had a place once is only short of nodes now, and where nodes are still to come everything may fit
        if not group.attempts and state.has_all_nodes and (never := state.reasons_why_never(request)):
            return Refused(group.id, group.version, never)
        job = state.jobs[group.job_id]
        if (job.spec.after or job.spec.array) and (held_up := self._held_up_by_others(job, group)):
            return held_up
        blocked = self._blocked.get(request)
        if blocked is None:
            found = find_place(state, request, self._placed)
            if not isinstance(found, Blocked):
                attempt = group.next_attempt
                self._apply(Seat(attempt, request.tenant, found.seatings))
                self._placed.place(job, attempt)
                self._members_placed.take(job)
                return Placed(group.id, group.version, attempt, found)
            blocked = self._blocked[request] = found
        return Waiting(group.id, blocked.reasons)

    def _held_up_by_others(self, job: Job, group: Group) -> Decision | None:
        """Return what becomes of a group for what other jobs do: those that it comes after, and those of its array."""
        if not group.attempts:
            if lost := why_never(job):
                return Refused(group.id, group.version, lost)
            if awaited := why_not_yet(job, self._state.dependents.arrays):
                return Waiting(group.id, awaited)
        full = why_not_beside(job, self._state.members_holding, self._members_placed)
        return None if full is None else Waiting(group.id, (full,))
