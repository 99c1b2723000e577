"""One pass: whoever is first in the queue of those who may have a place is asked first."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.core.deciding.lacks import LacksQuota, LacksTurn
from scheduler.core.deciding.ordering.recording import Recorder
from scheduler.core.deciding.parts.waiters import queue_of
from scheduler.core.deciding.waking import Waking
from scheduler.core.model.decision import Evicted, Placed, Refused, Resized, Waiting
from scheduler.core.model.job import Wish
from scheduler.core.model.reason import ArrayIsFull, QueueIsFull

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scheduler.core.deciding.backfilling.keeping import Keeping
    from scheduler.core.deciding.backfilling.reservations import Reservation
    from scheduler.core.deciding.cycle import Cycle, Opened
    from scheduler.core.deciding.lacks import Lack, LacksRoom, PoolName
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.deciding.preempting.evicting import Evicting
    from scheduler.core.deciding.sleepers import Sleepers, Wanted
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.decision import Decision
    from scheduler.core.model.group import Group
    from scheduler.core.model.identifiers import GroupId
    from scheduler.core.model.sharing.queue import QueueName
    from scheduler.core.placement.request import GangRequest
    from scheduler.core.queueing.lines import Line

    Turn = tuple[Class, int]
    """A class, and which of its members."""


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
        self._asked: set[Class] = set()
        """Of these the first member was asked in this pass."""
        self._decided: set[GroupId] = set()
        """Groups that were placed or refused."""
        self._looked_at: dict[QueueName, Class] = {}
        """Who was found first of those that sleep in a queue."""
        self._displaced: dict[Turn, None] = {}
        """Turns of those whose reservations gave way."""
        self.asked = 0

    def decide(
        self, candidates: Iterable[Class], grown: Iterable[PoolName] = ()
    ) -> Iterator[Placed | Refused | Evicted | Resized]:
        """Yield what changes; who has no place sleeps on, or again.

        The candidates are asked anyway; of those that sleep for room in pools that have `grown` who may have some.
        """
        waking = Waking(self._sleepers, grown, self._most_room, self._may_wake)
        line: Line[Turn | QueueName] = self._keeping.turns.line(
            [
                *((queue_of(each), each.first, (each, 0)) for each in candidates if each.members),
                *((queue, key, queue) for queue, key in waking.queues()),
            ]
        )
        while (row := line.pop()) is not None:
            turn = self._woken(line, waking, row) if isinstance(row, str) else row
            if turn is None or not self._is_asked_now(turn):
                continue
            found, at = turn
            self._keeping.have_turn(found)
            decision, opened = self._decide(found, at)
            if isinstance(decision, Placed | Refused):
                self._decided.add(decision.group)
                yield decision
            if isinstance(decision, Placed):
                line.changed(queue_of(found))
                waking.look_again()
            following = self._following(found, at, decision, opened)
            yield from self._evicted
            self._evicted.clear()
            if following is not None:
                line.push(queue_of(found), found.members[following][0], (found, following))
            for displaced in self._displaced_now():
                line.push(queue_of(displaced[0]), displaced[0].members[displaced[1]][0], displaced)

    def _woken(self, line: Line[Turn | QueueName], waking: Waking, queue: QueueName) -> Turn | None:
        """Return the first of those that sleep in a queue who may have room, if it is his turn; else let him wait."""
        if not waking:
            line.keep(lambda row: not isinstance(row, str))
            return None
        found = waking.first(queue)
        if found is None:
            return None
        if self._looked_at.get(queue) is not found:
            self._looked_at[queue] = found
            line.push(queue, found.first, queue)  # others of the queue may come before him
            return None
        following = waking.take(queue)
        if following is not None:
            line.push(queue, following, queue)
        return found, 0

    def _is_asked_now(self, turn: Turn) -> bool:
        """Say whether a turn is to be had: not where a class was displaced, or woken, and had its first turn before."""
        found, at = turn
        if turn in self._displaced:
            del self._displaced[turn]
            self._sleepers.remove(found)
        elif at == 0 and found in self._asked:
            return False
        if at == 0:
            self._asked.add(found)
            self._sleepers.remove(found)
        return True

    def _displaced_now(self) -> list[Turn]:
        """Return those whose reservations gave way to somebody: they are to be asked in their turn, asked or not."""
        found: list[Turn] = []
        for each, group in self._keeping.displaced():
            # one that was not asked yet begins with its first member; one that was goes on with whom it was for
            at = bisect_left(each.members, self._state.waiters.classes.place_of(group)) if each in self._asked else 0
            found.append((each, at))
        self._displaced.update(dict.fromkeys(found))
        return found

    def _most_room(self, lack: LacksRoom, request: GangRequest) -> int:
        return self._room(lack, request, self._keeping.standing)

    def _may_wake(self, sleeper: Class, wants: Iterable[Wanted]) -> bool:
        """Say whether the numbers allow something to some member, with the reservations that are open to it."""
        return sleeper not in self._asked and any(
            self._may_have_room(sleeper, lack, workers) for lack, workers in wants
        )

    def _may_have_room(self, sleeper: Class, lack: LacksRoom, workers: int) -> bool:
        request = sleeper.asked[0]
        if workers <= self._room(lack, request, ()):
            return True
        members = (self._member(sleeper, at) for at in range(len(sleeper.members)))
        return any(
            self._room(lack, request, opened) >= workers
            for opened in dict.fromkeys(self._keeping.open_to(sleeper, member) for member in members)
            if opened
        )

    def _room(self, lack: LacksRoom, request: GangRequest, opened: tuple[Reservation, ...]) -> int:
        room = self._cycle.numbers.room(lack, request)
        return room + self._keeping.room_in(opened, lack.pool, lack.demand) if opened else room

    def _member(self, found: Class, at: int) -> Group:
        return self._state.waiting[found.members[at][1]]

    def _decide(self, found: Class, at: int) -> tuple[Decision | None, Opened]:
        """Return the decision on one member, and with the names of which reservations open to it it was asked.

        None for one whose job is to stop or that was decided on already.
        """
        group = self._member(found, at)
        if self._state.jobs[group.job_id].wish is not Wish.RUN or group.id in self._decided:
            return None, ()
        self.asked += 1
        opened, may_fit = self._opened(found, group)
        if not opened:
            decision = self._cycle.decide(group, may_fit=may_fit)
            if isinstance(decision, Placed):
                decision = self._settled(found, group, decision, ())
            return decision, ()
        numbers, keeping, names = self._cycle.numbers, self._keeping, tuple(each.name for each in opened)
        pools = keeping.pools_of(opened)
        keeping.open(opened)
        numbers.forget(pools)
        decision = self._cycle.decide(group, names)
        if isinstance(decision, Placed):
            decision = self._settled(found, group, decision, opened)
        keeping.close(opened)
        numbers.forget(pools)
        if isinstance(decision, Placed):
            decision = replace(decision, stop_by=keeping.stop_by(group, opened))
        return decision, names

    def _settled(self, found: Class, group: Group, placed: Placed, opened: tuple[Reservation, ...]) -> Placed:
        keeping = self._keeping
        keeping.forget(self._cycle.touched)
        grounds = self._recorder.grounds(group, keeping.standing)
        keeping.settle(found, group, opened)
        self._cycle.numbers.forget(keeping.touched())
        return replace(placed, grounds=grounds)

    def _following(self, found: Class, at: int, decision: Decision | None, opened: Opened) -> int | None:
        """Return which member is to be asked next, None where none is: then the class sleeps if all lack the same."""
        members, request = found.members, found.asked[0]
        following = at + 1 if at + 1 < len(members) else None
        if not isinstance(decision, Waiting):
            return following
        is_blocked = self._cycle.is_blocked(request, opened)
        lacking = self._lacking(found, decision, is_blocked=is_blocked)
        if lacking is None:
            return following
        is_new = found not in self._sleepers
        if is_new:
            self._sleepers.put(found, lacking)
        if is_blocked and self._evict_for(found, at):
            return following
        if is_new and is_blocked and self._keeping.promise(found, at):
            self._cycle.numbers.forget(self._keeping.touched())
        if following is None or self._cycle.is_hopeless(request):
            return following
        return next((later for later in range(following, len(members)) if self._may_differ(found, later)), None)

    def _evict_for(self, found: Class, at: int) -> bool:
        """Let others be stopped for a member that is blocked, if it may have that; say whether room is kept for it."""
        if self._evicting is None:
            return False
        evicted = self._evicting.evict_for(found, at)
        if evicted is None:
            return False
        self._evicted += evicted
        self._cycle.numbers.forget(self._keeping.touched())
        return True

    def _may_differ(self, found: Class, at: int) -> bool:
        """Say whether a member of a class that is blocked may have room that others of it may not use, or make some."""
        if self._evicting is not None and self._evicting.may_try(found, at):
            return True
        opened, _ = self._opened(found, self._member(found, at))
        return bool(opened) and not self._cycle.is_blocked(found.asked[0], tuple(each.name for each in opened))

    def _opened(self, found: Class, group: Group) -> tuple[tuple[Reservation, ...], bool]:
        """Return the reservations that are open to a group, if with them the numbers allow it a place; else none.

        And whether they may allow it one at all: that they do not with more open than none says it for none as well.
        """
        opened, request = self._keeping.open_to(found, group), found.asked[0]
        if not opened:
            return (), True
        # the quota of what is kept with a share of it cannot be told while that counts
        has_share = any(each.quota is not None for each in opened)
        if not has_share and not self._cycle.numbers.allow(
            request, lambda lack, request: self._room(lack, request, opened)
        ):
            return (), False
        return self._keeping.keeping_some_for(opened, request.chips), True

    def _lacking(self, found: Class, waiting: Waiting, *, is_blocked: bool) -> list[tuple[Lack, int]] | None:
        """Return what all members of a class lack, None where it is that one alone that waits.

        Nothing is named for those that sleep already: that was worked out when they began to.
        """
        request, array, _ = found.asked
        if is_blocked:
            return [] if found in self._sleepers else list(self._cycle.numbers.lacks(request))
        if array is not None and any(isinstance(reason, ArrayIsFull) for reason in waiting.reasons):
            return [(LacksTurn(array), 0)]
        full = next((reason for reason in waiting.reasons if isinstance(reason, QueueIsFull)), None)
        if full is not None:
            return [(LacksQuota(full.queue), 0)]
        return None
