"""Room of what elastic jobs can do without: their gangs let last ranks go, on trial, until another gang has a place."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from scheduler.core.deciding.lacks import Numbers
from scheduler.core.deciding.options import find_place
from scheduler.core.ledger.changes import Hold, Overcommitted, Release, Restore, Seat
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import Account

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.trial import Trial
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import AttemptId
    from scheduler.core.model.sharing.eviction import EvictionCause
    from scheduler.core.placement.placement import GangPlace
    from scheduler.core.placement.request import GangRequest

MOST_OFFERS = 1_024
"""So many gangs are asked for one other at most, those first whose regrouping costs least."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A gang that would go on with fewer workers."""

    live: LiveAttempt
    workers: int
    """With how many."""
    cause: EvictionCause
    """By which right of whom it is for."""

    @property
    def gives(self) -> tuple[Allocation, ...]:
        """What its last ranks hold now."""
        return self.live.allocations[self.workers :]

    @property
    def devices_milli(self) -> int:
        """Thousandths of devices that it gives."""
        return sum(held.devices_milli for held in self.gives)

    @property
    def cost(self) -> float:
        """What its regrouping costs all its devices, for each that it gives: no work is lost, but time is."""
        held = sum(held.devices_milli for held in self.live.allocations)
        return held / max(self.devices_milli, WHOLE_DEVICE_MILLI)


def smaller(live: LiveAttempt, least: int) -> int | None:
    """Return the smallest size of a job that has no fewer workers than that; None where its gang has no more."""
    sizes = [size for size in live.job.spec.sizes if least <= size < len(live.allocations)]
    return min(sizes, default=None)


class Giving:
    """What others give for one gang, on a trial that the caller ends."""

    def __init__(self, state: SchedulerState, request: GangRequest, offers: Iterable[Offer], trial: Trial) -> None:
        """`offers` are taken up one by one, and may look at the ledger as it is with those before."""
        self._state = state
        self._request = request
        self._offers: Iterator[Offer] = islice(offers, MOST_OFFERS)
        self._trial = trial
        self._given: dict[AttemptId, Offer] = {}

    @property
    def given(self) -> list[Offer]:
        """The offers that were taken up."""
        return list(self._given.values())

    @property
    def devices_milli(self) -> int:
        """Thousandths of devices that these give."""
        return sum(offer.devices_milli for offer in self.given)

    def find(self, name: AttemptId) -> GangPlace | None:
        """Take up offers, ever more at a time, until the gang has a place; None where all of them make none.

        Where there is one, the gang sits there under a name, and what is not needed was taken back. Where there is
        none, all that was offered is free on the trial.
        """
        if not self._state.sizes.generous:  # as mostly
            return None
        numbers, wave = Numbers(self._state), 1
        while some := sum(1 for _ in map(self._take_up, islice(self._offers, wave))):
            wave += some
            numbers.forget()
            if numbers.allow(self._request) and (place := find_place(self._state, self._request)) is not None:
                return self.settle(name, place)
        return None

    def settle(self, name: AttemptId, place: GangPlace) -> GangPlace:
        """Let the gang sit in a place, or in another one, beside which everybody takes back all that they can."""
        if not self._state.ledger.has_hold(name):
            self._seat(name, place)
        for offer in self.given[::-1]:
            beside = self._all_back(offer, name, place)
            if beside is None:
                place = self._take_back(offer, name, place)
            else:
                place = beside
                del self._given[offer.live.attempt]
        return place

    def spare(
        self, name: AttemptId, place: GangPlace, victims: Iterable[LiveAttempt]
    ) -> tuple[GangPlace, list[LiveAttempt]]:
        """Let those victims give instead of stopping that can go on with fewer workers beside the gang.

        Return where that sits now, and who is to stop all the same. Victims hold nothing on the trial.
        """
        left = []
        for live in victims:
            offer = self._given.pop(live.attempt, None)
            found = None if offer is None else self._beside(name, live, range(offer.workers))
            if offer is None or found is None:
                left.append(live)
            else:
                place = found
                self._given[live.attempt] = offer
        return self.settle(name, place), left

    def _take_up(self, offer: Offer) -> None:
        live = offer.live
        self._trial.apply(Release(live.attempt))
        kept = live.allocations[: offer.workers]
        self._trial.apply(Restore(live.attempt, live.job.tenant, kept, live.job.account))
        self._given[live.attempt] = offer

    def _all_back(self, offer: Offer, name: AttemptId, place: GangPlace) -> GangPlace | None:
        """Let a gang have all its workers; return where the other one sits then, None where that cannot be.

        Where somebody keeps back what he does not use, there may be room for both, and the other one may not take it.
        """
        live, whole, changes = offer.live, len(offer.live.allocations), self._trial.changes
        if any(self._state.sharing.book.kept_resources):
            return self._beside(name, live, range(offer.workers, whole))
        if self._hold(live, offer.workers, whole):
            if self._is_within_quota(name, place):
                return place
            self._trial.back_to(changes)
        return None

    def _is_within_quota(self, name: AttemptId, place: GangPlace) -> bool:
        """Say whether the gang may have its place beside all that is held now."""
        sharing, queue, charge = self._state.sharing, self._request.queue, place.option.charge_milli
        if not sharing.book.limits_for(queue, charge):  # as mostly
            return True
        changes = self._trial.changes
        self._trial.apply(Release(name))
        over = sharing.over_quota(queue, charge)
        self._trial.back_to(changes)
        return not over

    def _take_back(self, offer: Offer, name: AttemptId, place: GangPlace) -> GangPlace:
        """Let a gang have as many of its workers as it can, wherever the other one sits then; return where it does."""
        live = offer.live
        sizes = sorted(size for size in live.job.spec.sizes if offer.workers < size < len(live.allocations))
        low, high = 0, len(sizes)
        while low < high:
            middle = (low + high + 1) // 2
            found = self._beside(name, live, range(offer.workers, sizes[middle - 1]))
            if found is None:
                high = middle - 1
            else:
                place, low = found, middle
                self._given[live.attempt] = Offer(live, sizes[middle - 1], offer.cause)
        return place

    def _beside(self, name: AttemptId, live: LiveAttempt, ranks: range) -> GangPlace | None:
        """Let ranks hold what is theirs, and the gang sit beside that; None, with nothing changed, where it cannot."""
        has_hold, changes = self._state.ledger.has_hold, self._trial.changes
        for each in (name, _more_of(live)):
            if has_hold(each):
                self._trial.apply(Release(each))
        if self._hold(live, ranks.start, ranks.stop):
            place = find_place(self._state, self._request)
            if place is not None:
                self._seat(name, place)
                return place
        self._trial.back_to(changes)
        return None

    def _seat(self, name: AttemptId, place: GangPlace) -> None:
        request = self._request
        account = Account(request.queue)
        self._trial.apply(Seat(name, request.tenant, place.seatings, account, place.compute_milli))

    def _hold(self, live: LiveAttempt, first: int, last: int) -> bool:
        """Let a gang hold what its ranks from one on have, up to another one; say whether there is room for it."""
        job, held = live.job, live.allocations[first:last]
        name = _more_of(live) if first else live.attempt
        with suppress(Overcommitted):
            self._trial.apply(Hold(name, job.tenant, held, job.account._replace(is_part=bool(first))))
            return True
        return False


def _more_of(live: LiveAttempt) -> AttemptId:
    """Return the name by which a gang holds on trial what it does not have to give after all."""
    return f"{live.attempt}+"
