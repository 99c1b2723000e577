"""Writing what nodes a cluster has."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import delete, select

from scheduler.adapters.database.documents import FOREIGN_USE, PAIRS, TOPOLOGY, storable
from scheduler.adapters.database.reads.listed import LISTED, in_chunks, rows_listed
from scheduler.adapters.database.reads.nodes import read_nodes
from scheduler.adapters.database.schema.fleet import (
    CPU_MILLI,
    DEVICES_MILLI,
    MEMORY_MIB,
    PODS,
    chip_types,
    device_slots,
    node_devices,
    node_resources,
    nodes,
)
from scheduler.adapters.database.transaction import Draft, Row, Transaction
from scheduler.adapters.database.writes.drains import as_seen, as_wished, lock_cluster, note_seen, read_seen
from scheduler.core.model.change import NodeSeen
from scheduler.core.model.identifiers import AttemptId, ChipName, ClusterName, NodeId
from scheduler.core.model.node import LONGEST_NOTE, DeviceGroup, Node, NodeState
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.ports.directory import DoesNotExist, InventoryOutcome

_LOCK_NODES = select(nodes.c.id).where(nodes.c.id.in_(LISTED)).order_by(nodes.c.id).with_for_update()
_LOCK_COUNTERS = (
    select(node_resources)
    .where(node_resources.c.node_id.in_(LISTED))
    .order_by(node_resources.c.node_id, node_resources.c.resource)
    .with_for_update()
)
_HELD_SLOTS = select(device_slots).where(device_slots.c.node_id.in_(LISTED), device_slots.c.used_milli > 0)


@dataclass(frozen=True, slots=True)
class _HeldDevice:
    """A device of which something is held."""

    chip: ChipName
    holder: AttemptId | None
    """None where it is shared."""
    used_milli: int
    used_memory_mib: int

    @property
    def rest_milli(self) -> int:
        """What its sharers leave: nobody else's device can be made of it."""
        return WHOLE_DEVICE_MILLI - self.used_milli


@dataclass(slots=True)
class _Held:
    """What is held on one node."""

    used: dict[str, int] = field(default_factory=dict)
    slots: dict[int, _HeldDevice] = field(default_factory=dict)

    def fits(self, node: Node) -> bool:
        """Say whether the node still has all that is held on it, beside what others use."""
        has, devices = _allocatable(node), _devices_by_slot(node)
        needed = Counter(self.used)
        for device in self.slots.values():
            needed[DEVICES_MILLI + device.chip] += device.rest_milli
        return all(used <= has.get(resource, 0) for resource, used in needed.items()) and all(
            slot in devices and devices[slot].chip == device.chip and devices[slot].memory_mib >= device.used_memory_mib
            for slot, device in self.slots.items()
        )


def record_nodes(
    transaction: Transaction, cluster: ClusterName, seen: Sequence[Node], at: datetime
) -> InventoryOutcome:
    """Make the cluster's nodes exactly these; absent ones become GONE. Raises DoesNotExist (cluster or chip).

    What an operator drained stays so, whatever the cluster says of it.
    """
    wanted = _checked(transaction, cluster, seen)
    drained = read_seen(transaction, cluster)
    present = {node.id: as_seen(node, drained) for node in read_nodes(transaction.connection, cluster)}
    differing = [node for name, node in sorted(wanted.items()) if present.get(name) != node]
    held = _held_on(transaction, [node.id for node in differing if node.id in present])
    held_back = tuple(node.id for node in differing if not held[node.id].fits(node))
    kept_back = set(held_back)
    settled = [_held_back(present[node.id], node) if node.id in kept_back else node for node in differing]
    changed = [node for node in settled if present.get(node.id) != node]
    gone = [
        replace(node, state=NodeState.GONE)
        for name, node in sorted(present.items())
        if name not in wanted and node.state is not NodeState.GONE
    ]
    note_seen(transaction, (*changed, *gone), drained)
    _write(transaction, [as_wished(node, drained) for node in changed], held)
    transaction.insert_or_replace(nodes, [_node_row(node) for node in gone])
    for node in (*changed, *gone):
        transaction.add(Draft(at, NodeSeen(as_wished(node, drained))))
    added = sum(node.id not in present for node in changed)
    return InventoryOutcome(added=added, changed=len(changed) - added, gone=len(gone), held_back=held_back)


def suspect_nodes(transaction: Transaction, cluster: ClusterName, note: str, at: datetime) -> int:
    """Make all nodes of a cluster SUSPECT that are there and not drained; returns how many differ.

    Raises DoesNotExist.
    """
    lock_cluster(transaction, cluster)
    certain = (NodeState.GONE, NodeState.DRAINED)
    drained = read_seen(transaction, cluster)
    recorded = (as_seen(node, drained) for node in read_nodes(transaction.connection, cluster))
    present = [node for node in recorded if node.state not in certain]
    suspect = [replace(node, state=NodeState.SUSPECT, note=storable(note, LONGEST_NOTE)) for node in present]
    changed = [after for before, after in zip(present, suspect, strict=True) if before != after]
    note_seen(transaction, changed, drained)
    transaction.insert_or_replace(nodes, [_node_row(as_wished(node, drained)) for node in changed])
    for node in changed:
        transaction.add(Draft(at, NodeSeen(as_wished(node, drained))))
    return len(changed)


def _checked(transaction: Transaction, cluster: ClusterName, seen: Sequence[Node]) -> dict[NodeId, Node]:
    """Return the nodes by id. Raises DoesNotExist, and ValueError for an inventory that contradicts itself."""
    lock_cluster(transaction, cluster)
    known = set(transaction.connection.execute(select(chip_types.c.name)).scalars())
    wanted: dict[NodeId, Node] = {}
    for node in seen:
        chips = [group.chip for group in node.devices]
        if node.cluster != cluster or node.id in wanted or len(set(chips)) != len(chips):
            raise ValueError(f"node {node.id}: of another cluster, named twice, or with one chip type in two groups")
        for chip in chips:
            if chip not in known:
                raise DoesNotExist(chip)
        wanted[node.id] = replace(node, note=storable(node.note, LONGEST_NOTE))
    return wanted


def _held_back(present: Node, seen: Node) -> Node:
    """Return a node that keeps its capacity and takes nothing new, until what is held on it fits what was seen."""
    return replace(
        seen,
        devices=present.devices,
        cpu_milli=present.cpu_milli,
        memory_mib=present.memory_mib,
        pods=present.pods,
        foreign=present.foreign,
        state=NodeState.DRAINED,
    )


def _held_on(transaction: Transaction, ids: Sequence[NodeId]) -> dict[NodeId, _Held]:
    """Return what is held on nodes, their counters locked until the commit."""
    held: dict[NodeId, _Held] = defaultdict(_Held)
    # First the nodes, then their counters: in the order of a placement, so that neither waits for the other.
    rows_listed(transaction.connection, _LOCK_NODES, ids)
    for row in rows_listed(transaction.connection, _LOCK_COUNTERS, ids):
        held[row.node_id].used[row.resource] = row.used
    for row in rows_listed(transaction.connection, _HELD_SLOTS, ids):
        held[row.node_id].slots[row.slot] = _HeldDevice(
            row.chip, row.holder_attempt, row.used_milli, row.used_memory_mib
        )
    return held


def _write(transaction: Transaction, changed: Sequence[Node], held: dict[NodeId, _Held]) -> None:
    """Write nodes with their counters and slots, keeping what is held."""
    transaction.insert_or_replace(nodes, [_node_row(node) for node in changed])
    for chunk in in_chunks(node.id for node in changed if held[node.id].used):
        for table in (node_devices, node_resources, device_slots):
            transaction.connection.execute(delete(table).where(table.c.node_id.in_(chunk)))
    transaction.insert(node_devices, [row for node in changed for row in _device_rows(node)])
    transaction.insert(node_resources, [row for node in changed for row in _resource_rows(node, held[node.id])])
    transaction.insert(device_slots, [row for node in changed for row in _slot_rows(node, held[node.id])])


def _allocatable(node: Node) -> dict[str, int]:
    """Return what Medley may use of a node: what it has less what others use, never below 0."""
    has = {CPU_MILLI: node.cpu_milli, MEMORY_MIB: node.memory_mib, PODS: node.pods}
    foreign = {CPU_MILLI: node.foreign.cpu_milli, MEMORY_MIB: node.foreign.memory_mib, PODS: node.foreign.pods}
    for group in node.devices:
        has[DEVICES_MILLI + group.chip] = group.count * WHOLE_DEVICE_MILLI
        foreign[DEVICES_MILLI + group.chip] = node.foreign.devices_of(group.chip) * WHOLE_DEVICE_MILLI
    return {resource: max(0, amount - foreign[resource]) for resource, amount in has.items()}


def _devices_by_slot(node: Node) -> dict[int, DeviceGroup]:
    return {slot: group for group in node.devices for slot in node.slots(group.chip)}


def _node_row(node: Node) -> Row:
    return {
        "id": node.id,
        "cluster": node.cluster,
        "name": node.name,
        "cpu_milli": node.cpu_milli,
        "memory_mib": node.memory_mib,
        "pods": node.pods,
        "topology": TOPOLOGY.encode(node.topology),
        "labels": PAIRS.encode(node.labels),
        "state": node.state,
        "note": node.note,
        "tenant": node.tenant,
        "foreign_use": FOREIGN_USE.encode(node.foreign),
    }


def _device_rows(node: Node) -> list[Row]:
    return [
        {
            "node_id": node.id,
            "chip": group.chip,
            "position": position,
            "devices": group.count,
            "memory_mib": group.memory_mib,
        }
        for position, group in enumerate(node.devices)
    ]


def _resource_rows(node: Node, held: _Held) -> list[Row]:
    return [
        {"node_id": node.id, "resource": resource, "allocatable": amount, "used": held.used.get(resource, 0)}
        for resource, amount in _allocatable(node).items()
    ]


def _slot_rows(node: Node, held: _Held) -> list[Row]:
    rows: list[Row] = []
    for slot, group in _devices_by_slot(node).items():
        device = held.slots.get(slot, _HeldDevice(group.chip, None, 0, 0))
        rows.append(
            {
                "node_id": node.id,
                "slot": slot,
                "chip": group.chip,
                "used_milli": device.used_milli,
                "holder_attempt": device.holder,
                "used_memory_mib": device.used_memory_mib,
                "memory_mib": group.memory_mib,
            }
        )
    return rows
