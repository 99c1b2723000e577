"""A place for a whole gang on one of its options, in one of the clusters, or none."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scheduler.core.ledger.changes import Seat
from scheduler.core.ledger.states.demand import NO_LIMIT, demand_of
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.core.placement.placement import GangPlace, SeatedPart, smallest_domain
from scheduler.core.placement.request import PartRequest
from scheduler.core.placement.room.offers import knows_levels, offers
from scheduler.core.placement.room.view import shared_domains
from scheduler.core.placement.search import seat_together
from scheduler.core.placement.setting_aside import kept_apart, set_aside
from scheduler.core.placement.spreading import seat_spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.model.identifiers import ClusterName, NodeId
    from scheduler.core.placement.placer import Placer
    from scheduler.core.placement.request import GangRequest, OptionRequest

MOST_DOMAINS = 64
"""Where several parts must share a domain, so many domains are tried in which each of them fits by itself: half of them
the tightest, half the roomiest, which take the parts together if any does that has room on all its nodes alike."""


def place(
    placer: Placer, request: GangRequest, option: OptionRequest, nodes_to_avoid: Sequence[NodeId] = ()
) -> GangPlace | None:
    """Return a place for every worker of the gang, all in one cluster; None where there is none now.

    Of several clusters the one that seats it closest together is taken, ties by name. `nodes_to_avoid` are those of
    workers that the gang wants to be apart from. The ledger is afterwards as it was.
    """
    places = []
    inventory = placer.ledger.inventory
    for cluster in inventory.clusters():
        if not _may_be_used(placer, cluster, request, option):
            continue
        if request.apart is None:
            parts = seat_gang(placer, cluster, request, option)
        else:
            with kept_apart(placer.ledger, cluster, request, nodes_to_avoid):
                parts = seat_gang(placer, cluster, request, option)
        if parts is not None:
            places.append((cluster, GangPlace(option, len(request.options), parts)))
    if not places:
        return None
    if len(places) == 1:
        return places[0][1]
    return min(places, key=lambda found: (_width(inventory.levels(found[0]), found[1]), found[0]))[1]


def _may_be_used(placer: Placer, cluster: ClusterName, request: GangRequest, option: OptionRequest) -> bool:
    if cluster in request.without or not offers(placer.ledger, cluster, option):
        return False
    return request.apart is None or knows_levels(placer.ledger.inventory, cluster, request)


def seat_gang(
    placer: Placer, cluster: ClusterName, request: GangRequest, option: OptionRequest
) -> tuple[SeatedPart, ...] | None:
    """Return seats for the whole gang in one cluster, None where there are none now."""
    if len(option.parts) > 1:
        return _seat_parts(placer, cluster, request, option)
    if request.spread is not None:
        return seat_spread(placer, cluster, request, option)
    seated = placer.seat(cluster, request, option.parts[0])
    return None if seated is None else (seated,)


def _seat_parts(
    placer: Placer, cluster: ClusterName, request: GangRequest, option: OptionRequest
) -> tuple[SeatedPart, ...] | None:
    """Return seats for several parts: quickly, one part after the other, and where that fails by a search."""
    domains = list(_common_domains(placer, cluster, request, option.parts))
    if request.spread is not None:
        parts = seat_spread(placer, cluster, request, option)
    else:
        found = (_Parts(placer, cluster, request, within).seat(option.parts) for within in domains)
        parts = next((seated for seated in found if seated is not None), None)
    if parts is not None and not _uses_degraded(parts):
        return parts
    in_turn = sorted(option.parts, key=_most_demanding_first)
    return seat_together(placer, cluster, request, in_turn, domains, with_degraded=parts is None) or parts


def _uses_degraded(parts: Iterable[SeatedPart]) -> bool:
    return any(leftover.kind.tier[1] for part in parts for leftover in part.seating.before)


def _common_domains(
    placer: Placer, cluster: ClusterName, request: GangRequest, parts: tuple[PartRequest, ...]
) -> Iterator[Domain | None]:
    """Yield domains in each of which every part would fit alone: the tightest, then the roomiest; None: the cluster."""
    required = request.closeness.required or CLUSTER
    widest = []
    for part in parts:
        *_, last = (None, *placer.views(cluster, request, part))
        if last is None or last.total < part.part.workers:
            return
        widest.append((last, part.part.workers))
    if required == CLUSTER:
        yield None
        return
    fitting = shared_domains(required, widest)
    half = MOST_DOMAINS // 2
    yield from fitting[:half]
    yield from reversed(fitting[half:][-half:])


class _Parts:
    """The parts of one gang, seated one after the other, each on what those before it left."""

    def __init__(self, placer: Placer, cluster: ClusterName, request: GangRequest, within: Domain | None) -> None:
        self._placer = placer
        self._cluster = cluster
        self._request = request
        self._within = within

    def seat(self, parts: Iterable[PartRequest]) -> tuple[SeatedPart, ...] | None:
        """Return seats for all parts, the most demanding seated first; None where none are found.

        A part that finds no seats goes first the next time, each part once: it may be able to sit nowhere else.
        """
        order = sorted(parts, key=_most_demanding_first)
        unlucky: set[PartRequest] = set()
        while True:
            seated = self._seat_in_order(order)
            if len(seated) == len(order):
                return tuple(seated)
            failed = order[len(seated)]
            if failed in unlucky or not seated:
                return None
            unlucky.add(failed)
            order = [failed, *(part for part in order if part is not failed)]

    def _seat_in_order(self, order: Iterable[PartRequest]) -> list[SeatedPart]:
        """Return the seats of the parts that found some, up to the first one that found none."""
        placer, request = self._placer, self._request
        seated: list[SeatedPart] = []
        with Trial(placer.ledger) as trial:
            for part in order:
                if part.demand.most_per_node == NO_LIMIT:
                    found = placer.seat(self._cluster, request, part, within=self._within)
                else:
                    found = self._seat_beside(part, seated)
                if found is None:
                    break
                trial.apply(Seat(f"part-{len(seated)}", request.tenant, (found.seating,)))
                seated.append(found)
        return seated

    def _seat_beside(self, part: PartRequest, seated: Sequence[SeatedPart]) -> SeatedPart | None:
        """Seat a part of a gang that is spread over nodes, where its other parts leave it room.

        On nodes that hold no worker of the gang if that is possible, else on those with few as well, fewer on each.
        """
        placer, most = self._placer, part.demand.most_per_node
        held: Counter[NodeId] = Counter()
        for other in seated:
            for entry, workers in zip(other.seating.nodes, other.seating.workers, strict=True):
                held[entry.id] += workers
        for already in sorted({0, *held.values()}):
            if already >= most:
                break
            one, together = (_with_at_most(demand, most - already) for demand in (part.demand, part.together))
            full = sorted(node for node, workers in held.items() if workers > already)
            with set_aside(placer.ledger, self._cluster, NODE, full):
                found = placer.seat(
                    self._cluster, self._request, PartRequest(part.part, one, together), within=self._within
                )
            if found is not None:
                return SeatedPart(part, found.seating, found.nodes_considered)
        return None


def _with_at_most(demand: Demand, most_per_node: int) -> Demand:
    return demand_of(
        demand.chip,
        demand.shape,
        demand.labels,
        is_exclusive=demand.is_exclusive,
        most_per_node=most_per_node,
        together=demand.together,
    )


def _most_demanding_first(part: PartRequest) -> tuple[int, int, int]:
    shape = part.part.shape
    return (-shape.devices_milli, -shape.cpu_milli, -part.part.workers)


def _width(levels: tuple[str, ...], place: GangPlace) -> int:
    """Return how far apart the workers of the parts are, in levels, summed up."""
    known = (NODE, *levels, CLUSTER)
    return sum(known.index(smallest_domain(part.seating)[0]) for part in place.parts)
