"""What a ledger should say, worked out the dumb way: arrays with one row per node, read from end to end each time."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from scheduler.core.model.node import TAKES_WORK, Cluster, Node, NodeState
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from tests.oracle.checks import refuses

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.model.attempt import Allocation

MOST_NODES = 64
MOST_SLOTS = 16
NO_LIMIT = 1 << 40
UNHELD, WHOLE, SHARED = 0, 1, 2

Cell = tuple[str, str | None, bool, str]
"""Cluster, whose nodes, whether they are degraded, and a domain's path."""


class FullScan:
    """Nodes, what is held on them, and how often demands fit. It remembers no state but what it was told."""

    def __init__(self, chips: Sequence[str], demands: Sequence[Demand]) -> None:
        self.chips = tuple(chips)
        self.demands = tuple(demands)
        self.clusters: dict[str, Cluster] = {}
        self.nodes: dict[str, Node] = {}
        self.holds: dict[str, tuple[str, tuple[Allocation, ...]]] = {}
        self.row: dict[str, int] = {}
        self.cells: dict[Cell, int] = {}
        self._on_node: dict[str, dict[str, list[Allocation]]] = defaultdict(dict)
        self._unused = list(range(MOST_NODES))[::-1]
        self._names = [demand.shape for demand in self.demands]
        self.takes_work = np.zeros(MOST_NODES, bool)
        self.is_untouched = np.zeros(MOST_NODES, bool)
        self.cpu_milli, self.memory_mib, self.pods = (np.zeros(MOST_NODES, np.int64) for _ in range(3))
        self.free = np.zeros((len(self.chips), MOST_NODES), np.int64)
        self.slot_chip = np.full((MOST_NODES, MOST_SLOTS), -1)
        self.slot_use = np.zeros((MOST_NODES, MOST_SLOTS), np.int64)
        self.slot_milli = np.zeros((MOST_NODES, MOST_SLOTS), np.int64)
        self.slot_memory_mib = np.zeros((MOST_NODES, MOST_SLOTS), np.int64)
        self.has_labels = np.zeros((len(self.demands), MOST_NODES), bool)
        self.members = np.zeros((MOST_NODES, 64))
        """One column per cell: which nodes are in it."""
        self._asked = [self._column(shape.cpu_milli) for shape in self._names]
        self._cpu, self._memory, self._devices = (
            np.array([[max(amount(demand), 1)] for demand in self.demands])
            for amount in (
                lambda demand: demand.shape.cpu_milli,
                lambda demand: demand.shape.memory_mib,
                lambda demand: demand.shape.devices,
            )
        )
