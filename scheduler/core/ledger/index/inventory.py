"""The nodes of the ledger: which there are, of which kinds, where they stand and what they have left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.ledger.index.domain import Domain
from scheduler.core.ledger.index.pool import Pool
from scheduler.core.ledger.states.demand import Demand, Fit
from scheduler.core.ledger.states.leftover import Left, Leftover, left_when_empty
from scheduler.core.ledger.states.node_entry import NodeEntry
from scheduler.core.ledger.states.node_kind import KindKey, NodeKind, Tier, kind_key
from scheduler.core.model.node import Node
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.topology import CLUSTER, Topology

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scheduler.core.model.identifiers import ChipName, ClusterName, NodeId, TenantName

MOST_FITS = 4_096
"""So many different demands are remembered."""
MOST_UNUSED_KINDS = 4_096
"""Kinds that no node is of any more are kept until there are so many besides twice the number of nodes."""
MOST_UNUSED_STATES = 65_536
"""States that no node is in are kept, for nodes come back to them, until there are so many more than nodes."""


class Inventory:
    """Nodes in buckets. Mutable; only the ledger changes it."""

    def __init__(self) -> None:
        self.changes = 0
        """Grows with every node that comes, goes or becomes another one, and with what is said of a cluster,
        whatever is held."""
        self.pools_made = 0
        """Grows with every pool that there was not before."""
        self.entries: dict[NodeId, NodeEntry] = {}
        self.pools: dict[tuple[ClusterName, ChipName | None], dict[Tier, Pool]] = {}
        self._kinds: dict[KindKey, NodeKind] = {}
        self._leftovers: dict[Left, Leftover] = {}
        self._roots: dict[ClusterName, Domain] = {}
        self._present: dict[ClusterName, int] = {}
        self._topologies: dict[ClusterName, dict[tuple[str, ...], int]] = {}
        self._levels: dict[ClusterName, tuple[str, ...]] = {}
        self._fits: dict[tuple[Demand, bool], Fit] = {}

    def fit(self, demand: Demand, *, when_empty: bool = False) -> Fit:
        """Return how often a demand fits on nodes of each state, now or as if nothing ran."""
        fit = self._fits.get((demand, when_empty))
        if fit is None:
            if len(self._fits) >= MOST_FITS:
                self._fits.clear()
            fit = self._fits[demand, when_empty] = Fit(demand, when_empty=when_empty)
        return fit

    def clusters(self) -> tuple[ClusterName, ...]:
        """Return the clusters that have nodes which are not GONE, by name."""
        return tuple(sorted(self._present))

    def root(self, cluster: ClusterName) -> Domain:
        """Return the domain of a whole cluster."""
        root = self._roots.get(cluster)
        if root is None:
            root = self._roots[cluster] = Domain(CLUSTER, cluster, None)
        return root

    def has_nodes_of(self, cluster: ClusterName, chip: ChipName | None, tenant: TenantName) -> bool:
        """Say whether a tenant has, or had, nodes of its own among those of a cluster with a chip type."""
        tiers = self.pools.get((cluster, chip), {})
        return (tenant, False) in tiers or (tenant, True) in tiers

    def kinds(self) -> Iterator[tuple[NodeKind, int]]:
        """Yield the kinds of the nodes that are not GONE, with how many there are."""
        for (_, chip), tiers in self.pools.items():
            if chip is None:
                for pool in tiers.values():
                    yield from pool.kinds.items()

    def states(self) -> Iterator[tuple[Leftover, int]]:
        """Yield the states that nodes are in which are not GONE, with how many are in each."""
        for leftover in self._leftovers.values():
            if leftover.names.count and not leftover.kind.is_gone:
                yield leftover, leftover.names.count

    def held_aside_milli(self, chip: ChipName) -> int:
        """Return how many thousandths of devices of a chip type are held on nodes that take no work and are present."""
        held = 0
        for leftover in self._leftovers.values():
            kind, nodes = leftover.kind, leftover.names.count
            group = kind.group_of.get(chip) if nodes and not kind.takes_work else None
            if group is not None:
                held += nodes * (kind.whole_devices[group] - leftover.left.free[group])
        return held * WHOLE_DEVICE_MILLI

    def levels(self, cluster: ClusterName) -> tuple[str, ...]:
        """Return the levels of a cluster's topology, from the smallest to the largest, without `node` and `cluster`.

        Where nodes name different levels, the longest list says the order.
        """
        found = self._levels.get(cluster)
        if found is None:
            known = sorted(self._topologies.get(cluster, ()), key=lambda levels: (-len(levels), levels))
            found = self._levels[cluster] = tuple(dict.fromkeys(level for levels in known for level in levels))
        return found

    def distinct_states(self) -> int:
        """Return how many different states nodes are in, whatever their number."""
        return sum(bool(leftover.names.count) for leftover in self._leftovers.values())

    def node(self, entry: NodeEntry) -> Node:
        """Return the node of an entry."""
        kind = entry.leftover.kind
        return Node(
            cluster=kind.cluster,
            name=entry.id[len(kind.cluster) + 1 :],
            devices=kind.devices,
            cpu_milli=kind.cpu_milli,
            memory_mib=kind.memory_mib,
            pods=kind.pods,
            topology=entry.domain.topology or Topology(),
            labels=kind.labels,
            state=kind.state,
            note=entry.note,
            tenant=kind.tenant,
            foreign=kind.foreign,
        )

    def kind(self, node: Node) -> NodeKind:
        """Return the one object for nodes like this one."""
        key = kind_key(node)
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) > 2 * len(self.entries) + MOST_UNUSED_KINDS:
                self._forget_unused()
            kind = self._kinds[key] = NodeKind(key)
            kind.pools = () if kind.is_gone else tuple(self._pools_of(kind))
            kind.empty = self.leftover(left_when_empty(kind))
        return kind

    def leftover(self, left: Left) -> Leftover:
        """Return the one object for a state."""
        leftover = self._leftovers.get(left)
        if leftover is None:
            if len(self._leftovers) > 4 * len(self.entries) + MOST_UNUSED_STATES:
                self._forget_unused()
            leftover = self._leftovers[left] = Leftover(left, self.entries)
        return leftover

    def come(self, *entries: NodeEntry) -> None:
        """Let known nodes stand where their entries say: many at once cost much less than one by one."""
        self.changes += len(entries)
        together: dict[tuple[Leftover, Domain], list[NodeEntry]] = {}
        for entry in entries:
            place = (entry.leftover, entry.domain)
            there = together.get(place)
            if there is None:
                together[place] = [entry]
            else:
                there.append(entry)
        for (leftover, domain), there in together.items():
            if not leftover.kind.is_gone:
                self._stand(leftover, domain, there)
        for leftover, domain in together:
            if leftover.kind.is_gone:
                domain.prune()  # only now: others may have come to stand there

    def _stand(self, leftover: Leftover, domain: Domain, entries: list[NodeEntry]) -> None:
        kind = leftover.kind
        self._present[kind.cluster] = self._present.get(kind.cluster, 0) + len(entries)
        levels = tuple(level for level, _ in (domain.topology or Topology()).domains)
        topologies = self._topologies.setdefault(kind.cluster, {})
        if levels not in topologies:
            self._levels.pop(kind.cluster, None)
        topologies[levels] = topologies.get(levels, 0) + len(entries)
        leftover.names.count += len(entries)
        leftover.names.fresh += [entry.id for entry in entries]
        domain.add(*entries)
        for pool in kind.pools:
            pool.come(kind, domain, leftover, len(entries))

    def go(self, entry: NodeEntry) -> None:
        """Take a node out of where it stands; its entry is still known, and its domain stays, be it empty."""
        self.changes += 1
        leftover, domain = entry.leftover, entry.domain
        kind = leftover.kind
        if kind.is_gone:
            return
        self._present[kind.cluster] -= 1
        if not self._present[kind.cluster]:
            del self._present[kind.cluster]
        levels = tuple(level for level, _ in (domain.topology or Topology()).domains)
        topologies = self._topologies[kind.cluster]
        topologies[levels] -= 1
        if not topologies[levels]:
            del topologies[levels]
            self._levels.pop(kind.cluster, None)
        leftover.names.count -= 1
        domain.discard(entry)
        for pool in kind.pools:
            pool.go(kind, domain, leftover)

    def _pools_of(self, kind: NodeKind) -> Iterable[Pool]:
        for name in kind.pool_names:
            tiers = self.pools.setdefault(name, {})
            if kind.tier not in tiers:
                tiers[kind.tier] = Pool()
                self.pools_made += 1
            yield tiers[kind.tier]

    def _forget_unused(self) -> None:
        """Keep only kinds and states that nodes are of and in; rooms, which may know others, are made anew."""
        kinds = {entry.leftover.kind for entry in self.entries.values()}
        self._kinds = {key: kind for key, kind in self._kinds.items() if kind in kinds}
        used = {entry.leftover for entry in self.entries.values()} | {kind.empty for kind in kinds}
        self._leftovers = {leftover.left: leftover for leftover in used}
        for leftover in used:
            leftover.after.clear()
            leftover.before.clear()
        self._fits.clear()
        for tiers in self.pools.values():
            for pool in tiers.values():
                pool.forget_rooms()
