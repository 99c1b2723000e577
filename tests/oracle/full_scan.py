"""What a ledger should say, worked out the dumb way: arrays with one row per node, read from end to end each time."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from scheduler.core.model.node import TAKES_WORK, Cluster, Node, NodeState
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from tests.oracle.checks import is_refused, rest_of, slots_clash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.model.attempt import Allocation

MOST_NODES = 64
MOST_SLOTS = 16
MOST_CELLS = 512
NO_LIMIT = 1 << 40

Place = tuple[tuple[str, str], ...]
"""A domain: the levels and names of those it is in, largest first, and its own."""
Cell = tuple[str, str | None, bool, Place]
"""The nodes of one cluster and tier in one domain."""


class FullScan:
    """Nodes, what is held on them, and how often demands fit. A row is counted from all that is held on its node."""

    def __init__(self, demands: Sequence[Demand]) -> None:
        self.demands = tuple(demands)
        self.chips = sorted({demand.chip for demand in demands if demand.chip is not None})
        self.clusters: dict[str, Cluster] = {}
        self.nodes: dict[str, Node] = {}
        self.holds: dict[str, tuple[str, tuple[Allocation, ...]]] = {}
        self.columns: dict[Cell, int] = {}
        self.row_of: dict[str, int] = {}
        self._on_node: dict[str, dict[str, list[Allocation]]] = defaultdict(dict)
        self._use: Counter[tuple[str, str]] = Counter()
        self._unused = list(range(MOST_NODES))[::-1]
        rows = MOST_NODES
        self.takes_work, self.is_untouched = np.zeros(rows, bool), np.zeros(rows, bool)
        self.cpu_milli, self.memory_mib, self.pods = (np.zeros(rows, np.int64) for _ in range(3))
        self.free = np.zeros((len(self.chips) + 1, rows), np.int64)
        """Whole devices per chip type; the last row is for those who need none."""
        self.free[-1] = NO_LIMIT
        self.share_chip = np.full((rows, MOST_SLOTS), -1)
        """Of which chip type a slot is that is shared; -1 for any other slot."""
        self.share_milli, self.share_memory_mib = (np.zeros((rows, MOST_SLOTS), np.int64) for _ in range(2))
        self.device_memory_mib = np.zeros((len(self.chips) + 1, rows), np.int64)
        self.has_labels = np.zeros((len(demands), rows), bool)
        self.members = np.zeros((rows, MOST_CELLS))
        self._cpu_asked = _column([demand.shape.cpu_milli for demand in demands])
        self._memory_asked = _column([demand.shape.memory_mib for demand in demands])
        self._asks_cpu, self._asks_memory = (
            np.array([[bool(amount)] for amount in amounts])
            for amounts in ([one.shape.cpu_milli for one in demands], [one.shape.memory_mib for one in demands])
        )
        self._most = _column([demand.most_per_node for demand in demands])
        self._together = _column([demand.together for demand in demands])
        self._is_exclusive = np.array([[demand.is_exclusive] for demand in demands])

    def put_node(self, node: Node) -> None:
        """Take in a node, or its new self."""
        self.nodes[node.id] = node
        if node.id not in self.row_of:
            self.row_of[node.id] = self._unused.pop()
        row = self.row_of[node.id]
        self.members[row] = 0
        self.has_labels[:, row] = [set(demand.labels) <= set(node.labels) for demand in self.demands]
        self.takes_work[row] = node.state in TAKES_WORK
        for cell in cells_of(node):
            self.members[row, self.columns.setdefault(cell, len(self.columns))] = 1
        self._count(node.id)

    def remove_node(self, name: str) -> None:
        """Forget a node on which nothing is held."""
        row = self.row_of.pop(name)
        del self.nodes[name]
        self._unused.append(row)
        self.members[row] = 0
        self.takes_work[row] = False

    def hold(self, attempt: str, tenant: str, allocations: tuple[Allocation, ...]) -> None:
        """Let an attempt hold something."""
        self.holds[attempt] = (tenant, allocations)
        for one in allocations:
            self._on_node[one.node].setdefault(attempt, []).append(one)
        self._tell(tenant, allocations, 1)

    def release(self, attempt: str) -> tuple[str, tuple[Allocation, ...]]:
        """Let an attempt hold nothing; return what it held."""
        tenant, allocations = self.holds.pop(attempt)
        for one in allocations:
            self._on_node[one.node].pop(attempt, None)
        self._tell(tenant, allocations, -1)
        return tenant, allocations

    def held_on(self, name: str) -> list[Allocation]:
        """Return all that is held on a node."""
        return [one for held in self._on_node[name].values() for one in held]

    def refuses(self, tenant: str, allocations: Sequence[Allocation], *, is_restored: bool = False) -> bool:
        """Say whether allocations would be overcommitted."""
        by_node: dict[str, list[Allocation]] = defaultdict(list)
        for one in allocations:
            by_node[one.node].append(one)
        for name, asked in by_node.items():
            node = self.nodes.get(name)
            if node is None:
                return True
            held = self.held_on(name)
            if is_restored:
                if slots_clash(held, asked):
                    return True
            elif is_refused(node, self.clusters[node.cluster], tenant, held, asked):
                return True
        return False

    def queue_devices_milli(self, tenant: str, chip: str) -> int:
        """Return the thousandths of devices that a tenant holds of a chip type."""
        return self._use[tenant, chip]

    def fits(self) -> NDArray[np.int64]:
        """Return how often each demand, a row, fits on each node, a column."""
        by_cpu = np.where(self._asks_cpu, self.cpu_milli // self._cpu_asked, NO_LIMIT)
        by_memory = np.where(self._asks_memory, self.memory_mib // self._memory_asked, NO_LIMIT)
        rest = np.minimum(np.minimum(np.minimum(by_cpu, by_memory), self.pods), self._most)
        devices = np.stack([self._by_devices(demand) for demand in self.demands])
        may = self.has_labels & self.takes_work & (~self._is_exclusive | self.is_untouched)
        found: NDArray[np.int64] = np.maximum(np.minimum(rest, devices), 0) * may // self._together
        return found

    def per_cell(self, fits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how often each demand, a row, fits into each cell, a column."""
        found: NDArray[np.int64] = (fits @ self.members[:, : len(self.columns)]).astype(np.int64)
        return found

    def _by_devices(self, demand: Demand) -> NDArray[np.int64]:
        shape = demand.shape
        found: NDArray[np.int64] = self.free[-1]
        if demand.chip is None:
            return found
        chip = self.chips.index(demand.chip)
        if shape.devices:
            found = self.free[chip] // shape.devices
        else:
            whole = np.full(MOST_NODES, WHOLE_DEVICE_MILLI // shape.share_milli)
            parts = self.share_milli // shape.share_milli
            if shape.share_memory_mib:
                whole = np.minimum(whole, self.device_memory_mib[chip] // shape.share_memory_mib)
                parts = np.minimum(parts, self.share_memory_mib // shape.share_memory_mib)
            parts = np.maximum(parts, 0) * (self.share_chip == chip)
            found = np.maximum(self.free[chip], 0) * whole + parts.sum(axis=1)
        return found

    def _tell(self, tenant: str, allocations: Sequence[Allocation], sign: int) -> None:
        for one in allocations:
            if one.chip is not None:
                self._use[tenant, one.chip] += sign * one.devices_milli
        for name in {one.node for one in allocations}:
            self._count(name)

    def _count(self, name: str) -> None:
        """Count a node's row anew."""
        node, row = self.nodes[name], self.row_of[name]
        rest = rest_of(node, self.held_on(name))
        self.cpu_milli[row], self.memory_mib[row], self.pods[row] = rest.cpu_milli, rest.memory_mib, rest.pods
        self.is_untouched[row] = rest.is_untouched
        self.free[:-1, row] = [rest.free.get(chip, 0) for chip in self.chips]
        memory = {group.chip: group.memory_mib for group in node.devices}
        self.device_memory_mib[:-1, row] = [memory.get(chip, 0) for chip in self.chips]
        self.share_chip[row] = -1
        for slot, (milli, memory_mib) in rest.shared.items():
            chip = next(group.chip for group in node.devices if slot in node.slots(group.chip))
            self.share_chip[row, slot] = self.chips.index(chip)
            self.share_milli[row, slot], self.share_memory_mib[row, slot] = milli, memory_mib


def cells_of(node: Node) -> Iterator[Cell]:
    """Yield the cells that a node is in; none if it is gone."""
    if node.state is NodeState.GONE:
        return
    domains = node.topology.domains[::-1]
    for count in range(len(domains) + 1):
        yield (node.cluster, node.tenant, node.state is NodeState.DEGRADED, domains[:count])


def _column(amounts: Sequence[int]) -> NDArray[np.int64]:
    """Return amounts, at least 1, with one row per demand."""
    return np.array([[max(1, amount)] for amount in amounts], np.int64)
