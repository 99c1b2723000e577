"""The nodes of one cluster that have one chip type, in buckets by how many of its devices are free."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from scheduler.core.model.identifiers import NodeId
from scheduler.core.model.node import Node, NodeState


class ChipIndex:
    """Buckets and totals of one chip type in one cluster. Nodes that are GONE are never in it."""

    __slots__ = ("_buckets", "devices_drained", "devices_free", "nodes")

    def __init__(self) -> None:
        self._buckets: dict[int, list[NodeId]] = {}
        self.nodes: list[NodeId] = []
        """All nodes with the chip type, ready and drained, by id."""
        self.devices_free = 0
        """On ready nodes."""
        self.devices_drained = 0
        """That nobody holds on drained nodes."""

    def add(self, node: Node, free: int) -> None:
        """Take in a node with so many free devices."""
        insort(self.nodes, node.id)
        if node.state is NodeState.READY:
            insort(self._buckets.setdefault(free, []), node.id)
            self.devices_free += free
        else:
            self.devices_drained += free

    def remove(self, node: Node, free: int) -> None:
        """Take out a node that was added with exactly these values."""
        _discard(self.nodes, node.id)
        if node.state is NodeState.READY:
            bucket = self._buckets[free]
            _discard(bucket, node.id)
            if not bucket:
                del self._buckets[free]
            self.devices_free -= free
        else:
            self.devices_drained -= free

    def with_free(self, at_least: int) -> Iterator[tuple[NodeId, int]]:
        """Yield ready nodes with at least so many free devices: fewest free first, then by id."""
        for free in sorted(self._buckets):
            if free >= at_least:
                for node in self._buckets[free]:
                    yield node, free


def _discard(ordered: list[NodeId], node: NodeId) -> None:
    del ordered[bisect_left(ordered, node)]
