"""The decision cycle: groups that wait get their decisions on one state, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.deciding.lacks import Numbers, pools_of
from scheduler.core.deciding.options import find_place
from scheduler.core.deciding.parts.neighbours import Neighbours
from scheduler.core.ledger.changes import Seat
from scheduler.core.model.decision import Decision, Placed, Refused, Waiting
from scheduler.core.model.reason import BackingOff
from scheduler.core.queueing.arrays import MembersHolding, why_not_beside
from scheduler.core.queueing.dependencies import why_never, why_not_yet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.changes import LedgerChange
    from scheduler.core.model.group import Group
    from scheduler.core.model.job import Job
    from scheduler.core.placement.request import GangRequest

Opened = tuple[str, ...]


def backing_off(job: Job, group: Group, now: datetime) -> BackingOff | None:
    """Return the reason why no attempt may be made yet, None where one may."""
    if group.not_before is None or group.not_before <= now:
        return None
    return BackingOff(group.not_before, group.failures, job.spec.retries, group.stop_reason)


class Cycle:
    """Decisions on one state, one group after the other. Meanwhile only they may change it."""

    def __init__(self, state: SchedulerState, apply: Callable[[LedgerChange], object], now: datetime) -> None:
        self._state = state
        self._give = apply
        self.numbers = Numbers(state)
        """Of the state as it is now; whoever else changes the ledger lets them be forgotten."""
        self.touched: Collection[PoolName] = ()
        """The pools in which the latest gang was placed."""
        self._now = now
        self._has_all_nodes = state.fleet.has_all_nodes
        self._limits_running = state.sharing.limits_running
        self._blocked: set[tuple[GangRequest, Opened]] = set()
        """Capacity and quota only shrink during a cycle: who asks the same as one who was blocked is blocked too."""
        self._placed = Neighbours()
        self._members_placed = MembersHolding()

    def decide(self, group: Group, opened: Opened = (), *, may_fit: bool = True) -> Decision:
        """Decide on one group; where it is placed, apply that its place is held.

        `opened` names the reservations whose room is there for this group and not for others. Not `may_fit`: the
        numbers are known to allow it no place.
        """
        state = self._state
        if group.not_before is not None:
            pause = backing_off(state.jobs[group.job_id], group, self._now)
            if pause is not None:
                return Waiting(group.id, (pause,))
        request = state.request(group.job_id)
        # what had a place once is only short of nodes now
        if not group.attempts and self.is_hopeless(request) and not state.requests.is_narrowed(group.job_id):
            return Refused(group.id, group.version, state.requests.reasons_why_never(request))
        job = state.jobs[group.job_id]
        others_count = job.spec.after or job.spec.array or self._limits_running
        if others_count and (held_up := self._held_up_by_others(job, group)):
            return held_up
        if (request, opened) not in self._blocked:
            found = find_place(state, request, self._placed) if may_fit and self.numbers.leave_open(request) else None
            if found is not None:
                attempt, seatings = group.next_attempt, found.seatings
                self._give(Seat(attempt, request.tenant, seatings, job.account, found.compute_milli))
                self.touched = pools_of([entry for seating in seatings for entry in seating.nodes])
                self.numbers.forget(self.touched)
                self._placed.place(job, attempt)
                self._members_placed.take(job)
                return Placed(group.id, group.version, attempt, found)
            self._blocked.add((request, opened))
        return Waiting(group.id, ())

    def is_hopeless(self, request: GangRequest) -> bool:
        """Say whether gangs that ask for this would have no place if nothing ran; where nodes are to come, they may."""
        return self._has_all_nodes and bool(self._state.requests.reasons_why_never(request))

    def is_blocked(self, request: GangRequest, opened: Opened = ()) -> bool:
        """Say whether gangs that ask for this were found to have no place, for whom the same reservations are open."""
        return (request, opened) in self._blocked

    def _held_up_by_others(self, job: Job, group: Group) -> Decision | None:
        """Return what becomes of a group for what other jobs do: those it comes after, of its array, of its queue."""
        if not group.attempts:
            if lost := why_never(job):
                return Refused(group.id, group.version, lost)
            if awaited := why_not_yet(job, self._state.dependents.arrays):
                return Waiting(group.id, awaited)
        beside = why_not_beside(job, self._state.members_holding, self._members_placed)
        full = beside or self._state.sharing.why_full(job)
        return None if full is None else Waiting(group.id, (full,))
