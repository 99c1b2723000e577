"""What keeps a gang out of a cluster, in short: cheap enough to be said of every waiting gang at every decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.reason import Shortfall
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.core.placement.view import View

if TYPE_CHECKING:
    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.ledger.index.pool import Pool
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.ledger.states.node_kind import Tier
    from scheduler.core.model.identifiers import ClusterName, TenantName
    from scheduler.core.placement.request import GangRequest, OptionRequest, PartRequest


def shortfalls(
    inventory: Inventory, cluster: ClusterName, request: GangRequest, option: OptionRequest
) -> tuple[Shortfall, ...]:
    """Return one shortfall per part of which too few workers fit now; of all where each of them fits by itself."""
    level = request.closeness.required or CLUSTER
    found = []
    for part in option.parts:
        at_level, anywhere = fitting(inventory, cluster, request, part, when_empty=False)
        asked = part.part
        found.append(Shortfall(cluster, asked.chip, asked.role, asked.workers, level, at_level, anywhere))
    return tuple([short for short in found if short.fit < short.workers]) or tuple(found)


def never_fits(inventory: Inventory, cluster: ClusterName, request: GangRequest, option: OptionRequest) -> bool:
    """Say whether some part would not fit even if nothing ran and no node refused work."""
    return any(
        fitting(inventory, cluster, request, part, when_empty=True)[0] < part.part.workers for part in option.parts
    )


def can_never_fit(ledger: Ledger, request: GangRequest) -> bool:
    """Say whether no option would fit into any cluster that may be used, if nothing ran and no node refused work."""
    clusters = [cluster for cluster in ledger.clusters() if cluster not in request.without]
    return bool(clusters) and all(
        not offers(ledger, cluster, option) or never_fits(ledger.inventory, cluster, request, option)
        for option in request.options
        for cluster in clusters
    )


def offers(ledger: Ledger, cluster: ClusterName, option: OptionRequest) -> bool:
    """Say whether a cluster can give what an option asks for: shares need one that enforces them."""
    if not any(part.part.shape.share_milli for part in option.parts):
        return True
    known = ledger.cluster(cluster)
    return known is None or (known.enforces_shares and known.binds_devices)


def fitting(
    inventory: Inventory, cluster: ClusterName, request: GangRequest, part: PartRequest, *, when_empty: bool
) -> tuple[int, int]:
    """Return how many workers of a part fit into one domain of the required level, and how many into the cluster."""
    pools = usable_pools(inventory, cluster, part, request.tenant)
    view = View(inventory.fit(part.demand, when_empty=when_empty), pools)
    level = request.closeness.required or CLUSTER
    if level == CLUSTER:
        return view.total, view.total
    if level == NODE:
        return view.most_on_one_node(), view.total
    return view.most_at(level), view.total


def usable_pools(
    inventory: Inventory, cluster: ClusterName, part: PartRequest, tenant: TenantName
) -> list[tuple[Tier, Pool]]:
    """Return all pools in which a tenant may look for a part's workers."""
    tiers = inventory.pools.get((cluster, part.part.chip), {})
    return [(tier, pool) for tier, pool in tiers.items() if tier[0] in (None, tenant)]
