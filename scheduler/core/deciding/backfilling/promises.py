"""The reservations that stand: those of the first in the queue that found no place."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from scheduler.core.deciding.backfilling.claims import Claims
from scheduler.core.deciding.backfilling.ends import ExpectedEnd, expected_end, expected_run_s
from scheduler.core.deciding.backfilling.hopes import RESERVE_AFTER_S, TRY_AGAIN_S, Hopes
from scheduler.core.deciding.backfilling.reservations import RESERVED, Reservation, reserve
from scheduler.core.deciding.backfilling.writing_down import taken_over, written_down
from scheduler.core.deciding.parts.live import whose_going
from scheduler.core.deciding.parts.waiters import queue_of
from scheduler.core.ledger.changes import Release
from scheduler.core.model.identifiers import job_named_by
from scheduler.core.model.waiting.promise import Dropped, DropReason

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.ordering.turns import Turn, Turns
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.changes import LedgerChange
    from scheduler.core.ledger.states.amounts import Amounts
    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.ledger.states.leftover import Left
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.group import Group
    from scheduler.core.model.identifiers import AttemptId, ChipName, GroupId
    from scheduler.core.model.waiting.promise import Promise

MOST_PROMISES = 16
"""So many reservations stand at a time: each of them keeps room idle."""
NOTHING: frozenset[ChipName | None] = frozenset()
OVERDUE_S = 60.0
"""One whose gang did not begin by then was wrong about when others end, and is made anew."""


class Promises:
    """Reservations by the class of the gang that each is for: the first of its class that found no place."""

    def __init__(self, most: int = MOST_PROMISES, reserve_after_s: float = RESERVE_AFTER_S) -> None:
        self._most = most
        self.hopes = Hopes(reserve_after_s)
        """Those that may have one later."""
        self._by_class: dict[Class, Reservation] = {}
        self._given_back: dict[PoolName, None] = {}
        self._lost: dict[Class, None] = {}
        self.claims = Claims()
        """Room for whom others were stopped: beside these, and however many there are."""
        self._written: dict[GroupId, tuple[Reservation, Promise]] = {}
        """Which of them were found to be what is written down."""
        self._why: dict[GroupId, DropReason] = {}
        """Why those that stand there, and here no more, were dropped."""

    @classmethod
    def of(cls, state: SchedulerState, most: int = MOST_PROMISES, reserve_after_s: float = RESERVE_AFTER_S) -> Self:
        """Take over the promises that were written down, as far as they can be kept."""
        found = cls(most, reserve_after_s)
        known: set[AttemptId] = set()
        for promise in sorted(state.promised.values(), key=lambda each: (each.begins, each.group)):
            which, kept = state.waiters.classes.of(promise.group), taken_over(promise, state.ledger)
            others = {end.name for end in promise.awaited if end.name.startswith(RESERVED)}
            if which is None or kept is None or found.get(which) is not None or not others <= known:
                continue
            if not found.are_all_given:
                found.keep(which, kept)
                known.add(kept.name)
        return found

    def __iter__(self) -> Iterator[Class]:
        return iter(self._by_class)

    def __len__(self) -> int:
        return len(self._by_class)

    def get(self, of: Class) -> Reservation | None:
        """Return the reservation of a class, None where it has none."""
        return self._by_class.get(of)

    @property
    def standing(self) -> list[Reservation]:
        """All of them, those first that begin first."""
        return sorted(self._by_class.values(), key=lambda each: (each.begins, each.group))

    def awaiting(self, attempt: AttemptId) -> list[Reservation]:
        """Return the reservations that count on the end of an attempt."""
        return [each for each in self.standing if attempt in each.waits_for]

    def keep(self, of: Class, reservation: Reservation) -> None:
        """Let a class have a reservation."""
        self._by_class[of] = reservation
        self._lost.pop(of, None)

    def drop(self, of: Class, why: DropReason) -> list[Reservation]:
        """Let a class have none, nor those who counted on its end; return what they had."""
        first = self._by_class.pop(of, None)
        if first is None:
            return []
        self._why[first.group] = why
        dropped = [first]
        for entry in first.needs:
            kind = entry.leftover.kind
            self._given_back.update(dict.fromkeys((kind.cluster, chip) for chip in (None, *kind.group_of)))
        for other in [each for each, kept in self._by_class.items() if first.name in kept.waits_for]:
            self.lose(other)
            dropped += self.drop(other, DropReason.GOES_FIRST)
        return dropped

    def lose(self, of: Class) -> None:
        """Note that a class has no reservation any more through no doing of its own."""
        self._lost[of] = None

    def lost(self) -> list[Class]:
        """Return those whose reservation went with another one since this was last asked."""
        lost = list(self._lost)
        self._lost.clear()
        return lost

    def given_back(self) -> list[PoolName]:
        """Return the pools in which reservations were dropped since this was last asked."""
        pools = list(self._given_back)
        self._given_back.clear()
        return pools

    def unwritten(self, present: Mapping[GroupId, Promise]) -> list[Promise | Dropped]:
        """Return what differs from the promises that are written down: what was dropped, then what was made."""
        standing = {kept.group: kept for kept in self.standing}
        gone = sorted(name for name in present if name not in standing)
        news: list[Promise | Dropped] = [Dropped(name, self._why.get(name, DropReason.NOT_NEEDED)) for name in gone]
        self._why = {name: self._why[name] for name in gone if name in self._why}
        found, self._written = self._written, {}
        for name, kept in standing.items():
            there, known = present.get(name), found.get(name)
            if known is None or known[0] is not kept or known[1] is not there:
                promise = written_down(kept)
                if promise != there:
                    news.append(promise)
                    continue
                known = (kept, promise if there is None else there)
            self._written[name] = known
        return news

    def fallen(self, state: SchedulerState, now: datetime) -> list[tuple[Class, DropReason]]:
        """Return those whose reservation is worth nothing any more, with why."""
        found = [(each, _why_fallen(each, kept, state, now)) for each, kept in self._by_class.items()]
        return [(each, why) for each, why in found if why is not None]

    def behind(self, asker: Class, turns: Turns) -> list[tuple[Class, Reservation]]:
        """Return those that have one and come after a class, in their order, with what they have."""
        turn = turns.of(asker)
        behind = [row for row in self._by_class.items() if turn < turns.of(row[0])]
        return sorted(behind, key=lambda row: turns.of(row[0]))

    @property
    def are_all_given(self) -> bool:
        """Whether as many stand as may."""
        return self.left <= 0

    @property
    def left(self) -> int:
        """How many more may be given."""
        return self._most - len(self._by_class)

    def next_due(self, now: datetime) -> datetime | None:
        """Return when one is overdue, or somebody may have one, though nothing changes; None where nothing is."""
        overdue = [kept.begins + timedelta(seconds=OVERDUE_S) for kept in self._by_class.values()]
        hoped = self.hopes.next_due(now, self.left)
        return min([*([hoped] if hoped else []), *overdue], default=None)


def _why_fallen(of: Class, kept: Reservation, state: SchedulerState, now: datetime) -> DropReason | None:
    if state.waiters.classes.of(kept.group) is not of:
        return DropReason.NOT_NEEDED
    if not kept.stands(state.ledger):
        return DropReason.NODES
    return DropReason.OVERDUE if now > kept.begins + timedelta(seconds=OVERDUE_S) else None


class KnownEnds:
    """When what runs will have ended, each worked out once for one moment."""

    def __init__(self, state: SchedulerState, now: datetime) -> None:
        self._state = state
        self._now = now
        self._known: dict[AttemptId, ExpectedEnd | None] = {}

    def __call__(self, live: LiveAttempt) -> ExpectedEnd | None:
        """Return when an attempt will have ended, None where it will not by itself."""
        if live.attempt not in self._known:
            self._known[live.attempt] = expected_end(live, live.since, self._state.run_times, self._now)
        return self._known[live.attempt]


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
        self._ends = KnownEnds(state, now)
        self._later: dict[int, tuple[Reservation, ...]] = {}
        """By how long a gang will run at most."""
        self._standing: tuple[Reservation, ...] | None = None
        self._kept: dict[Reservation, tuple[tuple[NodeEntry, Amounts], ...]] = {}
        """What each keeps now."""
        self.turns = state.order.turns(state.waiters, now)
        """Who comes before whom."""
        self._last: tuple[int, Turn] | None = None
        """The turn of the last one who has a reservation, and the version of turns that it is of."""
        self._chips: dict[Reservation, frozenset[ChipName | None]] = {}
        """The chip types of the nodes on which it does."""
        for each in (*self.claims, *promises.standing):
            self._keep(each)

    @property
    def standing(self) -> tuple[Reservation, ...]:
        """All that keep something now: nobody has more room than with these open."""
        if self._standing is None:
            self._standing = tuple(each for each in self._promises.standing if self._kept.get(each))
        return self._standing

    def open_to(self, asker: Class, group: Group) -> tuple[Reservation, ...]:
        """Return the reservations whose room a gang may use and that keep some where it could be.

        They are its own, or that of one that is alike and comes after it, and those that begin after its certain end.
        """
        own, place_of = self._promises.get(asker), self._state.waiters.classes.place_of
        spec = self._state.jobs[group.job_id].spec
        found = () if spec.time_limit_s is None else self._beginning_after(spec.time_limit_s + spec.grace_s)
        if own is not None and place_of(group.id) <= place_of(own.group):
            found = (own, *(each for each in found if each is not own))
        priority = self._state.jobs[group.job_id].spec.priority
        if (claim := self.claims.ready(asker, priority)) is not None:
            found = (claim, *found)
        chips = asker.asked[0].chips
        return tuple(each for each in found if not chips.isdisjoint(self._chips.get(each, NOTHING)))

    def room_in(self, opened: Iterable[Reservation], pool: PoolName, demand: Demand) -> int:
        """Return how many more workers would fit into a pool, wherever they stand, if reservations were open."""
        inventory, (cluster, chip) = self._state.ledger.inventory, pool
        fit = inventory.fit(demand)
        left: dict[NodeEntry, Left] = {}
        for each in opened:
            for entry, amounts in self._kept[each]:
                kind = entry.leftover.kind
                if kind.cluster == cluster and (chip is None or chip in kind.group_of):
                    left[entry] = left.get(entry, entry.leftover.left).plus(amounts, 1)
        return sum(fit[inventory.leftover(more)] - fit[entry.leftover] for entry, more in left.items())

    def _beginning_after(self, run_s: int) -> tuple[Reservation, ...]:
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
        for each in reservations:
            self._apply(Release(each.name))

    def close(self, reservations: Collection[Reservation]) -> None:
        """Take for reservations what they keep, of what is left; for those that still stand."""
        standing = self._promises.standing if reservations else []
        for each in reservations:
            if each in standing or each in self.claims:
                self._keep(each)

    def claim(self, asker: Class, claim: Reservation, roomy: Iterable[AttemptId], priority: int) -> None:
        """Keep what a class is to have instead of any reservation; those that counted on the same are made anew."""
        promises = self._promises
        ends = claim.waits_for | set(map(whose_going, claim.waits_for))
        counted = [(of, kept) for of in promises if (kept := promises.get(of)) is not None]
        for of, _ in [row for row in counted if row[0] is asker or not ends.isdisjoint(row[1].waits_for)]:
            self._withdraw(of, DropReason.NOT_NEEDED if of is asker else DropReason.GOES_FIRST)
            if of is not asker:
                promises.lose(of)
        self.claims.keep(asker, claim, roomy, priority)
        self._keep(claim)

    def expect(self, claim: Reservation, priority: int) -> None:
        """Keep what a gang is to have that goes on elsewhere, for when it waits."""
        self.claims.expect(claim, priority)
        self._keep(claim)

    def promise(self, asker: Class, at: int = 0) -> bool:
        """Make a reservation for a member of a class that has no place, if it may have one and there is any.

        It has waited long enough, and so many stand as may, but for those of gangs behind it in the queue, who have
        theirs made anew: it goes before them. A reservation that stands is kept as it is. Return whether anything was
        tried: then what is kept may be something else.
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
            self._withdraw(asker, DropReason.GOES_FIRST)
        if not self._may_have(asker):
            promises.hopes.park(asker)
            return False
        wanting = [(asker, group), *((each, kept.group) for each, kept in promises.behind(asker, self.turns))]
        for each, _ in wanting[1:]:
            self._withdraw(each, DropReason.GOES_FIRST)
        for each, member in wanting:
            if promises.are_all_given:
                promises.hopes.park(each)
            else:
                self._make(each, member)
        return True

    def _may_have(self, asker: Class) -> bool:
        """Say whether a class may have one: there are fewer than may be, or somebody has one who is behind it."""
        if not self._promises.are_all_given:
            return True
        turns = self.turns
        if self._last is None or self._last[0] != turns.version:
            self._last = (turns.version, max((turns.of(each) for each in self._promises), default=()))
        return turns.of(asker) < self._last[1]

    def _make(self, asker: Class, group: GroupId) -> None:
        promises, state = self._promises, self._state
        run = expected_run_s(state.jobs[job_named_by(group)], state.run_times)
        made = reserve(
            state,
            group,
            asker.asked[0],
            self._ends,
            standing=[*promises.standing, *self.claims],
            run_s=None if run is None else run[0],
        )
        self._later.clear()
        self._last = None
        if made is not None:
            promises.keep(asker, made)
            self._keep(made)
        else:
            promises.hopes.wait(asker, self._now + timedelta(seconds=TRY_AGAIN_S))

    def _keep(self, reservation: Reservation) -> None:
        self._standing = None
        aside = reservation.set_aside(self._state.ledger)
        self._apply(aside)
        kinds = {entry.leftover.kind for entry, _ in aside.amounts}
        self._kept[reservation] = aside.amounts
        self._chips[reservation] = frozenset(chip for kind in kinds for chip in (None, *kind.group_of))

    def _withdraw(self, of: Class, why: DropReason, *, besides: Collection[Reservation] = ()) -> None:
        """Let a class have no reservation; what is kept `besides` is open now anyway."""
        self._later.clear()
        self._last = None
        self._standing = None
        for dropped in self._promises.drop(of, why):
            if dropped not in besides:
                self._apply(Release(dropped.name))
