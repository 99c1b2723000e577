"""How many workers of a gang fit, now or if nothing ran; and whether all of them ever would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.ledger.states.demand import NO_LIMIT
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.core.placement.room.empty_view import EmptyView
from scheduler.core.placement.room.offers import knows_levels, offers
from scheduler.core.placement.room.view import View

if TYPE_CHECKING:
    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.ledger.index.pool import Pool
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.ledger.states.node_kind import NodeKind, Tier
    from scheduler.core.model.identifiers import ClusterName, TenantName
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
    """Say whether some part would not fit even if nothing ran and no node refused work."""
    if any(_part_never_fits(inventory, cluster, request, part) for part in option.parts):
        return True
    workers = sum(part.part.workers for part in option.parts)
    return not knows_levels(inventory, cluster, request) or spread_room(inventory, cluster, request, option) < workers


def _part_never_fits(inventory: Inventory, cluster: ClusterName, request: GangRequest, part: PartRequest) -> bool:
    """Say whether a part would not fit even if nothing ran."""
    return fitting(inventory, cluster, request, part, when_empty=True)[0] < part.part.workers


def fitting(
    inventory: Inventory, cluster: ClusterName, request: GangRequest, part: PartRequest, *, when_empty: bool
) -> tuple[int, int]:
    """Return how many workers of a part fit into one domain of the required level, and how many into the cluster.

    A node or a smaller domain that is in none of that level is near enough as well.
    """
    view = _view(inventory, cluster, request, part, when_empty=when_empty)
    fit, anywhere = fitting_in(view, request)
    levels, level = inventory.levels(cluster), request.closeness.required
    if request.spread is None and level in levels:
        smaller = levels[: levels.index(level)]
        fit = max(fit, view.most_on_one_node(), *(view.most_at(one) for one in smaller))
    return fit, anywhere


def _view(
    inventory: Inventory, cluster: ClusterName, request: GangRequest, part: PartRequest, *, when_empty: bool
) -> View | EmptyView:
    pools = usable_pools(inventory, cluster, part, request.tenant)
    fit = inventory.fit(part.demand)
    return EmptyView(fit, [pool for _, pool in pools]) if when_empty else View(fit, pools)


def fitting_in(view: View | EmptyView, request: GangRequest) -> tuple[int, int]:
    """Return how many workers fit into one domain of the required level, and how many in all."""
    level = request.closeness.required or CLUSTER
    if level == CLUSTER:
        fit = view.total
    elif level == NODE:
        fit = view.most_on_one_node()
    else:
        fit = view.most_at(level)
    if request.spread is None:
        return fit, view.total
    room = view.spread(request.spread.level, request.spread.most)
    return min(fit, _most_within(room, level)), sum(room.values())


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


def usable_pools(
    inventory: Inventory, cluster: ClusterName, part: PartRequest, tenant: TenantName
) -> list[tuple[Tier, Pool]]:
    """Return all pools in which a tenant may look for a part's workers."""
    tiers = inventory.pools.get((cluster, part.part.chip), {})
    usable = [(owner, is_degraded) for is_degraded in (False, True) for owner in (tenant, None)]
    return [(tier, tiers[tier]) for tier in usable if tier in tiers]
