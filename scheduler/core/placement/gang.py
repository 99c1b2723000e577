"""A place for a whole gang on one of its options, in one of the clusters, or none."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from scheduler.core.ledger.changes import Seat
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.core.placement.placement import GangPlace, SeatedPart, smallest_domain
from scheduler.core.placement.setting_aside import set_aside
from scheduler.core.placement.shortfalls import offers
from scheduler.core.placement.spreading import seat_spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.model.identifiers import ClusterName, NodeId
    from scheduler.core.placement.placer import Placer
    from scheduler.core.placement.request import GangRequest, OptionRequest, PartRequest

MOST_DOMAINS = 64
"""Where several parts must share a domain, so many domains are tried in which each of them fits by itself."""


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
        if cluster in request.without or not offers(placer.ledger, cluster, option):
            continue
        if request.apart is None:
            parts = seat_gang(placer, cluster, request, option)
        else:
            with set_aside(placer.ledger, cluster, request.apart.level, nodes_to_avoid):
                parts = seat_gang(placer, cluster, request, option)
        if parts is not None:
            places.append((cluster, GangPlace(option, len(request.options), parts)))
    if not places:
        return None
    if len(places) == 1:
        return places[0][1]
    return min(places, key=lambda found: (_width(inventory.levels(found[0]), found[1]), found[0]))[1]


def seat_gang(
    placer: Placer, cluster: ClusterName, request: GangRequest, option: OptionRequest
) -> tuple[SeatedPart, ...] | None:
    """Return seats for the whole gang in one cluster, None where there are none now."""
    if request.spread is not None:
        return seat_spread(placer, cluster, request, option)
    if len(option.parts) == 1:
        seated = placer.seat(cluster, request, option.parts[0])
        return None if seated is None else (seated,)
    for within in _common_domains(placer, cluster, request, option.parts):
        parts = _seat_in_turn(placer, cluster, request, option.parts, within)
        if parts is not None:
            return parts
    return None


def _common_domains(
    placer: Placer, cluster: ClusterName, request: GangRequest, parts: tuple[PartRequest, ...]
) -> Iterator[Domain | None]:
    """Yield domains in each of which every part would fit by itself, tightest first; None: the whole cluster."""
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
    view, workers = widest[0]
    fitting = (
        domain
        for domain in view.from_tightest(required, workers)
        if all(other.room_in(domain) >= count for other, count in widest[1:])
    )
    yield from islice(fitting, MOST_DOMAINS)


def _seat_in_turn(
    placer: Placer,
    cluster: ClusterName,
    request: GangRequest,
    parts: Iterable[PartRequest],
    within: Domain | None,
) -> tuple[SeatedPart, ...] | None:
    """Seat one part after the other, the most demanding first, each on what those before it left."""
    seated: list[SeatedPart] = []
    with Trial(placer.ledger) as trial:
        for part in sorted(parts, key=_most_demanding_first):
            found = placer.seat(cluster, request, part, within=within)
            if found is None:
                return None
            trial.apply(Seat(f"part-{len(seated)}", request.tenant, (found.seating,)))
            seated.append(found)
    return tuple(seated)


def _most_demanding_first(part: PartRequest) -> tuple[int, int, int]:
    shape = part.part.shape
    return (-shape.devices_milli, -shape.cpu_milli, -part.part.workers)


def _width(levels: tuple[str, ...], place: GangPlace) -> int:
    """Return how far apart the workers of the parts are, in levels, summed up."""
    known = (NODE, *levels, CLUSTER)
    return sum(known.index(smallest_domain(part.seating)[0]) for part in place.parts)
