"""What is asked of a node, and how often a node can give it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from scheduler.core.ledger.states.amounts import Amounts, amounts_of
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI, WorkerShape

if TYPE_CHECKING:
    from scheduler.core.ledger.states.leftover import Leftover
    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.identifiers import ChipName

NO_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What one worker of a gang asks of its node. There is one object for each, made by `demand_of`."""

    chip: ChipName | None
    shape: WorkerShape
    labels: tuple[tuple[str, str], ...] = ()
    """That the node must have."""
    is_exclusive: bool = False
    """The node must be otherwise unused and stays so."""
    most_per_node: int = NO_LIMIT
    together: int = 1
    """So many workers at once count as one that fits: to find the nodes that take a whole gang."""


@lru_cache(maxsize=65_536)
def demand_of(
    chip: ChipName | None,
    shape: WorkerShape,
    labels: tuple[tuple[str, str], ...] = (),
    *,
    is_exclusive: bool = False,
    most_per_node: int = NO_LIMIT,
    together: int = 1,
) -> Demand:
    """Return the one object for a demand."""
    return Demand(chip, shape, labels, is_exclusive, most_per_node, together)


class Fit(dict["Leftover | None", int]):
    """How many times a demand fits on a node, worked out once per state of nodes; compared by identity.

    On no node at all, None, it fits 0 times.
    """

    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__
    __slots__ = ("_chip", "_cpu_milli", "_devices", "_memory_mib", "_on_empty", "demand", "when_empty")

    def __init__(self, demand: Demand, *, when_empty: bool = False) -> None:
        super().__init__()
        self.demand = demand
        self._on_empty: dict[NodeKind, int] = {}
        self.when_empty = when_empty
        """As if nothing ran and no node that is still there refused work."""
        shape = demand.shape
        self._chip, self._devices = demand.chip or "", shape.devices
        self._cpu_milli, self._memory_mib = shape.cpu_milli, shape.memory_mib
        self[None] = 0

    def __missing__(self, leftover: Leftover) -> int:
        fit = self[leftover] = (
            self.on_empty(leftover.kind) if self.when_empty else self._count(leftover) // self.demand.together
        )
        return fit

    def on_empty(self, kind: NodeKind) -> int:
        """Return how many times it fits on a node of a kind on which nothing runs, whether or not it takes work."""
        found = self._on_empty.get(kind)
        if found is None:
            found = self._on_empty[kind] = self._count(kind.empty, is_asleep=True) // self.demand.together
        return found

    def _count(self, left: Leftover, *, is_asleep: bool = False) -> int:
        """Return how many single workers fit; what says no most often is asked first."""
        demand, kind = self.demand, left.kind
        if self._devices:
            group = kind.group_of.get(self._chip)
            if group is None or left.free[group] < self._devices:
                return 0
            fit = left.free[group] // self._devices
        else:
            fit = _by_shares(left, demand) if demand.shape.share_milli else NO_LIMIT
        if not (kind.takes_work or is_asleep) or (demand.labels and not set(demand.labels).issubset(kind.labels)):
            return 0
        if demand.is_exclusive and not left.is_untouched:
            return 0
        if self._cpu_milli:
            fit = min(fit, left.cpu_milli // self._cpu_milli)
        if self._memory_mib:
            fit = min(fit, left.memory_mib // self._memory_mib)
        return max(0, min(fit, left.pods, demand.most_per_node))


def _by_shares(left: Leftover, demand: Demand) -> int:
    """Return how many workers with a share the devices allow."""
    shape = demand.shape
    group = left.kind.group_of.get(demand.chip or "")
    if group is None:
        return 0
    memory_mib = left.kind.devices[group].memory_mib
    fit = max(0, left.free[group]) * shares_that_fit(shape, WHOLE_DEVICE_MILLI, memory_mib)
    return fit + sum(shares_that_fit(shape, milli, left_mib) for at, milli, left_mib in left.shared if at == group)


def shares_that_fit(shape: WorkerShape, milli: int, memory_mib: int) -> int:
    """Return how many such shares a device has room for with so much compute, in thousandths, and memory left."""
    fit = milli // shape.share_milli
    if shape.share_memory_mib:
        fit = min(fit, memory_mib // shape.share_memory_mib)
    return max(0, fit)  # of a device that became smaller less than nothing may be left


def amounts_for(demand: Demand, workers: int, left: Leftover) -> Amounts:
    """Return what so many workers of a demand take of a node.

    Shares are taken one at a time. A node that is to be exclusive gives all its pods.
    """
    shape = demand.shape
    pods = left.pods if demand.is_exclusive else workers
    share = (shape.share_milli, shape.share_memory_mib) if shape.share_milli else ()
    return amounts_of(
        demand.chip if shape.devices_milli else None,
        shape.devices * workers,
        shape.cpu_milli * workers,
        shape.memory_mib * workers,
        pods,
        *share,
    )
