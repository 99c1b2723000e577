"""What counts how much, as an operator configures it."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.core.model.identifiers import ChipName


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term counts against the others, 0 or more; only their ratios matter."""

    tightest_fit: float = 1.0
    """Of a node: that little is left on it."""
    fragmentation: float = 4.0
    """Of a node: that what is left on it stays useful to the jobs that usually come."""
    cpu_for_devices: float = 0.0
    """Of a node: that cpu is left for its devices."""
    closeness: float = 1.0
    """Of an option: that its workers are close together."""
    chip_value: float = 1.0
    """Of an option: that it leaves the more valuable chips to those who need them."""
    headroom: float = 1.0
    """Of an option: that devices stay free for inference."""


DEFAULT_WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class ChipWorth:
    """What an option is judged by besides its nodes."""

    values: "Mapping[ChipName, float]" = field(default_factory=lambda: MappingProxyType({}))
    """What a chip type is worth, 0 to 1; one that is not named is worth 0."""
    headroom_devices: "Mapping[ChipName, int]" = field(default_factory=lambda: MappingProxyType({}))
    """Per cluster so many devices of a chip type are better left free, for inference to grow into."""


NOTHING_WORTH = ChipWorth()
