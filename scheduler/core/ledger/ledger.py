"""The ledger: who holds what on which node, and what is free, with an inverse for every change."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from scheduler.core.ledger.changes import (
    AlreadyHeld,
    Hold,
    LedgerChange,
    NodeInUse,
    NotHeld,
    Overcommitted,
    PutCluster,
    PutNode,
    Release,
    RemoveNode,
    Restore,
    Retake,
    Seat,
    UnknownNode,
)
from scheduler.core.ledger.checks import check_room, check_slots
from scheduler.core.ledger.digest import digest_of
from scheduler.core.ledger.holding import Holding, Row, Use
from scheduler.core.ledger.holds import GIVE, TAKE, change_rows, rows_of, seat
from scheduler.core.ledger.index.inventory import Inventory
from scheduler.core.ledger.moving import carried_over, counted_anew, is_misplaced
from scheduler.core.ledger.states.node_entry import NodeEntry
from scheduler.core.ledger.use_counts import UseCounts
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import AttemptId, ChipName, ClusterName, NodeId, TenantName
from scheduler.core.model.node import Cluster, Node
from scheduler.core.model.reason import Holder


class Ledger:
    """All capacity, free and held. `apply` is the only way to change it; every read is in a fixed order."""

    def __init__(self) -> None:
        self.inventory = Inventory()
        """The nodes in buckets, for placement to read."""
        self._clusters: dict[ClusterName, Cluster] = {}
        self._holdings: dict[AttemptId, Holding] = {}
        self._uses = UseCounts()
        self._moved_slots: set[NodeId] = set()
        """Nodes whose slots were numbered anew under what they run: what they have left is counted from holdings."""

    def apply(self, change: LedgerChange) -> LedgerChange:
        """Do a change and return its inverse; where it raises, the ledger is as before.

        Undo by applying inverses newest first.
        """
        match change:
            case Seat():
                return self._seat(change)
            case Hold() | Restore():
                return self._hold(change)
            case Release():
                return self._release(change)
            case Retake():
                return self._keep(change.attempt, self._on_present_nodes(change.holding), is_new=True)
            case _:
                return self._apply_to_nodes(change)

    def _apply_to_nodes(self, change: PutNode | RemoveNode | PutCluster) -> LedgerChange:
        match change:
            case PutNode():
                return self._put_node(change.node)
            case RemoveNode():
                return self._remove_node(change.node)
            case PutCluster():
                return self._put_cluster(change.cluster)

    def clusters(self) -> tuple[ClusterName, ...]:
        """Return the clusters that have nodes which are not GONE, by name."""
        return self.inventory.clusters()

    def cluster(self, name: ClusterName) -> Cluster | None:
        """Return what is known of a cluster, None where nothing was said."""
        return self._clusters.get(name)

    def node(self, node: NodeId) -> Node:
        """Return a node. Raises UnknownNode."""
        return self.inventory.node(self._entry(node))

    def has_node(self, node: NodeId) -> bool:
        """Say whether the ledger knows a node."""
        return node in self.inventory.entries

    def nodes_gone(self) -> tuple[NodeId, ...]:
        """Return the nodes that left their clusters, by id."""
        entries = self.inventory.entries
        return tuple(sorted(node for node, entry in entries.items() if entry.leftover.kind.is_gone))

    def is_held(self, node: NodeId) -> bool:
        """Say whether anything is held on a node. Raises UnknownNode."""
        entry = self._entry(node)
        return entry.leftover is not entry.leftover.kind.empty

    def holders(self, cluster: ClusterName, chip: ChipName) -> tuple[Holder, ...]:
        """Return who holds devices of a chip type in a cluster, GONE nodes included: most first, then by tenant."""
        return self._uses.holders(cluster, chip)

    def tenant_devices_milli(self, tenant: TenantName, chip: ChipName) -> int:
        """Return how many thousandths of devices of a chip type a tenant holds in all clusters."""
        return self._uses.tenant_devices_milli(tenant, chip)

    def has_hold(self, attempt: AttemptId) -> bool:
        """Say whether an attempt holds anything."""
        return attempt in self._holdings

    def nodes_of(self, attempt: AttemptId) -> tuple[NodeId, ...]:
        """Return the nodes on which an attempt holds something, each once, by id. Raises NotHeld."""
        if attempt not in self._holdings:
            raise NotHeld(attempt)
        return tuple(sorted({entry.id for entry, _, _ in self._holdings[attempt].rows}))

    def digest(self) -> str:
        """Return the SHA-256, in hex, of all nodes and all that is held."""
        return digest_of(self._content())

    def _content(self) -> Iterator[object]:
        entries = self.inventory.entries
        for node in sorted(entries):
            yield self.inventory.node(entries[node])
        for attempt in sorted(self._holdings):
            yield (attempt, *self._holdings[attempt].lines())

    def _entry(self, node: NodeId) -> NodeEntry:
        found = self.inventory.entries.get(node)
        if found is None:
            raise UnknownNode(node)
        return found

    def _seat(self, change: Seat) -> Release:
        if change.attempt in self._holdings:
            raise AlreadyHeld(change.attempt)
        rows: list[Row] = []
        uses: list[Use] = []
        for seating in change.seatings:
            seated = seat(self.inventory, seating)
            if seated is None:
                change_rows(self.inventory, rows[::-1], GIVE)
                raise Overcommitted(seating.nodes[0].id, "node", asked=sum(seating.workers), free=0)
            rows += seated
            uses += seating.uses()
        return self._keep(change.attempt, Holding(change.tenant, rows, tuple(uses)))

    def _hold(self, change: Hold | Restore) -> Release:
        if change.attempt in self._holdings:
            raise AlreadyHeld(change.attempt)
        entries = self.inventory.entries
        by_node: dict[NodeId, list[Allocation]] = defaultdict(list)
        for allocation in change.allocations:
            by_node[allocation.node].append(allocation)
        for node, allocations in by_node.items():
            entry = entries.get(node)
            if entry is None:
                raise Overcommitted(node, "node", asked=len(allocations), free=0)
            if isinstance(change, Hold):
                check_room(entry, change.tenant, allocations, self._clusters.get(entry.leftover.kind.cluster))
            else:
                check_slots(entry, allocations)
        rows = rows_of(entries, change.allocations)
        uses = [
            (entry.leftover.kind.cluster, amounts.chip, amounts.devices_milli)
            for entry, amounts, _ in rows
            if amounts.chip is not None
        ]
        return self._keep(change.attempt, Holding(change.tenant, rows, tuple(uses)), is_new=True)

    def _keep(self, attempt: AttemptId, holding: Holding, *, is_new: bool = False) -> Release:
        """Write down what an attempt holds; where it is new, its nodes are told."""
        if is_new:
            if attempt in self._holdings:
                raise AlreadyHeld(attempt)
            change_rows(self.inventory, holding.rows, TAKE)
        self._holdings[attempt] = holding
        self._count_use(holding, 1)
        if is_new:
            self._moved_slots |= {
                entry.id for entry, amounts, mask in holding.rows if is_misplaced(entry, amounts, mask)
            }
            self._count_moved(holding)
        return Release(attempt)

    def _release(self, change: Release) -> Retake:
        holding = self._holdings.pop(change.attempt, None)
        if holding is None:
            raise NotHeld(change.attempt)
        change_rows(self.inventory, holding.rows[::-1], GIVE)
        self._count_use(holding, -1)
        for pool in dict.fromkeys(pool for entry, _, _ in holding.rows for pool in entry.leftover.kind.pools):
            pool.catch_up()
        self._count_moved(holding)
        return Retake(change.attempt, holding)

    def _on_present_nodes(self, holding: Holding) -> Holding:
        """Return a holding on the nodes as they are known now: they may have gone and come back since it was made."""
        entries = self.inventory.entries
        if all(entries.get(entry.id) is entry for entry, _, _ in holding.rows):
            return holding
        return replace(holding, rows=[(entries[entry.id], amounts, mask) for entry, amounts, mask in holding.rows])

    def _count_moved(self, holding: Holding) -> None:
        """Count anew what those of a holding's nodes have left whose slots were numbered anew."""
        if self._moved_slots:
            self._count_anew(
                {entry.id: entry for entry, _, _ in holding.rows if entry.id in self._moved_slots}.values()
            )

    def _count_use(self, holding: Holding, sign: int) -> None:
        for cluster, chip, devices_milli in holding.uses:
            self._uses.add(holding.tenant, cluster, chip, sign * devices_milli)

    def _put_node(self, node: Node) -> PutNode | RemoveNode:
        inventory = self.inventory
        kind = inventory.kind(node)
        entry = inventory.entries.get(node.id)
        if entry is None:
            domain = inventory.root(node.cluster).within(node.topology)
            inventory.come(NodeEntry(node.id, node.note, domain, kind.empty))
            return RemoveNode(node.id)
        before = inventory.node(entry)
        is_numbered_anew = before.devices != node.devices or node.id in self._moved_slots
        is_numbered_anew = is_numbered_anew and self.is_held(node.id)
        left = entry.domain
        inventory.go(entry)
        entry.leftover = carried_over(inventory, entry, kind)
        entry.domain = inventory.root(node.cluster).within(node.topology)
        entry.note = node.note
        inventory.come(entry)
        left.prune()
        if is_numbered_anew:
            self._moved_slots.add(node.id)
            self._count_anew([entry])
        return PutNode(before)

    def _count_anew(self, entries: Iterable[NodeEntry]) -> None:
        """Work out from all holdings what nodes have left whose slots were numbered anew."""
        for entry in list(entries):
            rows = [row for holding in self._holdings.values() for row in holding.rows if row[0] is entry]
            self.inventory.go(entry)
            entry.leftover = counted_anew(self.inventory, entry, rows)
            self.inventory.come(entry)
            if not rows:
                self._moved_slots.discard(entry.id)

    def _remove_node(self, node: NodeId) -> PutNode:
        entry = self._entry(node)
        if self.is_held(node):
            raise NodeInUse(node)
        before = self.inventory.node(entry)
        self.inventory.go(entry)
        entry.domain.prune()
        del self.inventory.entries[node]
        return PutNode(before)

    def _put_cluster(self, cluster: Cluster) -> PutCluster:
        before = self._clusters.get(cluster.name, Cluster(cluster.name, cluster.kind))
        self._clusters[cluster.name] = cluster
        self.inventory.changes += 1
        return PutCluster(before)
