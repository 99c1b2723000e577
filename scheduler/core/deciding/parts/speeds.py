"""How fast families of jobs are on chip types, as far as that was measured or said."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from scheduler.core.model.change import ProgressReported
from scheduler.core.model.measuring.throughput import MOST_THROUGHPUTS, Measured, learnt
from scheduler.core.model.resources import MAIN_ROLE, WHOLE_DEVICE_MILLI
from scheduler.core.queueing.run_times import family_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.model.change import Change
    from scheduler.core.model.identifiers import AttemptId, ChipName
    from scheduler.core.model.measuring.throughput import JobFamily, Throughput


class Speeds:
    """The table of throughputs as a state knows it: as it was read, and what its feed has told since. Bounded."""

    __slots__ = ("_of",)

    def __init__(self) -> None:
        self._of: dict[JobFamily, dict[ChipName, Throughput]] = {}
        """The family first that was longest not heard of."""

    def of(self, family: JobFamily) -> Mapping[ChipName, float]:
        """Return what a family does per second on one device, on the chip types of which that is known."""
        known = self._of.get(family, {})
        return {chip: units for chip, one in known.items() if (units := one.units_per_s) is not None}

    def put(self, known: Throughput) -> None:
        """Take in what is known of a family on a chip type."""
        chips = self._of.pop(known.family, {})
        chips[known.chip] = known
        self._of[known.family] = chips
        if len(self._of) > MOST_THROUGHPUTS:
            del self._of[next(iter(self._of))]

    def follow(self, change: Change, live: Mapping[AttemptId, LiveAttempt]) -> None:
        """Follow a change of the feed."""
        if isinstance(change.body, ProgressReported):
            self._hear(live.get(change.body.attempt), change.body.progress.tokens_per_s, change.at)

    def _hear(self, live: LiveAttempt | None, units_per_s: float, at: datetime) -> None:
        found = None if live is None else main_devices(live)
        if live is None or found is None or not isfinite(units_per_s) or units_per_s <= 0:
            return
        (chip, devices), family = found, family_of(live.job)
        self.put(learnt(self._of.get(family, {}).get(chip), Measured(family, chip, units_per_s / devices, 1), at))


def main_devices(live: LiveAttempt) -> tuple[ChipName, float] | None:
    """Return the chip type of the main workers and how many devices they have; None where they have several or none."""
    main = [one for one in live.allocations if one.role == MAIN_ROLE]
    chips = {one.chip for one in main}
    milli = sum(one.devices_milli for one in main)
    chip = next(iter(chips)) if len(chips) == 1 else None
    return None if chip is None or not milli else (chip, milli / WHOLE_DEVICE_MILLI)
