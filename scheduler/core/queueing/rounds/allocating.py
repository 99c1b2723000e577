"""Who is to run on which chip type for how much of the time: what the turns of a round are worked out from.

Both goals are linear programmes over gangs and chip types (Narayanan et al., "Heterogeneity-Aware Cluster Scheduling
Policies for Deep Learning Workloads", OSDI 2020, section 4). They are solved to within a few percent, in bounded time,
and for the same gangs in the same way in whichever order they are named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import exp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scheduler.core.model.identifiers import ChipName, JobId

LEAST_PHASES, MOST_PHASES = 12, 60
"""So often everybody is given a small piece more: with twice as many, half as far from the best."""
PIECES = 24_000
"""So many pieces are given in all, between these bounds."""
LEVELS = 4
"""So often what is left is given to those who can use it still."""
STEEPNESS = 1.0
"""By how much what is used once over gets dearer, as a power of e."""
MOST_EXPONENT = 500.0
SWEEPS = 8
"""So often each price is set to what clears its chip type, given the others."""
FULL = 0.02
"""What is left of a whole counts as nothing if it is less."""
OVERDUE = 1e9
"""So many times as much is one worth that has waited for too long."""


class Goal(StrEnum):
    """What a round policy is to bring about."""

    FINISH = "finish"
    """The least mean time until jobs are done."""
    FAIRNESS = "fairness"
    """The most for whoever has least, against what an equal part of all devices would give it."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A job that runs or waits, as an allocation sees it."""

    job: JobId
    devices: float
    """That it needs at a time, above 0."""
    speeds: tuple[tuple[ChipName, float], ...]
    """How fast it is on the chip types that it takes, by name, all above 0: only their ratios count."""
    remaining_s: float = 1.0
    """For how long it would run still on the fastest of them, above 0."""
    weight: float = 1.0
    """What it is due against others, above 0."""
    is_overdue: bool = False
    """It has waited for so long that it goes before all that have not."""

    @property
    def fastest(self) -> float:
        """How fast it is where it is fastest."""
        return max(speed for _, speed in self.speeds)


Capacity = dict["ChipName", float]
"""Devices by chip type."""
Allocation = dict["JobId", dict["ChipName", float]]
"""The part of the time, 0 to 1 in all, that each job is to run on each chip type; what is not named is 0."""


def allocate(runners: Sequence[Runner], capacity: Mapping[ChipName, float], goal: Goal) -> Allocation:
    """Return what each job is to have of the devices that there are, on average over time.

    No chip type is given away more than once. Who can run nowhere is not named.
    """
    able: list[Runner] = []
    for each in sorted(runners, key=lambda runner: runner.job):
        speeds = tuple((chip, speed) for chip, speed in each.speeds if each.devices <= capacity.get(chip, 0.0))
        if speeds:
            able.append(replace(each, speeds=speeds))
    if not able:
        return {}
    return _most_for_the_least(able, capacity) if goal is Goal.FAIRNESS else _soonest_done(able, capacity)


def _most_for_the_least(runners: Sequence[Runner], capacity: Mapping[ChipName, float]) -> Allocation:
    """Return the allocation in which whoever has the least progress for its due has the most, then the next, and so on.

    Water is filled in level by level: who has all of its time, or can use nothing that is left, stays where it is.
    """
    found: Allocation = {runner.job: {} for runner in runners}
    left = dict(sorted(capacity.items()))
    idle = dict.fromkeys(found, 1.0)
    dues = _dues(runners, capacity)
    active = list(runners)
    for _ in range(LEVELS):
        if not active:
            break
        for runner, parts in zip(active, _flow(active, dues, left, idle), strict=True):
            of = found[runner.job]
            for chip, part in parts.items():
                of[chip] = of.get(chip, 0.0) + part
                left[chip] -= part * runner.devices
                idle[runner.job] -= part
        active = [
            replace(runner, speeds=speeds)
            for runner in active
            if idle[runner.job] > FULL
            and (speeds := tuple(row for row in runner.speeds if left[row[0]] > FULL * capacity[row[0]]))
        ]
    return {
        job: {chip: part for chip, part in of.items() if part > FULL * sum(of.values())} for job, of in found.items()
    }


def _dues(runners: Sequence[Runner], capacity: Mapping[ChipName, float]) -> dict[JobId, float]:
    """Return the progress that an equal part of all devices would give each job, times its weight."""
    there = sum(capacity.values())
    equal = min(1.0, there / sum(runner.devices for runner in runners))
    weights = sum(runner.weight for runner in runners) / len(runners)
    return {
        runner.job: equal
        * (runner.weight / weights)
        * sum(speed * capacity[chip] for chip, speed in runner.speeds)
        / sum(capacity[chip] for chip, _ in runner.speeds)
        for runner in runners
    }


def _flow(
    runners: Sequence[Runner],
    dues: Mapping[JobId, float],
    left: Mapping[ChipName, float],
    idle: Mapping[JobId, float],
) -> list[dict[ChipName, float]]:
    """Return what each job gets, in the order of jobs, if all get as much for their dues as can be.

    It is the largest concurrent flow, by prices that grow with use (Garg and Konemann, "Faster and simpler algorithms
    for multicommodity flow", 2007): everybody gets small pieces, each where it is cheapest by then, and in the end all
    of it is brought to what there is. Not only chip types have a price, but each job's own time, too.
    """
    there = [chip for chip, devices in left.items() if devices > 0]
    price = {chip: len(runners) / left[chip] for chip in there}
    own = [1.0] * len(runners)
    used = dict.fromkeys(there, 0.0)
    spent = [0.0] * len(runners)
    parts: list[dict[ChipName, float]] = [{} for _ in runners]
    asked = sum(dues[each.job] / each.fastest * each.devices for each in runners) / sum(left[chip] for chip in there)
    piece = 1.0 / max(asked, *(dues[each.job] / each.fastest / idle[each.job] for each in runners))
    phases = max(LEAST_PHASES, min(MOST_PHASES, PIECES // len(runners)))
    for phase in range(phases):
        for at, runner in enumerate(runners):
            devices, mine = runner.devices, own[at]
            _, speed, chip = min(
                [((price[chip] * devices + mine) / speed, -speed, chip) for chip, speed in runner.speeds]
            )
            part = piece * dues[runner.job] / -speed
            if phase >= phases // 2:  # what was taken before was taken at prices that nobody knew yet
                parts[at][chip] = parts[at].get(chip, 0.0) + part
            spent[at] += part / idle[runner.job]
            own[at] = _dearer(spent[at])
            used[chip] += part * devices / left[chip]
            price[chip] = len(runners) / left[chip] * _dearer(used[chip])
    given = dict.fromkeys(there, 0.0)
    for runner, of in zip(runners, parts, strict=True):
        for chip, part in of.items():
            given[chip] += part * runner.devices / left[chip]
    most = max(*given.values(), *(sum(of.values()) / idle[each.job] for each, of in zip(runners, parts, strict=True)))
    return [{chip: part / most for chip, part in of.items()} for of in parts]


def _dearer(times: float) -> float:
    """Return how many times as dear something is that is given away so many times over; within what a float holds."""
    return exp(min(STEEPNESS * times, MOST_EXPONENT))


def _soonest_done(runners: Sequence[Runner], capacity: Mapping[ChipName, float]) -> Allocation:
    """Return who runs where so that most is brought to its end per second: the sum of what part of each is done.

    What a second on a chip type is worth to a job is the part of it that is done by that: the shortest first, where
    each is fastest. Each price is set in turn to the worth at which what is asked for is what there is.
    """
    worth = {runner.job: {chip: _worth(runner, speed) for chip, speed in runner.speeds} for runner in runners}
    price = dict.fromkeys(sorted(capacity), 0.0)
    for _ in range(SWEEPS):
        before = dict(price)
        for chip in price:
            price[chip] = _clearing(chip, runners, worth, price, capacity[chip])
        if price == before:
            break
    found: Allocation = {}
    left = dict(capacity)
    for runner in sorted(runners, key=lambda each: (-_gain(each, worth[each.job], price) / each.devices, each.job)):
        own = worth[runner.job]
        for chip in sorted(own, key=lambda chip: (price[chip] * runner.devices - own[chip], chip)):
            if runner.devices <= left[chip]:
                left[chip] -= runner.devices
                found[runner.job] = {chip: 1.0}
                break
    return found


def _worth(runner: Runner, speed: float) -> float:
    """Return the part of a job that is done in a second; of one that is overdue, more than of all others."""
    return runner.weight * (OVERDUE if runner.is_overdue else 1.0) * speed / (runner.fastest * runner.remaining_s)


def _gain(runner: Runner, worth: Mapping[ChipName, float], price: Mapping[ChipName, float]) -> float:
    """Return what the best chip type is worth to a job above its price."""
    return max(own - price[chip] * runner.devices for chip, own in worth.items())


def _clearing(
    chip: ChipName,
    runners: Sequence[Runner],
    worth: Mapping[JobId, Mapping[ChipName, float]],
    price: Mapping[ChipName, float],
    devices: float,
) -> float:
    """Return a price of a chip type at which no more of it is asked for than there is, the others given.

    It is between what is worth to the last that has it and to the first that has not, so that nobody is in doubt.
    """
    bids: list[tuple[float, float]] = []
    for runner in runners:
        own = worth[runner.job]
        if chip in own:
            elsewhere = max((own[other] - price[other] * runner.devices for other in own if other != chip), default=0.0)
            bids.append(((own[chip] - max(0.0, elsewhere)) / runner.devices, runner.devices))
    bids.sort(reverse=True)
    last = None
    for bid, asked in bids:
        devices -= asked
        if devices < 0:
            return max(0.0, bid if last is None else (last + bid) / 2)
        last = bid
    return 0.0
