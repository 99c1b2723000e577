"""Seats for a gang that is spread: no domain of a level holds more than so many of its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.ledger.changes import Seat
from scheduler.core.ledger.seating import Seating
from scheduler.core.ledger.states.demand import NO_LIMIT
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.topology import CLUSTER
from scheduler.core.placement.placement import SeatedPart

if TYPE_CHECKING:
    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.model.identifiers import ClusterName
    from scheduler.core.placement.placer import Placer
    from scheduler.core.placement.request import GangRequest, OptionRequest, PartRequest
    from scheduler.core.placement.room.view import View

MOST_DOMAINS = 64
"""Where a spread gang must stay within one domain of a larger level, so many of these are tried, roomiest first."""


def seat_spread(
    placer: Placer, cluster: ClusterName, request: GangRequest, option: OptionRequest
) -> tuple[SeatedPart, ...] | None:
    """Return seats for the whole gang, None where there are none now. Of one part with room they are always found."""
    required = request.closeness.required or CLUSTER
    if required == CLUSTER:
        return _seat_within(placer, cluster, request, option, None)
    *_, view = (None, *placer.views(cluster, request, option.parts[0]))
    if view is None:
        return None
    domains = list(view.from_tightest(required, option.parts[0].part.workers))
    for domain in domains[::-1][:MOST_DOMAINS]:
        seated = _seat_within(placer, cluster, request, option, domain)
        if seated is not None:
            return seated
    return None


def _seat_within(
    placer: Placer, cluster: ClusterName, request: GangRequest, option: OptionRequest, within: Domain | None
) -> tuple[SeatedPart, ...] | None:
    seated: list[SeatedPart] = []
    with Trial(placer.ledger) as trial:
        spreading = _Spreading(placer, cluster, request, within, trial)
        for part in option.parts:
            found = spreading.seat(part)
            if found is None:
                return None
            seated.append(found)
    return tuple(seated)


class _Spreading:
    """The workers of one gang, seated domain by domain."""

    def __init__(
        self, placer: Placer, cluster: ClusterName, request: GangRequest, within: Domain | None, trial: Trial
    ) -> None:
        self._placer = placer
        self._cluster = cluster
        self._request = request
        self._level, self._most = (request.spread.level, request.spread.most) if request.spread else (CLUSTER, NO_LIMIT)
        self._within = within
        self._trial = trial
        self._taken: dict[Domain, int] = {}
        """How many workers of the gang each domain holds."""
        self._steps = 0

    def seat(self, part: PartRequest) -> SeatedPart | None:
        """Return seats for a part, None where there are none on what its gang has left."""
        workers = part.part.workers
        *_, view = (None, *self._placer.views(self._cluster, self._request, part))
        if view is None or view.total < workers:
            return None
        considered = view.nodes
        seating = Seating(part.demand, [], [], [], [])
        for _, domain in sorted(self._domains(view), key=lambda row: (-row[0], row[1].path)):
            count = min(workers, self._allowed(view, domain))
            if not count:
                continue
            found = self._placer.fill(self._cluster, view, domain, count)
            self._steps += 1
            self._trial.apply(Seat(f"domain-{self._steps}", self._request.tenant, (found,)))
            self._taken[domain] = self._taken.get(domain, 0) + count
            seating.extend(found)
            workers -= count
            if not workers:
                return SeatedPart(part, seating, considered)
        return None

    def _domains(self, view: View) -> list[tuple[int, Domain]]:
        """Return how many workers each domain of the level may take, and the domain."""
        level = self._level
        if level == CLUSTER:
            domains = [self._placer.ledger.inventory.root(self._cluster)]
        else:
            domains = list(view.from_tightest(level, 1))
        within = self._within
        return [
            (self._allowed(view, domain), domain)
            for domain in domains
            if within is None or domain.at(within.level) is within
        ]

    def _allowed(self, view: View, domain: Domain) -> int:
        return min(view.room_in(domain), self._most - self._taken.get(domain, 0))
