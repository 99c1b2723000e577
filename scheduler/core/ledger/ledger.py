"""The ledger: who holds what on which node, and what is free, with an inverse for every change."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from sys import intern

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
    SetAside,
    UnknownNode,
)
from scheduler.core.ledger.checks import are_plainly_free, check_room, check_slots
from scheduler.core.ledger.digest import digest_of
from scheduler.core.ledger.holding import Holding, Row, Seated, SpeltOut, Use, compute_used, lines_of
from scheduler.core.ledger.holds import GIVE, TAKE, change_rows, seat
from scheduler.core.ledger.index.inventory import Inventory
from scheduler.core.ledger.moving import carried_over, counted_anew, is_misplaced
from scheduler.core.ledger.states.node_entry import NodeEntry
from scheduler.core.ledger.states.node_kind import NodeKind
from scheduler.core.ledger.use_counts import UseCounts
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import AttemptId, ChipName, ClusterName, NodeId, TenantName
from scheduler.core.model.node import Cluster, Node
from scheduler.core.model.reason import Holder
from scheduler.core.model.sharing.queue import Account, QueueName

NODES_AT_ONCE = 1_024


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
        match change:  # those first that are asked for most
            case Release():
                return self._release(change.attempt)
            case Retake():
                return self._retake(change)
            case Seat():
                return self._seat(change)
            case Hold():
                return self._hold(change)
            case Restore():
                self.restore(change.attempt, change.tenant, change.allocations, change.account)
                return Release(change.attempt)
            case _:
                return self._apply_to_nodes(change)

    def _apply_to_nodes(self, change: SetAside | PutNode | RemoveNode | PutCluster) -> LedgerChange:
        match change:
            case SetAside():
                return self._set_aside(change)
            case PutNode():
                return self._put_node(change.node)
            case RemoveNode():
                return self._remove_node(change.node)
            case PutCluster():
                return self._put_cluster(change.cluster)

    def add_nodes(self, nodes: Iterable[Node]) -> None:
        """Take in nodes that are not known yet, as PutNode would one by one, but many for the price of a few."""
        inventory, entries = self.inventory, self.inventory.entries
        rest = iter(nodes)
        while batch := list(islice(rest, NODES_AT_ONCE)):
            came = []
            before = None
            for node in batch:
                if before is None or node.topology is not before.topology or node.cluster != before.cluster:
                    domain = inventory.root(node.cluster).within(node.topology)
                before, name = node, intern(node.id)
                entry = entries[name] = NodeEntry(name, node.note, domain, inventory.kind(node).empty)
                came.append(entry)
            inventory.come(*came)

    def restore(
        self,
        attempt: AttemptId,
        tenant: TenantName,
        allocations: tuple[Allocation, ...],
        account: Account | None = None,
    ) -> None:
        """Write down what an attempt holds in truth: a Restore that nobody means to undo. Raises as that does."""
        if attempt in self._holdings:
            raise AlreadyHeld(attempt)
        holding, entries = SpeltOut(tenant, allocations, account), self.inventory.entries
        try:
            rows = holding.rows(entries)
        except (KeyError, ValueError):  # an unknown node, a slot below 0
            rows = []
        if not are_plainly_free(rows):
            for entry, there in self._by_node(allocations):
                check_slots(entry, there)
        self._keep(attempt, holding, rows)

    def release(self, attempt: AttemptId) -> LedgerChange:
        """Free what an attempt held, for good: a Release after which nobody who asks for its room has to catch up.

        Return the inverse. Raises NotHeld.
        """
        undo = self._release(attempt)
        for pool in dict.fromkeys(pool for entry, _, _ in undo.rows for pool in entry.leftover.kind.pools):
            pool.catch_up()
        return undo

    def named(self, held: Allocation) -> Allocation:
        """Return an equal allocation that names its node by the ledger's own string: one less in memory for each.

        One of a node that the ledger does not know is returned as it is.
        """
        entry = self.inventory.entries.get(held.node)
        return held if entry is None or entry.id is held.node else replace(held, node=entry.id)

    def clusters(self) -> tuple[ClusterName, ...]:
        """Return the clusters that have nodes which are not GONE, by name."""
        return self.inventory.clusters()

    def cluster(self, name: ClusterName) -> Cluster | None:
        """Return what is known of a cluster, None where nothing was said."""
        return self._clusters.get(name)

    def node(self, node: NodeId) -> Node:
        """Return a node. Raises UnknownNode."""
        return self.inventory.node(self._entry(node))

    def kind_of(self, node: NodeId) -> NodeKind:
        """Return what a node has in common with those like it. Raises UnknownNode."""
        return self._entry(node).leftover.kind

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

    def all_held(self) -> tuple[tuple[ClusterName, ChipName, TenantName, int], ...]:
        """Return how many thousandths of devices of a chip type a tenant holds in a cluster, GONE nodes included."""
        return self._uses.all_held()

    @property
    def uses(self) -> UseCounts:
        """What is held, by queue, for reading."""
        return self._uses

    def queue_devices_milli(self, queue: QueueName, chip: ChipName) -> int:
        """Return how many thousandths of devices of a chip type a queue holds, with all that is in it."""
        return self._uses.held_by(queue).get(chip, 0)

    def regroup(self, paths: Mapping[QueueName, Sequence[QueueName]]) -> None:
        """Count for other queues from now on: each is named with all that it is in, itself first."""
        self._uses.regroup(paths)

    def has_hold(self, attempt: AttemptId) -> bool:
        """Say whether an attempt holds anything."""
        return attempt in self._holdings

    def rows_of(self, attempt: AttemptId) -> Sequence[Row]:
        """Return what an attempt holds of which node, not to be changed. Raises NotHeld."""
        if attempt not in self._holdings:
            raise NotHeld(attempt)
        return self._holdings[attempt].rows(self.inventory.entries)

    def nodes_of(self, attempt: AttemptId) -> tuple[NodeId, ...]:
        """Return the nodes on which an attempt holds something, each once, by id. Raises NotHeld."""
        return tuple(sorted({entry.id for entry, _, _ in self.rows_of(attempt)}))

    def digest(self) -> str:
        """Return the SHA-256, in hex, of all nodes and all that is held."""
        return digest_of(self._content())

    def _content(self) -> Iterator[object]:
        entries = self.inventory.entries
        for node in sorted(entries):
            yield self.inventory.node(entries[node])
        for attempt in sorted(self._holdings):
            holding = self._holdings[attempt]
            yield (attempt, *lines_of(holding.tenant, holding.rows(entries)))

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
        uses += compute_used(change.compute_milli)
        holding = self._holdings[change.attempt] = Seated(change.tenant, rows, tuple(uses), change.account)
        self._uses.note(holding, rows)
        return Release(change.attempt)

    def _set_aside(self, change: SetAside) -> Release:
        if change.name in self._holdings:
            raise AlreadyHeld(change.name)
        rows = [(entry, amounts, 0) for entry, amounts in change.amounts]
        change_rows(self.inventory, rows, TAKE)
        holding = self._holdings[change.name] = Seated(change.tenant, rows, change.uses, change.account)
        self._uses.note(holding, rows)
        return Release(change.name)

    def _hold(self, change: Hold) -> Release:
        if change.attempt in self._holdings:
            raise AlreadyHeld(change.attempt)
        for entry, there in self._by_node(change.allocations):
            check_room(entry, change.tenant, there, self._clusters.get(entry.leftover.kind.cluster))
        holding = SpeltOut(change.tenant, change.allocations, change.account)
        self._keep(change.attempt, holding, holding.rows(self.inventory.entries))
        return Release(change.attempt)

    def _retake(self, change: Retake) -> Release:
        if change.attempt in self._holdings:
            raise AlreadyHeld(change.attempt)
        entries, holding, rows = self.inventory.entries, change.holding, change.rows
        for entry, _, _ in rows:
            if entries.get(entry.id) is not entry:  # it went and came back
                holding = holding.on_present_nodes(entries)
                rows = holding.rows(entries)
                break
        self._keep(change.attempt, holding, rows)
        return Release(change.attempt)

    def _by_node(self, allocations: Sequence[Allocation]) -> Iterable[tuple[NodeEntry, Sequence[Allocation]]]:
        """Return allocations with their nodes, each node once. Raises Overcommitted where one is unknown."""
        by_node: dict[NodeId, list[Allocation]] = {}
        for held in allocations:
            by_node.setdefault(held.node, []).append(held)
        entries = self.inventory.entries
        for node, there in by_node.items():
            entry = entries.get(node)
            if entry is None:
                raise Overcommitted(node, "node", asked=len(there), free=0)
            yield entry, there

    def _keep(self, attempt: AttemptId, holding: Holding, rows: list[Row]) -> None:
        """Write down what an attempt holds, and let its nodes give it."""
        change_rows(self.inventory, rows, TAKE)
        self._holdings[attempt] = holding
        self._uses.note(holding, rows)
        for entry, amounts, mask in rows:
            if mask and is_misplaced(entry, amounts, mask):
                self._moved_slots.add(entry.id)
        if self._moved_slots:
            self._count_moved(rows)

    def _release(self, attempt: AttemptId) -> Retake:
        holding = self._holdings.pop(attempt, None)
        if holding is None:
            raise NotHeld(attempt)
        rows = holding.rows(self.inventory.entries)
        change_rows(self.inventory, rows[::-1] if len(rows) > 1 else rows, GIVE)
        self._uses.note(holding, rows, -1)
        if self._moved_slots:
            self._count_moved(rows)
        return Retake(attempt, holding, rows)

    def _count_moved(self, rows: Iterable[Row]) -> None:
        """Count anew what those of the nodes have left whose slots were numbered anew."""
        self._count_anew({entry.id: entry for entry, _, _ in rows if entry.id in self._moved_slots}.values())

    def _put_node(self, node: Node) -> PutNode | RemoveNode:
        inventory = self.inventory
        entry = inventory.entries.get(node.id)
        if entry is None:
            self.add_nodes([node])
            return RemoveNode(node.id)
        kind = inventory.kind(node)
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
            rows = [row for holding in self._holdings.values() for row in holding.rows_on(entry)]
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
