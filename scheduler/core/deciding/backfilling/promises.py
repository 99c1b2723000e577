"""The reservations that stand: those of the first in the queue that found no place."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from scheduler.core.deciding.backfilling.claims import Claims
from scheduler.core.deciding.backfilling.hopes import RESERVE_AFTER_S, Hopes
from scheduler.core.deciding.backfilling.reservations import RESERVED, Reservation
from scheduler.core.deciding.backfilling.writing_down import taken_over, written_down
from scheduler.core.model.waiting.promise import Dropped, DropReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.identifiers import AttemptId, GroupId
    from scheduler.core.model.waiting.promise import Promise

MOST_PROMISES = 16
"""So many reservations stand at a time: each of them keeps room idle."""
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
        self._deprived: dict[Class, None] = {}
        """Those that lost theirs and have no other one yet."""
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
        self._deprived.pop(of, None)

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
        self._lost[of] = self._deprived[of] = None

    def had_one(self, of: Class) -> bool:
        """Say whether a class lost its reservation through no doing of its own, and has no other one yet."""
        return of in self._deprived

    @property
    def are_stirred(self) -> bool:
        """Whether time or what came of the last pass may let one be taken, or fall."""
        return bool(self._lost or self._given_back or self.claims)

    def lost(self) -> list[Class]:
        """Return those whose reservation went with another one since this was last asked."""
        lost = list(self._lost)
        self._lost.clear()
        if lost:
            self._deprived = {of: None for of in self._deprived if of.members}
        return lost

    def given_back(self) -> list[PoolName]:
        """Return the pools in which reservations were dropped since this was last asked."""
        pools = list(self._given_back)
        self._given_back.clear()
        return pools

    def unwritten(self, present: Mapping[GroupId, Promise]) -> list[Promise | Dropped]:
        """Return what differs from the promises that are written down: what was dropped, then what was made."""
        if not self._by_class and not present:
            self._written.clear()
            self._why.clear()
            return []
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
