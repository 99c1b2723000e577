"""How many workers of one shape the nodes of a cluster have room for, now or if nothing ran."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.occupancy import Spare
from scheduler.core.model.identifiers import ChipName, ClusterName, NodeId
from scheduler.core.model.node import Node
from scheduler.core.model.reason import Resource
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import RACK


@dataclass(frozen=True, slots=True)
class NodeRoom:
    """Room of one node for workers on one chip type; at least one fits."""

    node: NodeId
    rack: str | None
    devices: int
    """Free devices of the chip type."""
    by_devices: int
    """Workers that these allow."""
    by_rest: int
    """Workers that cpu, memory and pods allow; workers of all chip types on the node share it."""

    @property
    def workers(self) -> int:
        """How many workers fit if all of them are on this chip type."""
        return min(self.by_devices, self.by_rest)


@dataclass(frozen=True, slots=True)
class ChipRoom:
    """Room of one cluster for workers on one chip type."""

    nodes: tuple[NodeRoom, ...]
    """By id."""
    workers: int
    """How many workers fit if all of them are on this chip type."""


@dataclass(frozen=True, slots=True)
class ClusterRoom:
    """Room of one cluster for a gang."""

    cluster: ClusterName
    chips: dict[ChipName, ChipRoom]
    """In the order in which the gang wants them."""


class Survey:
    """Looks up room on a ledger, and remembers what it saw until the ledger changes.

    Meant for one cycle: what it remembers grows with the different shapes that are asked for.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._seen_now: dict[tuple[ClusterName, ChipName, WorkerShape], ChipRoom] = {}
        self._seen_empty: dict[tuple[ClusterName, ChipName, WorkerShape], ChipRoom] = {}
        self._changes = ledger.changes
        self._node_changes = ledger.node_changes

    def now(self, cluster: ClusterName, chips: Iterable[ChipName], shape: WorkerShape) -> ClusterRoom:
        """Return the room that ready nodes have now."""
        self._forget_what_changed()
        found = {}
        for chip in chips:
            key = (cluster, chip, shape)
            if key not in self._seen_now:
                self._seen_now[key] = self._look_now(cluster, chip, shape)
            found[chip] = self._seen_now[key]
        return ClusterRoom(cluster, found)

    def when_empty(self, cluster: ClusterName, chips: Iterable[ChipName], shape: WorkerShape) -> ClusterRoom:
        """Return the room there would be if nothing ran and no node were drained."""
        self._forget_what_changed()
        found = {}
        for chip in chips:
            key = (cluster, chip, shape)
            if key not in self._seen_empty:
                self._seen_empty[key] = self._look_when_empty(cluster, chip, shape)
            found[chip] = self._seen_empty[key]
        return ClusterRoom(cluster, found)

    def _forget_what_changed(self) -> None:
        if self._changes != self.ledger.changes:
            self._changes = self.ledger.changes
            self._seen_now.clear()
        if self._node_changes != self.ledger.node_changes:
            self._node_changes = self.ledger.node_changes
            self._seen_empty.clear()

    def _look_now(self, cluster: ClusterName, chip: ChipName, shape: WorkerShape) -> ChipRoom:
        free = self.ledger.nodes_with_free(cluster, chip, at_least=shape.devices)
        return _chip_room(
            [_node_room(self.ledger.node(node), devices, self.ledger.spare(node), shape) for node, devices in free]
        )

    def _look_when_empty(self, cluster: ClusterName, chip: ChipName, shape: WorkerShape) -> ChipRoom:
        nodes = self.ledger.nodes_with(cluster, chip)
        return _chip_room([_node_room(node, len(node.slots(chip)), whole_spare(node), shape) for node in nodes])


def whole_spare(node: Node) -> Spare:
    """Return all that a node has besides devices."""
    return Spare(node.cpu_milli, node.memory_mib, node.pods)


def workers_by_rest(spare: Spare, shape: WorkerShape) -> dict[Resource, int]:
    """Return how many workers each of cpu, memory and pods alone allows; what is not asked for is no limit."""
    by_pods = spare.pods
    return {
        Resource.CPU: spare.cpu_milli // shape.cpu_milli if shape.cpu_milli else by_pods,
        Resource.MEMORY: spare.memory_mib // shape.memory_mib if shape.memory_mib else by_pods,
        Resource.PODS: by_pods,
    }


def _node_room(node: Node, devices: int, spare: Spare, shape: WorkerShape) -> NodeRoom:
    return NodeRoom(
        node=node.id,
        rack=node.topology.domain(RACK),
        devices=devices,
        by_devices=devices // shape.devices,
        by_rest=min(workers_by_rest(spare, shape).values()),
    )


def _chip_room(found: Sequence[NodeRoom]) -> ChipRoom:
    rooms = tuple(sorted((room for room in found if room.workers), key=lambda room: room.node))
    return ChipRoom(rooms, sum(room.workers for room in rooms))
