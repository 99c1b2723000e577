"""What one demand finds in the nodes that a tenant may use: one pool's room, or that of several pools together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.topology import CLUSTER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.index.inventory import Inventory
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
        return max((self.room_in(domain) for domain in self._domains(level)), default=0)

    def total_at(self, level: str) -> int:
        """Return how many workers fit into all domains of a level together; nodes that are in none do not count."""
        return sum([row[0] for room in self.rooms for row in room.at(level).rows])

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
        enough = [
            (room, domain.path, domain) for domain in self._domains(level) if (room := self.room_in(domain)) >= workers
        ]
        for _, _, domain in sorted(enough, key=lambda row: row[:2]):
            yield domain

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

    def _domains(self, level: str) -> set[Domain]:
        return {row[2] for room in self.rooms for row in room.at(level).rows}


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


def usable_pools(
    inventory: Inventory, cluster: ClusterName, part: PartRequest, tenant: TenantName
) -> list[tuple[Tier, Pool]]:
    """Return all pools in which a tenant may look for a part's workers."""
    tiers = inventory.pools.get((cluster, part.part.chip), {})
    return [(tier, pool) for tier, pool in tiers.items() if tier[0] in (None, tenant)]


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
