"""Room that is kept for those for whom others were stopped: it comes free bit by bit, and is nobody else's."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from scheduler.core.deciding.backfilling.reservations import Reservation
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.identifiers import AttemptId, GroupId

READY_FOR_S = 60.0
"""Whose room is complete for so long and who did not take it cannot use it after all."""


class Claims:
    """Reservations of those who preempted, by class: its members are alike, so the first takes what is ready first."""

    def __init__(self) -> None:
        self._by_class: dict[Class, dict[GroupId, Reservation]] = {}
        """By whom each is meant for."""
        self._priority: dict[Reservation, int] = {}
        """Of those for whom they were made: nobody of less may take them."""
        self._whose: dict[Reservation, Class] = {}
        self._ready: dict[Class, dict[Reservation, None]] = {}
        """Those for whom nothing stops any more."""
        self._since: dict[Reservation, datetime] = {}
        """Since when these are ready, as far as was seen."""
        self._awaiting: dict[AttemptId, list[Reservation]] = {}
        self._coming: dict[GroupId, tuple[Reservation, int]] = {}
        """What those are to have who are moved and do not wait yet, with their priority."""
        self._numbers = count(1)
        self.roomy: dict[AttemptId, None] = {}
        """Attempts that were stopped for somebody and hold more than was needed: the rest is for others."""

    def __iter__(self) -> Iterator[Reservation]:
        yield from self._whose
        yield from (claim for claim, _ in self._coming.values())

    def __len__(self) -> int:
        return len(self._whose)

    def __contains__(self, claim: Reservation) -> bool:
        return claim in self._whose

    def next_number(self) -> int:
        """Return what tells the next claim from all others."""
        return next(self._numbers)

    def count(self, of: Class) -> int:
        """Return for how many members of a class room is kept."""
        return len(self._by_class.get(of, ()))

    def has(self, of: Class, group: GroupId) -> bool:
        """Say whether a claim of a class is meant for this very group."""
        return group in self._by_class.get(of, ())

    @property
    def are_ready(self) -> bool:
        """Whether some claim waits for nobody any more, as of the last `refresh`."""
        return bool(self._ready)

    def is_ready(self, of: Class) -> bool:
        """Say whether some claim of a class waits for nobody any more, as of the last `refresh`."""
        return of in self._ready

    def ready(self, of: Class, group: GroupId, priority: int) -> Reservation | None:
        """Return which of these claims a member with a priority may take: its own, else the first it has a right to.

        Where it has one of its own besides, that is for whom the other one was: not where he had no right to it.
        """
        ready = self._ready.get(of)
        if ready is None:
            return None
        own, rank = self._by_class[of].get(group), self._priority
        mine = [claim for claim in ready if rank[claim] <= priority]
        if own is None or own in mine:
            return own or next(iter(mine), None)
        return next((claim for claim in mine if rank[own] <= rank[claim]), None)

    def awaiting(self, attempt: AttemptId) -> Iterable[Reservation]:
        """Return the claims on what an attempt gives back when it is gone."""
        return self._awaiting.get(attempt, ())

    def is_awaited(self, attempt: AttemptId) -> bool:
        """Say whether somebody is to have what an attempt gives back, or some of it."""
        return attempt in self._awaiting

    def keep(self, of: Class, claim: Reservation, roomy: Iterable[AttemptId] = (), priority: int = 0) -> None:
        """Let a class have a claim; of what it waits for, those that are `roomy` hold more than it needs."""
        self._priority[claim] = priority
        self._by_class.setdefault(of, {})[claim.group] = claim
        self._whose[claim] = of
        for attempt in claim.waits_for:
            self._awaiting.setdefault(attempt, []).append(claim)
        self.roomy.update(dict.fromkeys(roomy))

    def expect(self, claim: Reservation, priority: int) -> None:
        """Let a group that does not wait yet have a claim once it does."""
        self._coming[claim.group] = (claim, priority)

    def expected(self) -> list[GroupId]:
        """Return the groups that do not wait yet, as far as is known."""
        return list(self._coming)

    def arrive(self, group: GroupId, of: Class | None) -> None:
        """Let such a group have its claim as a member of a class; None: it will not wait."""
        claim, priority = self._coming.pop(group)
        if of is not None:
            self.keep(of, claim, (), priority)

    def take(self, of: Class, claim: Reservation, group: GroupId) -> None:
        """Let a claim be over because a group took it; the group's own, if it has another, is for whom that one was."""
        meant_for = self._meant_for(of, claim)
        own = self._by_class[of].get(group)
        self.drop(claim)
        if own is not None and own is not claim:
            claims = self._by_class[of]
            del claims[group]
            claims[meant_for] = own

    def _meant_for(self, of: Class, claim: Reservation) -> GroupId:
        claims = self._by_class[of]
        if claims.get(claim.group) is claim:
            return claim.group
        return next(group for group, each in claims.items() if each is claim)

    def drop(self, claim: Reservation) -> Class:
        """Let a claim be over; return whose it was."""
        of = self._whose[claim]
        claims = self._by_class[of]
        del claims[self._meant_for(of, claim)]
        if not claims:
            del self._by_class[of]
        del self._whose[claim], self._priority[claim]
        self._since.pop(claim, None)
        ready = self._ready.get(of, {})
        ready.pop(claim, None)
        if of in self._ready and not ready:
            del self._ready[of]
        for attempt in claim.waits_for:
            others = self._awaiting[attempt]
            others.remove(claim)
            if not others:
                del self._awaiting[attempt]
                self.roomy.pop(attempt, None)
        return of

    def drop_awaiting(self, attempt: AttemptId) -> list[Class]:
        """Drop the claims on an attempt that is not stopped after all; return whose they were."""
        return [self.drop(claim) for claim in list(self.awaiting(attempt))]

    def refresh(self, ledger: Ledger, now: datetime) -> list[Class]:
        """Look anew at what is gone by now; return the classes for which something is ready, or was lost."""
        found: dict[Class, None] = {}
        for of, claims in list(self._by_class.items()):
            surplus = len(claims) - len(of.members)
            for claim in list(claims.values()) if surplus <= 0 else list(claims.values())[::-1]:
                waits = any(map(ledger.has_hold, claim.waits_for))
                is_overdue = not waits and now > self._since.get(claim, now) + timedelta(seconds=READY_FOR_S)
                if surplus > 0 or is_overdue or not claim.stands(ledger):
                    self.drop(claim)
                    surplus -= 1
                elif waits:
                    continue
                else:
                    self._since.setdefault(claim, now)
                    self._ready.setdefault(of, {})[claim] = None
                found[of] = None
        return [of for of in found if of.members]
