"""The terms of a node's score. Each looks at the node before and after it takes one worker; more is better."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Protocol

from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

if TYPE_CHECKING:
    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.ledger.states.leftover import Left
    from scheduler.core.placement.scoring.facts import HardwareFacts
    from scheduler.core.placement.scoring.outlook import Outlook

LARGE_NODE_CPU_MILLI = 128_000
LARGE_NODE_DEVICES = 8
DIGITS = 9
"""So many digits of what is fragmented count, lest how it was added up decides where it is cut."""


class NodeTerm(Protocol):
    """One reason to prefer one node to another. It depends on nothing but its arguments, for scores are remembered."""

    def __call__(self, demand: Demand, before: Left, after: Left) -> float:
        """Return how good it is that a node goes from one state to another for a worker; about 1 is much."""
        ...


@dataclass(frozen=True, slots=True)
class Weighted:
    """A term and how much it counts."""

    term: NodeTerm
    weight: float


@dataclass(frozen=True, slots=True)
class Gain:
    """Keep what typical workers could use, and leave no remainders that nobody fills: figures that count so much each.

    They are one term, because what they are looked up by is what scoring takes its time for.
    """

    outlook: Outlook
    usable: float = 0.0
    """What typical workers could use with the cpu that is left beside it; in devices."""
    reachable: float = 0.0
    """What they could reach, were there cpu enough; in devices."""
    waste: float = 0.0
    """What less stays unused of devices once they are filled with typical workers; in devices."""

    def __call__(self, demand: Demand, before: Left, after: Left) -> float:
        """Return the gain, mostly a loss."""
        del demand
        was, now = self.outlook.worth(before), self.outlook.worth(after)
        return (
            self.usable * (now.usable - was.usable)
            + self.reachable * (now.reachable - was.reachable)
            + self.waste * (was.wasted - now.wasted)
        )


@dataclass(frozen=True, slots=True)
class FragmentationGradient:
    """The published gradient: by how much less is fragmented, through a sigmoid, in whole hundredths.

    Weng et al., "Beware of Fragmentation", USENIX ATC 2023, section 5. That it is cut to whole numbers makes the ties
    that end in the node's name, and these are part of its result.
    """

    outlook: Outlook

    def __call__(self, demand: Demand, before: Left, after: Left) -> float:
        """Return 0 to 100; 50 where as much is fragmented as before."""
        del demand
        was, now = self.outlook.worth(before), self.outlook.worth(after)
        less = round((was.free - was.reachable) - (now.free - now.reachable), DIGITS)
        return int(100 / (1 + exp(-less)))


@dataclass(frozen=True, slots=True)
class Slant:
    """Let nodes be uneven: some for work that needs cpu, some for work that needs devices."""

    facts: HardwareFacts

    def __call__(self, demand: Demand, before: Left, after: Left) -> float:
        """Return how far cpu and devices left are from their usual proportion, in usual nodes."""
        del demand, before
        usual = self.facts.cpu_milli_per_device
        devices = devices_left_milli(after) / WHOLE_DEVICE_MILLI
        return abs(after.cpu_milli / usual - devices) / self.facts.devices_per_node if usual else 0.0


@dataclass(frozen=True, slots=True)
class Rarity:
    """Keep rare chip types for those who need them."""

    facts: HardwareFacts

    def __call__(self, demand: Demand, before: Left, after: Left) -> float:
        """Return minus the other types' part of all devices; 0 for who takes no device."""
        del before, after
        if demand.chip is None:
            return 0.0
        return self.facts.shares.get(demand.chip, 0.0) - 1


def tightest_fit(demand: Demand, before: Left, after: Left) -> float:
    """Prefer the node with the least left: minus the mean of cpu and devices left, in parts of a large node's."""
    del demand, before
    devices = devices_left_milli(after) / WHOLE_DEVICE_MILLI
    return -(after.cpu_milli / LARGE_NODE_CPU_MILLI + devices / LARGE_NODE_DEVICES) / 2


def devices_left_milli(left: Left) -> int:
    """Return the thousandths of devices that a node has left, in whole and shared devices."""
    return sum([max(0, free) for free in left.free]) * WHOLE_DEVICE_MILLI + sum([milli for _, milli, _ in left.shared])
