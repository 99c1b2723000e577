"""Which elastic jobs might go on with fewer workers for a gang, those first whose regrouping costs least."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.deciding.elastic.giving import Offer, smaller
from scheduler.core.deciding.elastic.shrinking import may_be_resized
from scheduler.core.deciding.parts.live import going_of
from scheduler.core.deciding.preempting.candidates import Claimant
from scheduler.core.model.sharing.eviction import EvictionCause

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from scheduler.core.deciding.backfilling.claims import Claims
    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.preempting.entitlement import Entitlement
    from scheduler.core.deciding.preempting.rules import Rules
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import AttemptId
    from scheduler.core.model.job import Job
    from scheduler.core.placement.request import GangRequest

    Kind = tuple[object, ...]
    May = Callable[[LiveAttempt, Sequence[Allocation]], bool]

BY_LOAN = Claimant(EvictionCause.LOAN, lambda _: False, lambda _: False)
"""The right of whoever waits: to what elastic jobs got by growing, and to nothing else."""


def lent_in(state: SchedulerState, pool: PoolName) -> int:
    """Return how many devices, or workers without any, elastic jobs got by growing that are in a pool."""
    lives = (state.live[name] for name in state.sizes.lending)
    kind_of = state.ledger.kind_of
    there = [held for live in lives for held in live.lent if pool in _pools(kind_of(held.node))]
    return sum(max(1, held.devices) for held in there)


def _pools(kind: NodeKind) -> list[PoolName]:
    return [(kind.cluster, chip) for chip in (None, *kind.group_of)]


class Givers:
    """The gangs that have more workers than the least that will do, on one state at one time."""

    def __init__(self, state: SchedulerState, rules: Rules, claims: Claims, now: datetime) -> None:
        self._state = state
        self._rules = rules
        self._claims = claims
        self._now = now
        self._known: dict[Kind, tuple[list[Offer], list[Offer]]] = {}
        self.spared_until: datetime | None = None
        """When the first of those is to be left as it is no longer that were; for who asks to set back."""

    def offers(
        self,
        request: GangRequest,
        job: Job,
        claimant: Claimant,
        entitlement: Entitlement,
        taken: Collection[AttemptId] = (),
    ) -> Iterator[Offer]:
        """Yield what may be had for a gang: first what was lent, then what others can do without.

        Whoever asks for the next one has taken up the one before, on the ledger. Those are left alone whose ends are
        `taken`.
        """
        if not self._state.sizes.generous:
            return
        lent, own = self._of_use(request)
        left: dict[AttemptId, int] = {}
        rights: tuple[tuple[list[Offer], EvictionCause, May], ...] = (
            (lent, EvictionCause.LOAN, lambda live, held: entitlement.may_have_back(live, held, job)),
            (own, claimant.cause, claimant.may_shrink),
        )
        for offers, cause, may in rights if claimant is not BY_LOAN else rights[:1]:
            for offer in offers:
                live = offer.live
                have = left.get(live.attempt, len(live.allocations))
                if offer.workers < have and self._may_give(live, taken):
                    size = _allowed(offer, have, may)
                    if size is not None:
                        left[live.attempt] = size
                        yield Offer(live, size, cause)

    def _of_use(self, request: GangRequest) -> tuple[list[Offer], list[Offer]]:
        """Return what was lent of what a gang could use, and all of it; each once for all gangs that are alike."""
        kind: Kind = (request.chips, request.without, request.tenant)
        known = self._known.get(kind)
        if known is None:
            lives = [self._state.live[name] for name in self._state.sizes.generous]
            lent = [(live, len(live.allocations) - len(live.lent)) for live in lives if live.lent]
            known = self._known[kind] = (
                self._sorted(lent, request),
                self._sorted([(live, 0) for live in lives], request),
            )
        return known

    def _sorted(self, givers: Iterable[tuple[LiveAttempt, int]], request: GangRequest) -> list[Offer]:
        """Return what comes of bringing gangs to so many workers at least, where it is of use."""
        sizes = [(live, smaller(live, least)) for live, least in givers]
        offers = [Offer(live, size, EvictionCause.LOAN) for live, size in sizes if size is not None]
        of_use = [offer for offer in offers if self._is_of_use(offer, request)]
        return sorted(of_use, key=lambda offer: (offer.cost, offer.live.attempt))

    def _is_of_use(self, offer: Offer, request: GangRequest) -> bool:
        for held in offer.gives:
            kind = self._state.ledger.kind_of(held.node)
            is_open = kind.takes_work and kind.tenant in (None, request.tenant) and kind.cluster not in request.without
            if not is_open or (None not in request.chips and held.chip not in request.chips):
                return False
        return True

    def _may_give(self, live: LiveAttempt, taken: Collection[AttemptId]) -> bool:
        is_awaited = self._claims.is_awaited
        if not may_be_resized(live) or live.attempt in taken:
            return False
        if is_awaited(live.attempt) or is_awaited(going_of(live.attempt)):
            return False
        until = self._rules.whole_until(live)
        if until <= self._now:
            return True
        self.spared_until = until if self.spared_until is None else min(self.spared_until, until)
        return False


def _allowed(offer: Offer, have: int, may: May) -> int | None:
    """Return to how few workers a gang may be brought that would have so many; None where all of them are to stay."""
    live = offer.live
    sizes = sorted(size for size in live.job.spec.sizes if offer.workers <= size < have)
    return next((size for size in sizes if may(live, live.allocations[size:have])), None)
