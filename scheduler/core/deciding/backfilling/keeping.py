"""The reservations in a ledger during one pass: who may use their room, who has one made, and who gives way."""

from __future__ import annotations

from datetime import timedelta
from operator import itemgetter
from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.departures import Departures, KnownEnds
from scheduler.core.deciding.backfilling.ends import expected_run_s
from scheduler.core.deciding.backfilling.hopes import TRY_AGAIN_S, TRY_SOON_S
from scheduler.core.deciding.backfilling.overtaking import Stays, stop_by
from scheduler.core.deciding.backfilling.reservations import Reservation, reserve
from scheduler.core.deciding.lacks import pools_of
from scheduler.core.deciding.parts.live import whose_going
from scheduler.core.deciding.parts.waiters import queue_of
from scheduler.core.ledger.changes import Release
from scheduler.core.model.identifiers import job_named_by
from scheduler.core.model.waiting.promise import DropReason

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from scheduler.core.deciding.backfilling.promises import Promises
    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.changes import LedgerChange
    from scheduler.core.ledger.states.amounts import Amounts
    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.ledger.states.leftover import Left
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.group import Group
    from scheduler.core.model.identifiers import AttemptId, ChipName, GroupId

NOWHERE: Mapping[PoolName, None] = {}


class Keeping:
    """The reservations in a ledger during one pass: what they keep is taken, and given to whoever may have it."""

    def __init__(
        self, state: SchedulerState, promises: Promises, apply: Callable[[LedgerChange], object], now: datetime
    ) -> None:
        self._state = state
        self._promises = self.promises = promises
        self.claims = promises.claims
        self._apply = apply
        self._now = now
        self._departures = Departures(state, KnownEnds(state, now))
        self._later: dict[float, tuple[Reservation, ...]] = {}
        """By how long a gang will run at most."""
        self._stays = Stays(state)
        self._before: dict[Reservation, tuple[tuple[NodeEntry, Amounts], ...]] = {}
        """What those kept that were opened last."""
        self._more: dict[PoolName, dict[tuple[Demand, tuple[Reservation, ...]], int]] = {}
        """How many more workers fit into a pool with some reservations open."""
        self._touched: dict[PoolName, None] = {}
        """The pools in which something else is kept since this was last asked."""
        self._standing: tuple[Reservation, ...] | None = None
        self._kept: dict[Reservation, tuple[tuple[NodeEntry, Amounts], ...]] = {}
        """What each keeps now."""
        self.turns = state.order.turns(state.waiters, now)
        """Who comes before whom."""
        self._unasked: dict[Class, None] = dict.fromkeys(promises)
        """Those with a reservation that have not had their turn yet: they give way to whoever has his before them."""
        self._displaced: list[tuple[Class, GroupId]] = []
        """Those that gave way and were not told of yet, with the members that had the reservations."""
        self._pools: dict[Reservation, Mapping[PoolName, None]] = {}
        """Those in which it does."""
        for each in (*self.claims, *promises.standing):
            self._keep(each)

    @property
    def standing(self) -> tuple[Reservation, ...]:
        """All that keep something now: nobody has more room than with these open."""
        if self._standing is None:
            self._standing = tuple(each for each in self._promises.standing if self._kept.get(each))
        return self._standing

    def open_to(self, asker: Class, group: Group) -> tuple[Reservation, ...]:
        """Return the reservations whose room a gang may use, wherever that is.

        They are its own, or that of one that is alike and comes after it, and those that begin after its certain end.
        """
        if not self._promises and not self.claims.are_ready:
            return ()
        own, spec = self._promises.get(asker), self._state.jobs[group.job_id].spec
        longest_s = self._stays.of(group)
        found = () if longest_s is None else self._beginning_after(longest_s)
        place_of = self._state.waiters.classes.place_of
        if own is not None and place_of(group.id) <= place_of(own.group):
            found = (own, *(each for each in found if each is not own))
        claim = self.claims.ready(asker, group.id, spec.priority)
        return found if claim is None else (claim, *found)

    def keeping_some_for(
        self, reservations: Iterable[Reservation], chips: frozenset[ChipName | None]
    ) -> tuple[Reservation, ...]:
        """Return those of the reservations that keep something on nodes with one of some chip types."""
        pools = self._pools
        return tuple(each for each in reservations if any(chip in chips for _, chip in pools.get(each, NOWHERE)))

    def room_in(self, opened: tuple[Reservation, ...], pool: PoolName, demand: Demand) -> int:
        """Return how many more workers would fit into a pool, wherever they stand, if reservations were open."""
        known = self._more.get(pool)
        if known is None:
            known = self._more[pool] = {}
        more = known.get((demand, opened))
        if more is None:
            there = [each for each in opened if pool in self._pools.get(each, NOWHERE)]
            more = known[demand, opened] = self._room_in(there, pool, demand)
        return more

    def _room_in(self, opened: Iterable[Reservation], pool: PoolName, demand: Demand) -> int:
        inventory, (cluster, chip) = self._state.ledger.inventory, pool
        fit = inventory.fit(demand)
        left: dict[NodeEntry, Left] = {}
        for each in opened:
            for entry, amounts in self._kept[each]:
                kind = entry.leftover.kind
                if kind.cluster == cluster and (chip is None or chip in kind.group_of):
                    left[entry] = left.get(entry, entry.leftover.left).plus(amounts, 1)
        return sum(fit[inventory.leftover(more)] - fit[entry.leftover] for entry, more in left.items())

    def pools_of(self, reservations: Iterable[Reservation]) -> dict[PoolName, None]:
        """Return the pools in which reservations keep something."""
        return {pool: None for each in reservations for pool in self._pools.get(each, NOWHERE)}

    def touched(self) -> dict[PoolName, None]:
        """Return the pools in which something else is kept since this was last asked."""
        touched, self._touched = self._touched, {}
        return touched

    def forget(self, pools: Iterable[PoolName]) -> None:
        """Look at pools anew, in which something was placed."""
        for pool in pools:
            self._more.pop(pool, None)

    def stop_by(self, group: Group, opened: Iterable[Reservation]) -> datetime | None:
        """Return by when a gang is to be stopped that was placed with some reservations open, which are closed again.

        None where it took nothing that they keep, or is gone by then for certain.
        """
        overtaken = [each for each in opened if each in self._before and self._kept.get(each) != self._before[each]]
        standing = [each for each in overtaken if each in self._promises.standing]
        return stop_by(self._state.jobs[group.job_id], self._now, standing)

    def _beginning_after(self, run_s: float) -> tuple[Reservation, ...]:
        known = self._later.get(run_s)
        if known is None:
            ends = self._now + timedelta(seconds=run_s)
            known = self._later[run_s] = tuple(each for each in self._promises.standing if ends <= each.begins)
        return known

    def settle(self, asker: Class, group: Group, opened: Collection[Reservation]) -> None:
        """Take note that a gang was placed, with some reservations open: it needs none any more.

        Where it had the room of one that is alike, that one is asked after it, and may have another reservation.
        """
        self.turns.changed(queue_of(asker))
        own = self._promises.get(asker)
        if own is not None and (own.group == group.id or own in opened):
            self._withdraw(asker, DropReason.NOT_NEEDED, besides=opened)
        for claim in [each for each in opened if each in self.claims]:
            self.claims.take(asker, claim, group.id)

    def open(self, reservations: Collection[Reservation]) -> None:
        """Give back what reservations keep."""
        self._before = {each: self._kept[each] for each in reservations}
        for each in reservations:
            self._apply(Release(each.name))

    def close(self, reservations: Collection[Reservation]) -> None:
        """Take for reservations what they keep, of what is left; for those that still stand."""
        standing = self._promises.standing if reservations else []
        for each in reservations:
            if each in standing or each in self.claims:
                self._keep(each)

    def claim(
        self,
        asker: Class,
        claim: Reservation,
        roomy: Iterable[AttemptId],
        priority: int,
        *,
        instead_of: Collection[Reservation] = (),
    ) -> None:
        """Keep what a class is to have instead of any reservation; those that counted on the same are made anew.

        So are those on its nodes that it is kept `instead_of`.
        """
        promises = self._promises
        ends = claim.waits_for | set(map(whose_going, claim.waits_for))
        counted = [(of, kept) for of in promises if (kept := promises.get(of)) is not None]
        gone = [each for each in instead_of if not claim.needs.keys().isdisjoint(each.needs)]
        for of in [of for of, kept in counted if of is asker or kept in gone or not ends.isdisjoint(kept.waits_for)]:
            self._withdraw(of, DropReason.NOT_NEEDED if of is asker else DropReason.GOES_FIRST)
            if of is not asker:
                promises.lose(of)
        self.claims.keep(asker, claim, roomy, priority)
        self._keep(claim)

    def expect(self, claim: Reservation, priority: int) -> None:
        """Keep what a gang is to have that goes on elsewhere, for when it waits."""
        self.claims.expect(claim, priority)
        self._keep(claim)

    def have_turn(self, asker: Class) -> None:
        """Take note that a class has its turn: from now on its reservation gives way to nobody in this pass."""
        self._unasked.pop(asker, None)

    def displaced(self) -> list[tuple[Class, GroupId]]:
        """Return those whose reservations gave way since this was last asked, with the member that each was for."""
        displaced, self._displaced = self._displaced, []
        return displaced

    def promise(self, asker: Class, at: int = 0) -> bool:
        """Make a reservation for a member of a class that has no place, if it may have one and there is any.

        It has waited long enough, and fewer stand than may; or others have one whose turn is after its own and still
        to come. Of these the last gives way where all are given, and those give way that need a node of its room: they
        are `displaced`. A reservation that stands is kept as it is. Return whether anything was tried: then what is
        kept may be something else.
        """
        promises, group = self._promises, asker.members[at][1]
        own = promises.get(asker)
        place_of = self._state.waiters.classes.place_of
        if self.claims.count(asker) or (own is not None and place_of(own.group) <= asker.members[at]):
            return False
        of_age = promises.hopes.of_age(self._state.jobs[job_named_by(group)].submitted_at, self._now)
        if self._now < of_age:
            promises.hopes.wait(asker, of_age)
            return False
        if own is not None:
            self._give_way(asker, besides=asker)
        behind = self._behind(asker)
        if promises.are_all_given:
            if not behind:
                promises.hopes.park(asker)
                return False
            self._give_way(behind.pop())
        self._make(asker, group, [row for each in behind if (row := promises.get(each)) is not None])
        return True

    def _behind(self, asker: Class) -> list[Class]:
        """Return those that would give way to a class, in their order."""
        if not self._unasked:
            return []
        turn = self.turns.of(asker)
        rows = [(self.turns.of(each), each) for each in self._unasked if self._promises.get(each) is not None]
        return [each for _, each in sorted((row for row in rows if turn < row[0]), key=itemgetter(0))]

    def _make(self, asker: Class, group: GroupId, behind: Collection[Reservation]) -> None:
        promises, state = self._promises, self._state
        run = expected_run_s(state.jobs[job_named_by(group)], state.run_times)
        made = reserve(
            state,
            group,
            asker.asked[0],
            self._departures,
            standing=[*(each for each in promises.standing if each not in behind), *self.claims],
            instead_of=behind,
            run_s=None if run is None else run[0],
        )
        if made is None:
            again_s = TRY_SOON_S if promises.had_one(asker) else TRY_AGAIN_S
            promises.hopes.wait(asker, self._now + timedelta(seconds=again_s))
            return
        for each in behind:
            which = state.waiters.classes.of(each.group)
            if which is not None and promises.get(which) is each and not made.needs.keys().isdisjoint(each.needs):
                self._give_way(which)
        promises.keep(asker, made)
        self._keep(made)

    def _give_way(self, of: Class, *, besides: Class | None = None) -> None:
        """Drop a reservation, and those that counted on its end; whoever had one, but `besides`, is displaced."""
        for dropped in self._withdraw(of, DropReason.GOES_FIRST):
            which = self._state.waiters.classes.of(dropped.group)
            if which is not None and which is not besides:
                self._displaced.append((which, dropped.group))

    def _keep(self, reservation: Reservation) -> None:
        aside = reservation.set_aside(self._state.ledger)
        self._apply(aside)
        self._kept[reservation] = aside.amounts
        self._pools[reservation] = pools_of(entry for entry, _ in aside.amounts)
        self._is_other_now(reservation)

    def _is_other_now(self, reservation: Reservation) -> None:
        """Forget what was worked out from what is kept, for this one keeps something else now, or nothing."""
        self._standing = None
        self._later.clear()
        pools = self._pools.get(reservation, NOWHERE)
        self._touched.update(pools)
        self.forget(pools)

    def _withdraw(self, of: Class, why: DropReason, *, besides: Collection[Reservation] = ()) -> list[Reservation]:
        """Let a class have no reservation; what is kept `besides` is open now anyway. Return what was dropped."""
        dropped = self._promises.drop(of, why)
        for each in dropped:
            self._is_other_now(each)
            if each not in besides:
                self._apply(Release(each.name))
        return dropped
