"""Where alike workers sit: what a placement hands out before it is spelt out rank by rank."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.core.ledger.holding import Use
    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.ledger.states.leftover import Leftover
    from scheduler.core.ledger.states.node_entry import NodeEntry


@dataclass(slots=True)
class Seating:
    """All workers of one part of a gang, node by node; the lists are of equal length. Ranks follow the nodes.

    Only shares may sit on one node twice: each of them is one row of its own.
    """

    demand: Demand
    nodes: list[NodeEntry]
    before: list[Leftover]
    """The state of each node before its workers sat down."""
    masks: list[int]
    """The device slots that are taken, as bits; 0 where the cluster picks the devices."""
    workers: list[int]
    """On each node."""
    opens: list[bool] = field(default_factory=list)
    """Of shares: whether each takes a device of which nobody held anything; of other demands empty."""

    def uses(self) -> tuple[Use, ...]:
        """Return the devices that are taken; the nodes are all of one cluster."""
        demand = self.demand
        if demand.chip is None or not demand.shape.devices_milli:
            return ()
        cluster = self.nodes[0].leftover.kind.cluster
        return ((cluster, demand.chip, sum(self.workers) * demand.shape.devices_milli),)

    def extend(self, other: Seating) -> None:
        """Take over the seats of another one of the same demand."""
        self.nodes.extend(other.nodes)
        self.before.extend(other.before)
        self.masks.extend(other.masks)
        self.workers.extend(other.workers)
        self.opens.extend(other.opens)
