"""What devices are worth to each other: a small one is not a large one."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName

LEAST_RATE = 1
"""Of a chip type whose rate nobody knows."""


def rates_of(chips: Iterable[ChipType]) -> Mapping[ChipName, int]:
    """Return how many units of COMPUTE one device of each chip type is.

    A unit is one TFLOP/s at the catalogue's planning rate: whoever changes that rate changes what is counted.
    """
    return MappingProxyType({chip.name: max(LEAST_RATE, round(chip.planning_tflops or 0)) for chip in chips})
