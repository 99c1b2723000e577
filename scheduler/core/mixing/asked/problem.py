"""One question to the planner."""

from dataclasses import dataclass, field

from scheduler.core.mixing.asked.pools import ChipPool, Link
from scheduler.core.mixing.asked.profiles import Profiles
from scheduler.core.mixing.asked.training import Training


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a plan must keep to."""

    most_chip_types: int | None = None
    least_tokens_per_s: float | None = None
    most_compute: float | None = None
    """Normalised compute of all devices that are used: the sum of their pools' worth."""
    most_chips: int | None = None
    most_micro_batch: int = 16


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the training runtime does with a pipeline."""

    blocking_share: float = 0.0
    """Beta: 0 where sending never holds up computing, 1 where it always does. See `timing.period_s`."""
    may_warm_up_more: bool = True
    """A stage before a slow boundary may run further forwards ahead."""
    memory_share: float = 0.9
    """So much of a device's memory is planned with."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A training, the pools it may use, and the links between them. Pools in any order: plans do not depend on it."""

    training: Training
    pools: tuple[ChipPool, ...]
    links: dict[frozenset[str], Link] = field(default_factory=dict)
    """Of two pools by their names; where it says nothing, see `boundaries.link_between`."""
    profiles: Profiles = field(default_factory=Profiles)
    constraints: Constraints = Constraints()
    runtime: Runtime = Runtime()
