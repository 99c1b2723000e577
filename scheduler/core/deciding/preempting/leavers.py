"""What comes free for a gang that was given a place, and the claim by which it is kept for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.reservations import QuotaShare, Reservation, gives_of, needs_of
from scheduler.core.deciding.parts.live import going_of
from scheduler.core.ledger.holding import compute_used
from scheduler.core.model.sharing.queue import Account

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from scheduler.core.deciding.backfilling.claims import Claims
    from scheduler.core.deciding.backfilling.reservations import Sums
    from scheduler.core.deciding.elastic.giving import Offer
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.holding import Use
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import AttemptId, GroupId
    from scheduler.core.placement.placement import GangPlace
    from scheduler.core.placement.request import GangRequest

NOTHING: Mapping[str, int] = {}
NOTHING_AWAITED: Mapping[AttemptId, Sums] = {}


@dataclass(frozen=True, slots=True)
class Leaver:
    """An attempt, or some of its workers, that gives back what it holds."""

    name: AttemptId
    """By which the ledger holds that."""
    live: LiveAttempt
    held: tuple[Allocation, ...]

    @property
    def devices_milli(self) -> int:
        """Thousandths of devices that it holds."""
        return sum(held.devices_milli for held in self.held)

    def uses(self, ledger: Ledger) -> tuple[Use, ...]:
        """Return what counts for its quotas."""
        cluster = ledger.kind_of(self.held[0].node).cluster
        devices = ((cluster, held.chip, held.devices_milli) for held in self.held if held.chip is not None)
        return (*devices, *compute_used(sum(held.compute_milli for held in self.held)))


def whole(live: LiveAttempt) -> Leaver:
    """Return an attempt that stops."""
    return Leaver(live.attempt, live, live.allocations)


def giving(offer: Offer) -> Leaver:
    """Return the workers by which a gang becomes smaller."""
    return Leaver(going_of(offer.live.attempt), offer.live, offer.gives)


def leaving_anyway(state: SchedulerState, claims: Claims) -> Iterator[Leaver]:
    """Yield what comes free by itself and that nobody waits for, or not for all of it."""
    names = dict.fromkeys(
        [*claims.roomy, *(one for one in state.losses.stopping if not claims.is_awaited(one))],
    )
    yield from (whole(state.live[name]) for name in names if name in state.live)
    for attempt in state.sizes.leaving:
        live, name = state.live[attempt], going_of(attempt)
        if name in claims.roomy or not claims.is_awaited(name):
            yield Leaver(name, live, live.resizing.surplus)


def claim_on(
    state: SchedulerState,
    group: GroupId,
    place: GangPlace,
    leavers: Sequence[Leaver],
    *,
    now: datetime,
    quota: QuotaShare | None,
    claims: Claims,
) -> Reservation:
    """Return a place as what is kept for a group: what these hold of it comes free once they are gone.

    Of each is awaited what is needed of it, for the rest is for others, less what other claims have of it.
    """
    needs = needs_of(place)
    awaited: dict[NodeEntry, dict[AttemptId, Sums]] = {}
    grace_s = max((leaver.live.job.spec.grace_s for leaver in leavers), default=0)
    wanted = {entry: dict(sums) for entry, sums in needs.items()}
    for leaver in leavers:
        for entry, gives in gives_of(state.ledger, leaver.held).items():
            if entry not in needs:
                continue
            for other in claims.awaiting(leaver.name):
                _take(gives, other.awaited.get(entry, NOTHING_AWAITED).get(leaver.name, NOTHING))
            if taken := _take(wanted[entry], gives):
                awaited.setdefault(entry, {})[leaver.name] = taken
    there = {name for those in awaited.values() for name in those}
    besides = frozenset(leaver.name for leaver in leavers if leaver.name not in there)
    begins, number = now + timedelta(seconds=grace_s), claims.next_number()
    return Reservation(group, begins, None, needs, awaited, quota=quota, besides=besides, claim=number)


def quota_share(
    state: SchedulerState, request: GangRequest, place: GangPlace, leavers: Iterable[Leaver]
) -> QuotaShare | None:
    """Return what counts for the quotas of a gang's queue from now on, None where there are none."""
    book = state.sharing.book
    if not book.rules_on_path(request.queue) and not any(book.kept_resources):
        return None
    own = {one.name: one.uses(state.ledger) for one in leavers if one.live.job.queue == request.queue}
    uses = tuple(use for seating in place.seatings for use in seating.uses()) + compute_used(place.compute_milli)
    return QuotaShare(request.tenant, uses, own, Account(request.queue))


def _take(left: Sums, amounts: Mapping[str, int]) -> Sums:
    """Take amounts of what is left, as much as there is of each; return what was taken."""
    taken = {of: figure for of, amount in amounts.items() if (figure := min(amount, left.get(of, 0))) > 0}
    for of, figure in taken.items():
        left[of] -= figure
    return taken


def on_nodes_of(place: GangPlace, leavers: Iterable[Leaver]) -> list[Leaver]:
    """Return those that hold something of a node of a place."""
    used = {entry.id for part in place.parts for entry in part.seating.nodes}
    return [leaver for leaver in leavers if any(held.node in used for held in leaver.held)]
