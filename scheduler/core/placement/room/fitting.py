"""How many workers of a gang fit, now or if nothing ran; and whether all of them ever would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.ledger.states.demand import NO_LIMIT
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.core.placement.room.empty_view import EmptyView
from scheduler.core.placement.room.offers import knows_levels, offers
from scheduler.core.placement.room.together import lack_together
from scheduler.core.placement.room.view import View, usable_pools

if TYPE_CHECKING:
    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.identifiers import ClusterName
    from scheduler.core.placement.request import GangRequest, OptionRequest, PartRequest


def can_never_fit(ledger: Ledger, request: GangRequest) -> bool:
    """Say whether no option would fit into any cluster that may be used, if nothing ran and no node refused work."""
    clusters = [cluster for cluster in ledger.clusters() if cluster not in request.without]
    return bool(clusters) and all(
        not offers(ledger, cluster, option) or never_fits(ledger.inventory, cluster, request, option)
        for option in request.options
        for cluster in clusters
    )


def never_fits(inventory: Inventory, cluster: ClusterName, request: GangRequest, option: OptionRequest) -> bool:
    """Say whether some part would not fit even if nothing ran and no node refused work, or all of them together."""
    if any(_part_never_fits(inventory, cluster, request, part) for part in option.parts):
        return True
    workers = sum(part.part.workers for part in option.parts)
    return (
        not knows_levels(inventory, cluster, request)
        or spread_room(inventory, cluster, request, option) < workers
        or lack_together(inventory, cluster, request, option) is not None
    )


def _part_never_fits(inventory: Inventory, cluster: ClusterName, request: GangRequest, part: PartRequest) -> bool:
    """Say whether a part would not fit even if nothing ran."""
    return fitting(inventory, cluster, request, part, when_empty=True)[0] < part.part.workers


def fitting(
    inventory: Inventory, cluster: ClusterName, request: GangRequest, part: PartRequest, *, when_empty: bool
) -> tuple[int, int]:
    """Return how many workers of a part fit into one domain of the required level, and how many into the cluster.

    A node or a smaller domain that is in none of that level is near enough as well.
    """
    view, levels = _view(inventory, cluster, request, part, when_empty=when_empty), inventory.levels(cluster)
    level = request.closeness.required or CLUSTER
    if level == CLUSTER:
        fit = view.total
    elif level == NODE:
        fit = view.most_on_one_node()
    else:
        fit = view.most_at(level)
        if level in levels and request.spread is None and view.total_at(level) < view.total:
            smaller = levels[: levels.index(level)]
            fit = max(fit, view.most_on_one_node(), *(view.most_at(one) for one in smaller))
    if request.spread is None:
        return fit, view.total
    room = view.spread(request.spread.level, request.spread.most)
    return min(fit, _most_within(room, level)), sum(room.values())


def _view(
    inventory: Inventory, cluster: ClusterName, request: GangRequest, part: PartRequest, *, when_empty: bool
) -> View | EmptyView:
    pools = usable_pools(inventory, cluster, part, request.tenant)
    fit = inventory.fit(part.demand)
    return EmptyView(fit, [pool for _, pool in pools]) if when_empty else View(fit, pools)


def spread_room(inventory: Inventory, cluster: ClusterName, request: GangRequest, option: OptionRequest) -> int:
    """Return how many workers of a gang its spread allows in one domain of the required level, if nothing ran."""
    spread = request.spread
    if spread is None:
        return _room_on_nodes(inventory, cluster, request, option)
    room: dict[Domain, int] = {}
    for part in option.parts:
        view = _view(inventory, cluster, request, part, when_empty=True)
        for domain, workers in view.spread(spread.level, spread.most).items():
            room[domain] = min(spread.most, room.get(domain, 0) + workers)
    return _most_within(room, request.closeness.required or CLUSTER)


def _room_on_nodes(inventory: Inventory, cluster: ClusterName, request: GangRequest, option: OptionRequest) -> int:
    """Return how many workers of a gang that is spread over nodes the cluster's nodes take, if nothing ran."""
    most = option.parts[0].demand.most_per_node
    if most == NO_LIMIT:
        return NO_LIMIT
    per_kind: dict[NodeKind, int] = {}
    nodes: dict[NodeKind, int] = {}
    for part in option.parts:
        fit = inventory.fit(part.demand)
        for _, pool in usable_pools(inventory, cluster, part, request.tenant):
            nodes.update(pool.kinds)
            for kind in pool.kinds:
                per_kind[kind] = min(most, per_kind.get(kind, 0) + fit.on_empty(kind))
    return sum(workers * nodes[kind] for kind, workers in per_kind.items())


def _most_within(room: dict[Domain, int], level: str) -> int:
    """Return the most of what domains have room for within one domain of a level, or in one of them if that is less."""
    if level == CLUSTER:
        return sum(room.values())
    within: dict[Domain, int] = {}
    for domain, workers in room.items():
        outer = domain.at(level)
        if outer is not None:
            within[outer] = within.get(outer, 0) + workers
    return max((within or room).values(), default=0)
