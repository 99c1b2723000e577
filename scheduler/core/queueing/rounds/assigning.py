"""From parts of the time to the next round: whose turn it is where, by what each is to have and had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scheduler.core.model.identifiers import ChipName, JobId
    from scheduler.core.queueing.rounds.allocating import Allocation, Runner

STAYS = 1.25
"""Who runs goes on unless somebody else's turn is so many times as urgent: to move costs everybody something."""
NOTHING_YET = 1e-6
"""What counts as had by whoever had nothing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a job has to do with the round before."""

    had: Mapping[ChipName, float]
    """The part of the time since its submission that it ran on each chip type, the round to come included."""
    on: ChipName | None = None
    """Where it runs."""


def assign(
    runners: Sequence[Runner],
    capacity: Mapping[ChipName, float],
    allocation: Allocation,
    standings: Mapping[JobId, Standing],
) -> dict[JobId, ChipName]:
    """Return who runs where in a round: first whoever had least of what it is to have, then whoever fits beside them.

    No chip type is given away more than once. Who is not named waits for a later round.
    """
    known = sorted(runners, key=lambda runner: runner.job)
    left = dict(capacity)
    found: dict[JobId, ChipName] = {}
    meant, other = [], []
    for runner in known:
        standing, parts = standings[runner.job], allocation.get(runner.job, {})
        for chip, speed in runner.speeds:
            stays = STAYS if chip == standing.on else 1.0
            if chip in parts:
                urgency = parts[chip] / max(standing.had.get(chip, 0.0), NOTHING_YET) * stays
                meant.append((not runner.is_overdue, -urgency, chip != standing.on, runner.job, chip, runner.devices))
            else:
                worth = speed / runner.fastest * stays
                other.append((not runner.is_overdue, -worth, chip != standing.on, runner.job, chip, runner.devices))
    for rows in (meant, other):
        for *_, job, chip, devices in sorted(rows):
            if job not in found and devices <= left.get(chip, 0.0):
                found[job] = chip
                left[chip] -= devices
    return found
