"""What one demand finds in the nodes that a tenant may use: one pool's room, or that of several pools together."""

from __future__ import annotations

from heapq import merge
from typing import TYPE_CHECKING

from scheduler.core.model.topology import CLUSTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.ledger.index.order import Order
    from scheduler.core.ledger.index.pool import Pool
    from scheduler.core.ledger.states.demand import Demand, Fit
    from scheduler.core.ledger.states.leftover import Leftover
    from scheduler.core.ledger.states.node_kind import Tier
    from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName

Child = tuple[int, str, "Domain"]
"""Room, path and domain."""


class View:
    """Room of one demand in some tiers of a chip type's nodes in one cluster."""

    __slots__ = ("fit", "pools", "rooms", "tiers", "total")

    def __init__(self, fit: Fit, pools: list[tuple[Tier, Pool]]) -> None:
        self.fit = fit
        self.pools = pools
        self.tiers = [tier for tier, _ in pools]
        self.rooms = [pool.room(fit) for _, pool in pools]
        """The room of each tier, up to date when the view is made."""
        self.total = sum([room.total for room in self.rooms])
        """How many workers fit."""

    def refresh(self) -> None:
        """Take in what has moved since the view was made or refreshed."""
        total = 0
        for room in self.rooms:
            if room.is_dropped:
                self.rooms = [pool.room(self.fit) for _, pool in self.pools]
                break
            room.catch_up()
        for room in self.rooms:
            total += room.total
        self.total = total

    @property
    def nodes(self) -> int:
        """On how many nodes at least one worker fits."""
        return sum(room.nodes for room in self.rooms)

    @property
    def most_on_a_node(self) -> int:
        """No node has room for more workers, even when it is empty."""
        return max((room.most_on_a_node for room in self.rooms), default=0)

    def most_on_one_node(self) -> int:
        """Return how many workers fit on the roomiest node now."""
        return max((fit for room in self.rooms for fit in room.fits_now()), default=0)

    def fits(self, leftover: Leftover) -> int:
        """Return how many workers fit on a node of a state; 0 on nodes of other tiers."""
        return self.fit[leftover] if leftover.kind.tier in self.tiers else 0

    def room_in(self, domain: Domain) -> int:
        """Return how many workers fit into a domain."""
        return sum(room.sums.get(domain, 0) for room in self.rooms)

    def most_at(self, level: str) -> int:
        """Return how many workers fit into the roomiest domain of a level."""
        if len(self.rooms) == 1:
            return self.rooms[0].at(level).most
        largest, shared = self._by_pools(level)
        return max([largest.most, *(self.room_in(domain) for domain in shared)])

    def tightest(self, level: str, workers: int) -> Domain | None:
        """Return the domain of a level with the least room that is enough; ties end in its path."""
        if workers > sum([room.most_at(level) for room in self.rooms]):
            return None
        if len(self.rooms) == 1:
            return self.rooms[0].at(level).tightest(workers)
        return next(self.from_tightest(level, workers), None)

    def from_tightest(self, level: str, workers: int) -> Iterator[Domain]:
        """Yield the domains of a level with enough room, tightest first."""
        if len(self.rooms) == 1:
            yield from self.rooms[0].at(level).from_tightest(workers)
            return
        largest, shared = self._by_pools(level)
        summed = [(room, domain.path, domain) for domain in shared if (room := self.room_in(domain)) >= workers]
        alone = (row for row in largest.rows_from(workers) if row[2] not in shared)
        for _, _, domain in merge(sorted(summed, key=_room_and_path), alone, key=_room_and_path):
            yield domain

    def _by_pools(self, level: str) -> tuple[Order, set[Domain]]:
        """Return the longest order of one pool's domains, and the domains in which another pool has room.

        A tenant's own nodes stand in few domains: where only one pool has room, its order tells all.
        """
        orders = sorted([room.at(level) for room in self.rooms], key=len)
        return orders[-1], {row[2] for order in orders[:-1] for row in order.rows}

    def children(self, domain: Domain) -> list[Child]:
        """Return a domain's children that have room, tightest first; not to be changed."""
        if len(self.rooms) == 1:
            return self.rooms[0].children(domain)
        return sorted((room, child.path, child) for child in domain.children.values() if (room := self.room_in(child)))

    def spread(self, level: str, most: int) -> dict[Domain, int]:
        """Return how many workers each domain of a level takes that has room, at most so many in one."""
        if level == CLUSTER:
            roots = dict.fromkeys(domain for room in self.rooms for domain in room.sums if domain.parent is None)
            return {root: min(most, self.room_in(root)) for root in roots}
        return {domain: min(most, self.room_in(domain)) for domain in self.from_tightest(level, 1)}


def _room_and_path(row: Child) -> tuple[int, str]:
    return row[:2]


def views(
    inventory: Inventory, demand: Demand, cluster: ClusterName, chip: ChipName | None, tenant: TenantName
) -> Iterator[View]:
    """Yield where to look, best first: the tenant's own nodes, everybody's, both, and then degraded ones as well."""
    tiers = inventory.pools.get((cluster, chip))
    if tiers is None:
        return
    fit = inventory.fit(demand)
    own, shared = tiers.get((tenant, False)), tiers.get((None, False))
    sound = [((owner, False), pool) for owner, pool in ((tenant, own), (None, shared)) if pool is not None]
    for one in sound:
        yield View(fit, [one])
    if len(sound) > 1:
        yield View(fit, sound)
    degraded = [((owner, True), pool) for owner in (tenant, None) if (pool := tiers.get((owner, True))) is not None]
    if degraded:
        yield View(fit, sound + degraded)
