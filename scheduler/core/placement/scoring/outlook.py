"""What a node is worth to the jobs that usually come: how much of what it has left they could use."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

if TYPE_CHECKING:
    from scheduler.core.ledger.states.leftover import Left
    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.placement.scoring.job_mix import JobMix

MOST_REMEMBERED = 100_000

_Typical = tuple[int, int, int, int, float]
"""Of a typical worker: cpu_milli, thousandths per device, devices, thousandths in all, frequency."""
_Devices = tuple["ChipName", int, tuple[int, ...]]
"""What a node has left of one chip type: whole devices, and the thousandths left of each shared one."""


class Worth(NamedTuple):
    """What is left on a node; all figures in devices, the first three as the mean over typical workers."""

    usable: float
    """Devices left that a worker could use, as far as the cpu that is left feeds such workers."""
    reachable: float
    """The same as if cpu only had to suffice for one of them."""
    wasted: float
    """Devices that stay unused once each device is filled with typical workers at random."""
    free: float
    """Devices left, whole ones and what is left of shared ones. What is not reachable of them is fragmented: Weng et
    al., "Beware of Fragmentation", USENIX ATC 2023, section 4."""


NOTHING = Worth(0.0, 0.0, 0.0, 0.0)


class Outlook:
    """Worth under one mix of jobs, worked out once per distinct state of the devices of a chip type on a node."""

    def __init__(self, mix: JobMix) -> None:
        self._mix = mix
        self._latest: tuple[tuple[Left | None, Worth], ...] = ((None, NOTHING), (None, NOTHING))
        """The two that were asked for last: terms ask in turn for the same, before and after."""
        self._curves: dict[_Devices, _Curve] = {}
        self._typical: dict[ChipName, list[_Typical]] = {}
        self._remainders = _remainders(mix)

    def worth(self, left: Left) -> Worth:
        """Return the worth of what is left on a node."""
        latest, other = self._latest
        if left is latest[0]:
            return latest[1]
        if left is other[0]:
            return other[1]
        worth = self._work_out(left)
        self._latest = ((left, worth), latest)
        return worth

    def _work_out(self, left: Left) -> Worth:
        groups = left.kind.devices
        if len(groups) == 1:
            devices = (groups[0].chip, left.free[0], tuple([milli for _, milli, _ in left.shared]))
            return self._curve(devices).at(left.cpu_milli)
        found = [
            self._curve((group.chip, free, tuple([milli for place, milli, _ in left.shared if place == at])))
            for at, (group, free) in enumerate(zip(groups, left.free, strict=True))
        ]
        columns = zip(*[curve.at(left.cpu_milli) for curve in found], strict=True)
        return Worth(*map(sum, columns)) if found else NOTHING

    def _curve(self, devices: _Devices) -> _Curve:
        curve = self._curves.get(devices)
        if curve is None:
            if len(self._curves) >= MOST_REMEMBERED:
                self._curves.clear()
            chip, whole, shared = devices
            curve = _Curve(max(0, whole), shared, self._accepting(chip), self._remainders)
            self._curves[devices] = curve
        return curve

    def _accepting(self, chip: ChipName) -> list[_Typical]:
        """Return the typical workers that accept a chip type; what else they accept does not tell them apart."""
        typical = self._typical.get(chip)
        if typical is None:
            shares: dict[tuple[int, int, int, int], float] = {}
            for kind, share in self._mix.shares:
                if kind.devices and (not kind.chips or chip in kind.chips):
                    takes = (kind.cpu_milli, kind.milli_per_device, kind.devices, kind.devices_milli)
                    shares[takes] = shares.get(takes, 0.0) + share
            typical = self._typical[chip] = [(*takes, share) for takes, share in shares.items()]
        return typical


class _Curve:
    """The worth of one chip type's devices in one state, as it rises with the cpu that is left beside them.

    From the cpu of one worker on, a worker of that kind reaches all devices with enough left; what it can use of them
    rises in proportion to the cpu until all can be fed. So both are straight lines between the points where a kind
    begins to fit or can use all.
    """

    __slots__ = ("_flat", "_free", "_points", "_reachable", "_slopes", "_wasted")

    def __init__(self, whole: int, shared: tuple[int, ...], typical: list[_Typical], remainders: list[float]) -> None:
        self._free = (whole * WHOLE_DEVICE_MILLI + sum(shared)) / WHOLE_DEVICE_MILLI
        self._wasted = whole * remainders[WHOLE_DEVICE_MILLI] + sum([remainders[milli] for milli in shared])
        reached: dict[tuple[int, int], int] = {}
        turns: list[tuple[float, float, float, float]] = []
        for cpu_milli, milli, devices, in_all, share in typical:
            reach = reached.get((milli, devices))
            if reach is None:
                reach = reached[milli, devices] = _reach(whole, shared, milli, devices)
            if not reach:
                continue
            weight = share * reach / WHOLE_DEVICE_MILLI
            if cpu_milli:
                slope = share * in_all / cpu_milli / WHOLE_DEVICE_MILLI
                turns.append((cpu_milli, weight, 0.0, slope))
                turns.append((reach * cpu_milli / in_all, 0.0, weight, -slope))
            else:
                turns.append((0.0, weight, weight, 0.0))
        turns.sort()
        self._points = [turn[0] for turn in turns]
        self._reachable, self._flat, self._slopes = [0.0], [0.0], [0.0]
        for _, reachable, flat, slope in turns:
            self._reachable.append(self._reachable[-1] + reachable)
            self._flat.append(self._flat[-1] + flat)
            self._slopes.append(self._slopes[-1] + slope)

    def at(self, cpu_milli: int) -> Worth:
        """Return the worth where so much cpu is left."""
        at = bisect_right(self._points, cpu_milli)
        usable = self._flat[at] + self._slopes[at] * cpu_milli
        return Worth(usable, self._reachable[at], self._wasted, self._free)


def _reach(whole: int, shared: tuple[int, ...], milli: int, devices: int) -> int:
    """Return the thousandths of the devices with so much left; 0 where they are fewer than one worker needs."""
    fitting = [left for left in shared if left >= milli]
    return whole * WHOLE_DEVICE_MILLI + sum(fitting) if whole + len(fitting) >= devices else 0


def _remainders(mix: JobMix) -> list[float]:
    """Return per thousandths left of a device the part of a device that stays unused when it is filled at random.

    Workers come with the frequencies of the mix, those that no longer fit are passed over, until none fits.
    """
    by_milli: dict[int, float] = {}
    for kind, share in mix.shares:
        if kind.devices:
            by_milli[kind.milli_per_device] = by_milli.get(kind.milli_per_device, 0.0) + share
    ordered = sorted(by_milli.items())
    remainders: list[float] = []
    for left in range(WHOLE_DEVICE_MILLI + 1):
        fitting = [(milli, share) for milli, share in ordered if milli <= left]
        total = sum(share for _, share in fitting)
        remainders.append(
            sum(share * remainders[left - milli] for milli, share in fitting) / total
            if total
            else left / WHOLE_DEVICE_MILLI
        )
    return remainders
