"""The ledger: who holds what on which node, and what is free, with an inverse for every change."""

from collections.abc import Iterator, Sequence

from scheduler.core.ledger.changes import (
    AlreadyHeld,
    Hold,
    LedgerChange,
    NodeInUse,
    NotHeld,
    Overcommitted,
    PutNode,
    Release,
    RemoveNode,
    Restore,
    UnknownNode,
)
from scheduler.core.ledger.chip_index import ChipIndex
from scheduler.core.ledger.digest import digest_of
from scheduler.core.ledger.occupancy import Occupancy, Spare
from scheduler.core.ledger.use_counts import UseCounts
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import AttemptId, ChipName, ClusterName, NodeId, TenantName
from scheduler.core.model.node import Node, NodeState
from scheduler.core.model.reason import Holder


class Ledger:
    """All capacity, free and held. `apply` is the only way to change it; every read is in a fixed order."""

    def __init__(self) -> None:
        self._nodes: dict[NodeId, Occupancy] = {}
        self._holds: dict[AttemptId, Restore] = {}
        self._indexes: dict[tuple[ClusterName, ChipName], ChipIndex] = {}
        self._nodes_present: dict[ClusterName, int] = {}
        self._uses = UseCounts()
        self.changes = 0
        """Grows with every change: what was read while it stood still is still true."""
        self.node_changes = 0
        """Grows with every change of a node itself, whatever is held on it."""

    def apply(self, change: LedgerChange) -> LedgerChange:
        """Do a change and return its inverse; where it raises, the ledger is as before.

        Undo by applying inverses newest first.
        """
        undo = self._apply(change)
        self.changes += 1
        self.node_changes += isinstance(change, PutNode | RemoveNode)
        return undo

    def clusters(self) -> tuple[ClusterName, ...]:
        """Return the clusters that have nodes which are not GONE, by name."""
        return tuple(sorted(self._nodes_present))

    def node(self, node: NodeId) -> Node:
        """Return a node. Raises UnknownNode."""
        return self._occupancy(node).node

    def has_node(self, node: NodeId) -> bool:
        """Say whether the ledger knows a node."""
        return node in self._nodes

    def nodes_gone(self) -> tuple[Node, ...]:
        """Return the nodes that left their clusters, by id."""
        gone = [found.node for found in self._nodes.values() if found.node.state is NodeState.GONE]
        return tuple(sorted(gone, key=lambda node: node.id))

    def is_held(self, node: NodeId) -> bool:
        """Say whether anything is held on a node. Raises UnknownNode."""
        return self._occupancy(node).is_held

    def nodes_with(self, cluster: ClusterName, chip: ChipName) -> tuple[Node, ...]:
        """Return all nodes of a cluster that have a chip type, drained ones too but none that is GONE, by id."""
        index = self._indexes.get((cluster, chip))
        return () if index is None else tuple(self._nodes[node].node for node in index.nodes)

    def nodes_with_free(self, cluster: ClusterName, chip: ChipName, *, at_least: int) -> Iterator[tuple[NodeId, int]]:
        """Yield ready nodes and their free devices of a chip type: fewest free first, then by id."""
        index = self._indexes.get((cluster, chip))
        if index is not None:
            yield from index.with_free(at_least)

    def free_slots(self, node: NodeId, chip: ChipName) -> tuple[int, ...]:
        """Return a node's free device slots of a chip type, lowest first. Raises UnknownNode."""
        return self._occupancy(node).free_slots(chip)

    def spare(self, node: NodeId) -> Spare:
        """Return what a node has free besides devices. Raises UnknownNode."""
        return self._occupancy(node).spare()

    def devices_free(self, cluster: ClusterName, chip: ChipName) -> int:
        """Return the free devices of a chip type on a cluster's ready nodes."""
        index = self._indexes.get((cluster, chip))
        return 0 if index is None else index.devices_free

    def devices_drained(self, cluster: ClusterName, chip: ChipName) -> int:
        """Return the devices of a chip type that nobody holds on a cluster's drained nodes."""
        index = self._indexes.get((cluster, chip))
        return 0 if index is None else index.devices_drained

    def holders(self, cluster: ClusterName, chip: ChipName) -> tuple[Holder, ...]:
        """Return who holds devices of a chip type in a cluster, GONE nodes included: most first, then by tenant."""
        return self._uses.holders(cluster, chip)

    def tenant_devices(self, tenant: TenantName, chip: ChipName) -> int:
        """Return how many devices of a chip type a tenant holds in all clusters."""
        return self._uses.tenant_devices(tenant, chip)

    def has_hold(self, attempt: AttemptId) -> bool:
        """Say whether an attempt holds anything."""
        return attempt in self._holds

    def digest(self) -> str:
        """Return the SHA-256, in hex, of all nodes and all that is held."""
        nodes = [self._nodes[node].node for node in sorted(self._nodes)]
        return digest_of([*nodes, *(self._holds[attempt] for attempt in sorted(self._holds))])

    def _apply(self, change: LedgerChange) -> LedgerChange:
        match change:
            case Hold() | Restore():
                return self._hold(change)
            case Release():
                return self._release(change)
            case PutNode():
                return self._put_node(change.node)
            case RemoveNode():
                return self._remove_node(change.node)

    def _occupancy(self, node: NodeId) -> Occupancy:
        found = self._nodes.get(node)
        if found is None:
            raise UnknownNode(node)
        return found

    def _hold(self, change: Hold | Restore) -> Release:
        if change.attempt in self._holds:
            raise AlreadyHeld(change.attempt)
        by_node = _by_node(change.allocations)
        for node, allocations in by_node.items():
            occupancy = self._nodes.get(node)
            if occupancy is None:
                raise Overcommitted(node, "node", asked=len(allocations), free=0)
            if isinstance(change, Hold):
                occupancy.check_room(allocations)
            else:
                occupancy.check_slots(allocations)
        for node, allocations in by_node.items():
            occupancy = self._nodes[node]
            self._unindex(occupancy)
            occupancy.take(change.attempt, allocations)
            self._index(occupancy)
            self._uses.add(change.tenant, occupancy.node.cluster, allocations)
        self._holds[change.attempt] = Restore(change.attempt, change.tenant, change.allocations)
        return Release(change.attempt)

    def _release(self, change: Release) -> Restore:
        held = self._holds.pop(change.attempt, None)
        if held is None:
            raise NotHeld(change.attempt)
        for node, allocations in _by_node(held.allocations).items():
            occupancy = self._nodes[node]
            self._unindex(occupancy)
            occupancy.give_back(allocations)
            self._index(occupancy)
            self._uses.remove(held.tenant, occupancy.node.cluster, allocations)
        return held

    def _put_node(self, node: Node) -> PutNode | RemoveNode:
        occupancy = self._nodes.get(node.id)
        if occupancy is None:
            self._nodes[node.id] = occupancy = Occupancy(node)
            self._index(occupancy)
            return RemoveNode(node.id)
        before = occupancy.node
        self._unindex(occupancy)
        occupancy.replace_node(node)
        self._index(occupancy)
        return PutNode(before)

    def _remove_node(self, node: NodeId) -> PutNode:
        occupancy = self._occupancy(node)
        if occupancy.is_held:
            raise NodeInUse(node)
        self._unindex(occupancy)
        del self._nodes[node]
        return PutNode(occupancy.node)

    def _index(self, occupancy: Occupancy) -> None:
        node = occupancy.node
        if node.state is NodeState.GONE:
            return
        self._nodes_present[node.cluster] = self._nodes_present.get(node.cluster, 0) + 1
        for chip, free in occupancy.free_devices.items():
            self._indexes.setdefault((node.cluster, chip), ChipIndex()).add(node, free)

    def _unindex(self, occupancy: Occupancy) -> None:
        node = occupancy.node
        if node.state is NodeState.GONE:
            return
        self._nodes_present[node.cluster] -= 1
        if not self._nodes_present[node.cluster]:
            del self._nodes_present[node.cluster]
        for chip, free in occupancy.free_devices.items():
            self._indexes[node.cluster, chip].remove(node, free)


def _by_node(allocations: Sequence[Allocation]) -> dict[NodeId, list[Allocation]]:
    by_node: dict[NodeId, list[Allocation]] = {}
    for allocation in allocations:
        by_node.setdefault(allocation.node, []).append(allocation)
    return by_node
