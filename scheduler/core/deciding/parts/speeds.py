"""How fast families of jobs are on chip types, as far as that was measured or said."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.model.measuring.throughput import JobFamily

NOTHING_KNOWN: Mapping[ChipName, float] = MappingProxyType({})


class Speeds:
    """The table of throughputs, as a state knows it."""

    __slots__ = ("_of",)

    def __init__(self) -> None:
        self._of: dict[JobFamily, dict[ChipName, float]] = {}

    def of(self, family: JobFamily) -> Mapping[ChipName, float]:
        """Return what a family does per second on one device, on the chip types of which that is known."""
        return self._of.get(family, NOTHING_KNOWN)

    def put(self, family: JobFamily, chip: ChipName, units_per_s: float | None) -> None:
        """Let a family be as fast as this on a chip type; None: nobody knows how fast it is there."""
        if units_per_s is not None:
            self._of.setdefault(family, {})[chip] = units_per_s
        elif family in self._of:
            self._of[family].pop(chip, None)
            if not self._of[family]:
                del self._of[family]
