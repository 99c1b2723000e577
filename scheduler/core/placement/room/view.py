"""What one demand finds in the nodes that a tenant may use: one pool's room, or that of several pools together."""

from __future__ import annotations

from heapq import merge
from typing import TYPE_CHECKING

from scheduler.core.model.topology import CLUSTER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.ledger.index.order import Order
    from scheduler.core.ledger.index.pool import Pool
    from scheduler.core.ledger.states.demand import Demand, Fit
    from scheduler.core.ledger.states.leftover import Leftover
    from scheduler.core.ledger.states.node_kind import Tier
    from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
    from scheduler.core.placement.request import PartRequest

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
        return sum([room.nodes for room in self.rooms])

    @property
    def most_on_a_node(self) -> int:
        """No node has room for more workers, even when it is empty."""
        return max([room.most_on_a_node for room in self.rooms], default=0)

    def most_on_one_node(self) -> int:
        """Return how many workers fit on the roomiest node now."""
        return max((fit for room in self.rooms for fit in room.fits_now()), default=0)

    def fits(self, leftover: Leftover) -> int:
        """Return how many workers fit on a node of a state; 0 on nodes of other tiers."""
        return self.fit[leftover] if leftover.kind.tier in self.tiers else 0

    def room_in(self, domain: Domain) -> int:
        """Return how many workers fit into a domain."""
        return sum([room.sums.get(domain, 0) for room in self.rooms])

    def most_at(self, level: str) -> int:
        """Return how many workers fit into the roomiest domain of a level."""
        orders = self._orders(level)
        most = orders[-1].most if orders else 0
        for order in orders[:-1]:
            for _, _, domain in order.rows:
                most = max(most, self.room_in(domain))
        return most

    def has_no_room_within(self, level: str, workers: int) -> bool:
        """Say whether all nodes with room stand in domains of a level and none of these has room for the workers.

        Then no smaller domain has either.
        """
        return self.most_at(level) < workers and self.total_at(level) == self.total

    def total_at(self, level: str) -> int:
        """Return how many workers fit into all domains of a level together; nodes that are in none do not count."""
        return sum([order.total for order in self._orders(level)])

    def tightest(self, level: str, workers: int) -> Domain | None:
        """Return the domain of a level with the least room that is enough; ties end in its path."""
        if workers > sum([room.most_at(level) for room in self.rooms]):
            return None
        orders = self._orders(level)
        if len(orders) == 1:
            return orders[0].tightest(workers)
        return next(self._from_tightest(orders, workers), None)

    def from_tightest(self, level: str, workers: int) -> Iterator[Domain]:
        """Yield the domains of a level with enough room, tightest first."""
        orders = self._orders(level)
        return orders[0].from_tightest(workers) if len(orders) == 1 else self._from_tightest(orders, workers)

    def _from_tightest(self, orders: list[Order], workers: int) -> Iterator[Domain]:
        """Yield the domains of several pools. Where only the largest of them has room, its order tells all."""
        if not orders:
            return
        shared = {domain for order in orders[:-1] for _, _, domain in order.rows}
        summed = [(room, domain.path, domain) for domain in shared if (room := self.room_in(domain)) >= workers]
        alone = (row for row in orders[-1].rows_from(workers) if row[2] not in shared)
        for _, _, domain in merge(sorted(summed, key=_room_and_path), alone, key=_room_and_path):
            yield domain

    def _orders(self, level: str) -> list[Order]:
        """Return the domains of a level by their room, one order per pool that has room, the longest last.

        A tenant's own nodes stand in few domains, everybody's in many.
        """
        orders = [room.at(level) for room in self.rooms if room.total]
        if len(orders) > 1:
            orders.sort(key=len)
        return orders

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


class Lookout:
    """Where to look for one demand, best first: the tenant's own nodes, everybody's, both, and then degraded ones too.

    Each view is made when it is first looked at, and is up to date whenever it is handed out.
    """

    __slots__ = ("_fit", "_pools", "_views")

    def __init__(
        self, inventory: Inventory, demand: Demand, cluster: ClusterName, chip: ChipName | None, tenant: TenantName
    ) -> None:
        self._fit = inventory.fit(demand)
        self._pools = list(_where_to_look(inventory.pools.get((cluster, chip), {}), tenant))
        self._views: list[View | None] = [None] * len(self._pools)

    def __iter__(self) -> Iterator[View]:
        for place in range(len(self._pools)):
            yield self._view(place)

    def widest(self) -> View | None:
        """Return the view of all nodes that may be used, None where there are none."""
        return self._view(len(self._pools) - 1) if self._pools else None

    def _view(self, place: int) -> View:
        view = self._views[place]
        if view is None:
            view = self._views[place] = View(self._fit, self._pools[place])
        else:
            view.refresh()
        return view


def _where_to_look(tiers: Mapping[Tier, Pool], tenant: TenantName) -> Iterator[list[tuple[Tier, Pool]]]:
    """Yield the pools of each view, best first."""

    def present(*wanted: Tier) -> list[tuple[Tier, Pool]]:
        return [(tier, tiers[tier]) for tier in wanted if tier in tiers]

    sound = present((tenant, False), (None, False))
    for one in sound:
        yield [one]
    if len(sound) > 1:
        yield sound
    degraded = present((tenant, True), (None, True))
    if degraded:
        yield sound + degraded


def usable_pools(
    inventory: Inventory, cluster: ClusterName, part: PartRequest, tenant: TenantName
) -> list[tuple[Tier, Pool]]:
    """Return all pools in which a tenant may look for a part's workers."""
    tiers = inventory.pools.get((cluster, part.part.chip), {})
    usable = [(owner, is_degraded) for is_degraded in (False, True) for owner in (tenant, None)]
    return [(tier, tiers[tier]) for tier in usable if tier in tiers]


def shared_domains(level: str, wanted: Sequence[tuple[View, int]]) -> list[Domain]:
    """Return the domains of a level in which each view has room for so many workers, the tightest for the first first.

    One of which each takes all may not take them together.
    """
    (view, workers), *others = wanted
    return [
        domain
        for domain in view.from_tightest(level, workers)
        if all(other.room_in(domain) >= count for other, count in others)
    ]
