"""One pass: whoever is first in the queue of those who may have a place is asked first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.core.deciding.lacks import LacksQuota, LacksTurn
from scheduler.core.deciding.ordering.recording import Recorder
from scheduler.core.deciding.parts.waiters import queue_of
from scheduler.core.model.decision import Evicted, Placed, Refused, Resized, Waiting
from scheduler.core.model.job import Wish
from scheduler.core.model.reason import ArrayIsFull, QueueIsFull

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scheduler.core.deciding.backfilling.promises import Keeping
    from scheduler.core.deciding.backfilling.reservations import Reservation
    from scheduler.core.deciding.cycle import Cycle
    from scheduler.core.deciding.lacks import Lack, LacksRoom
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.deciding.preempting.evicting import Evicting
    from scheduler.core.deciding.sleepers import Sleepers, Wanted
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.decision import Decision
    from scheduler.core.model.group import Group
    from scheduler.core.placement.request import GangRequest
    from scheduler.core.queueing.lines import Line


class Contest:
    """Decisions on those who may have a place."""

    def __init__(
        self,
        state: SchedulerState,
        cycle: Cycle,
        sleepers: Sleepers,
        keeping: Keeping,
        evicting: Evicting | None = None,
    ) -> None:
        """Without `evicting` nobody is stopped for anybody."""
        self._state = state
        self._evicting = evicting
        self._evicted: list[Evicted | Resized] = []
        """Those that stop or give way for others, and were not told yet."""
        self._cycle = cycle
        self._sleepers = sleepers
        self._keeping = keeping
        self._recorder = Recorder(state, keeping.turns)
        self._known: dict[tuple[LacksRoom, tuple[Reservation, ...]], int] = {}
        """How many workers fit of what is lacked, with some reservations open: since something was placed last."""
        self._useful: dict[tuple[GangRequest, tuple[Reservation, ...]], bool] = {}
        """Whether with some reservations open the numbers allow a gang a place."""
        self.asked = 0

    def decide(self, candidates: Mapping[Class, Wanted | None]) -> Iterator[Placed | Refused | Evicted | Resized]:
        """Yield what changes; who has no place sleeps on, or again.

        Of each candidate it is said what it lacked that there may be enough of now; None: it is to be asked anyway.
        """
        line: Line[tuple[Class, int]] = self._keeping.turns.line(
            [(queue_of(each), each.first, (each, 0)) for each in candidates if each.members]
        )
        while (row := line.pop()) is not None:
            found, at = row
            if at == 0:
                if not self._may_have_room(found, candidates[found]):
                    line.keep(lambda row: row[1] > 0 or self._may_have_room(row[0], candidates[row[0]]))
                    continue
                self._sleepers.remove(found)
            decision = self._decide(found, at)
            if isinstance(decision, Placed | Refused):
                yield decision
            if isinstance(decision, Placed):
                line.changed(queue_of(found))
            following = self._following(found, at, decision)
            yield from self._evicted
            self._evicted.clear()
            if following is not None:
                line.push(queue_of(found), found.members[following][0], (found, following))

    def _may_have_room(self, sleeper: Class, wanted: Wanted | None) -> bool:
        """Say whether the numbers allow a place for some member, with the reservations that are open to it."""
        if wanted is None or self._keeping.claims.is_ready(sleeper):
            return True
        lack, workers = wanted
        if workers > self._room(lack, sleeper, self._keeping.standing):
            return False
        if workers <= self._room(lack, sleeper, ()):
            return True
        members = (self._member(sleeper, at) for at in range(len(sleeper.members)))
        return any(
            self._room(lack, sleeper, opened) >= workers
            for opened in dict.fromkeys(self._keeping.open_to(sleeper, member) for member in members)
            if opened
        )

    def _room(self, lack: LacksRoom, asker: Class, opened: tuple[Reservation, ...]) -> int:
        room = self._known.get((lack, opened))
        if room is None:
            room = self._cycle.numbers.room(lack, asker.asked[0])
            room += self._keeping.room_in(opened, lack.pool, lack.demand)
            self._known[lack, opened] = room
        return room

    def _member(self, found: Class, at: int) -> Group:
        return self._state.waiting[found.members[at][1]]

    def _decide(self, found: Class, at: int) -> Decision | None:
        """Return the decision on one member, None for one whose job is to stop."""
        group = self._member(found, at)
        if self._state.jobs[group.job_id].wish is not Wish.RUN:
            return None
        self.asked += 1
        opened = self._opened(found, group)
        if opened:
            self._keeping.open(opened)
            self._cycle.numbers.forget()
        decision = self._cycle.decide(group, tuple(each.name for each in opened))
        if isinstance(decision, Placed):
            self._known.clear()
            self._useful.clear()
            grounds = self._recorder.grounds(group, self._keeping.standing)
            decision = replace(decision, grounds=grounds)
            self._keeping.settle(found, group, opened)
        if opened:
            self._keeping.close(opened)
            self._cycle.numbers.forget()
        return decision

    def _following(self, found: Class, at: int, decision: Decision | None) -> int | None:
        """Return which member is to be asked next, None where none is: then the class sleeps if all lack the same."""
        lacking = self._lacking(found, at, decision) if isinstance(decision, Waiting) else None
        if lacking is None:
            return at + 1 if at + 1 < len(found.members) else None
        request = found.asked[0]
        is_new = found not in self._sleepers
        if is_new:
            self._sleepers.put(found, lacking)
        if self._evict_for(found, at):
            return at + 1 if at + 1 < len(found.members) else None
        if is_new and self._is_blocked(found, at) and self._keeping.promise(found, at):
            self._forget_room()
        if self._cycle.is_hopeless(request):
            return at + 1 if at + 1 < len(found.members) else None
        return next((later for later in range(at + 1, len(found.members)) if self._may_differ(found, later)), None)

    def _evict_for(self, found: Class, at: int) -> bool:
        """Let others be stopped for a member, if it is blocked and may have that; say whether room is kept for it."""
        if self._evicting is None or not self._is_blocked(found, at):
            return False
        evicted = self._evicting.evict_for(found, at)
        if evicted is None:
            return False
        self._evicted += evicted
        self._forget_room()
        return True

    def _forget_room(self) -> None:
        """Forget what was read of the ledger, for what is kept is something else now."""
        self._cycle.numbers.forget()
        self._known.clear()
        self._useful.clear()

    def _may_differ(self, found: Class, at: int) -> bool:
        """Say whether a member of a class that is blocked may have room that others of it may not use, or make some."""
        if self._evicting is not None and self._evicting.may_try(found, at):
            return True
        return bool(self._opened(found, self._member(found, at))) and not self._is_blocked(found, at)

    def _opened(self, found: Class, group: Group) -> tuple[Reservation, ...]:
        """Return the reservations that are open to a group, if with them the numbers allow it a place; else none."""
        opened, request = self._keeping.open_to(found, group), found.asked[0]
        if not opened:
            return ()
        is_useful = self._useful.get((request, opened))
        if is_useful is None:
            # the quota of what is kept with a share of it cannot be told while that counts
            is_useful = any(each.quota is not None for each in opened) or self._cycle.numbers.allow(
                request, lambda lack, _: self._room(lack, found, opened)
            )
            self._useful[request, opened] = is_useful
        return opened if is_useful else ()

    def _is_blocked(self, found: Class, at: int) -> bool:
        """Say whether a member was found to have no place, or another one for whom the same reservations are open."""
        opened = self._opened(found, self._member(found, at))
        return self._cycle.is_blocked(found.asked[0], tuple(each.name for each in opened))

    def _lacking(self, found: Class, at: int, waiting: Waiting) -> list[tuple[Lack, int]] | None:
        """Return what all members of a class lack, None where it is that one alone that waits.

        Nothing is named for those that sleep already: that was worked out when they began to.
        """
        request, array, _ = found.asked
        if self._is_blocked(found, at):
            return [] if found in self._sleepers else list(self._cycle.numbers.lacks(request))
        if array is not None and any(isinstance(reason, ArrayIsFull) for reason in waiting.reasons):
            return [(LacksTurn(array), 0)]
        full = next((reason for reason in waiting.reasons if isinstance(reason, QueueIsFull)), None)
        if full is not None:
            return [(LacksQuota(full.queue), 0)]
        return None
