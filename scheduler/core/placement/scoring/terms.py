"""The terms of a score. Each looks at one node before and after it takes one worker, and gives 0 (bad) to 1 (good)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

if TYPE_CHECKING:
    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.ledger.states.leftover import Left


class NodeTerm(Protocol):
    """One reason to prefer one node to another, worth 0 to 1. It depends on its arguments alone, to be remembered."""

    def __call__(self, demand: Demand, before: Left, after: Left) -> float:
        """Return how well the node is left."""
        ...


@dataclass(frozen=True, slots=True)
class Weighted:
    """A term and how much it counts."""

    term: NodeTerm
    weight: float


def tightest_fit(demand: Demand, before: Left, after: Left) -> float:
    """Prefer the node with the least left: 1 where all devices are taken, 0 where none was; without devices by cpu."""
    del demand, before
    devices = sum(group.count for group in after.kind.devices)
    if not devices:
        return 1 - max(0, after.cpu_milli) / max(1, after.kind.cpu_milli)
    return 1 - devices_left_milli(after) / (devices * WHOLE_DEVICE_MILLI)


def cpu_for_devices(demand: Demand, before: Left, after: Left) -> float:
    """Prefer a node that keeps enough cpu for the devices it has left: 1 with its usual cpu per device or more."""
    del demand, before
    devices = devices_left_milli(after)
    if not devices:
        return 1.0
    usual = after.kind.cpu_milli / (sum(group.count for group in after.kind.devices) * WHOLE_DEVICE_MILLI)
    return min(1.0, max(0, after.cpu_milli) / (devices * usual)) if usual else 1.0


def devices_left_milli(left: Left) -> int:
    """Return the thousandths of devices that a node has left, in whole and shared devices."""
    return sum(max(0, free) for free in left.free) * WHOLE_DEVICE_MILLI + sum(milli for _, milli, _ in left.shared)
