"""What devices are worth to each other: a small one is not a large one, and jobs differ in what they make of them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.measuring.throughput import Speed

LEAST_RATE = 1
"""Of a chip type whose rate nobody knows."""
MOST_RATE = 1_000_000
"""Whatever anybody says: more than a thousand times that of the fastest device there is."""
MOST_APART = 4
"""What workers report makes a device worth no more than so many times what the catalogue says, and no less than that
part of it: it is a tenant's own word. What an operator says is not bounded so."""

FEWEST_TO_COMPARE = 2


def rates_of(chips: Iterable[ChipType]) -> Mapping[ChipName, int]:
    """Return how many units of COMPUTE one device of each chip type is.

    A unit is one TFLOP/s at the catalogue's planning rate: whoever changes that rate changes what is counted.
    """
    return MappingProxyType({chip.name: max(LEAST_RATE, round(chip.planning_tflops or 0)) for chip in chips})


def rates_of_family(rates: Mapping[ChipName, int], speeds: Iterable[Speed]) -> Mapping[ChipName, int]:
    """Return how many units one device is to jobs of a family, of those chip types on which its speed is known.

    The reference is the chip type of most units by the catalogue among these: there it counts as the catalogue says,
    and on the others by how fast the family is there, compared with that. One alone tells nothing: it is as though
    nothing was known.
    """
    known = {speed.chip: speed for speed in speeds if speed.per_s and speed.chip in rates}
    if len(known) < FEWEST_TO_COMPARE:
        return {}
    reference = known[min(known, key=lambda chip: (-rates[chip], chip))]
    own: dict[ChipName, int] = {}
    for chip, speed in sorted(known.items()):
        rate = rates[reference.chip] * (speed.per_s or 0.0) / (reference.per_s or 1.0)
        if not (speed.is_set and reference.is_set):
            rate = min(max(rate, rates[chip] / MOST_APART), rates[chip] * MOST_APART)
        own[chip] = max(LEAST_RATE, round(min(rate, MOST_RATE)))
    return own
