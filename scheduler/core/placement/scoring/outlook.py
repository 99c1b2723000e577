"""What a node is worth to the jobs that usually come: how much of what it has left they could use."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

if TYPE_CHECKING:
    from scheduler.core.ledger.states.leftover import Left
    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.placement.scoring.job_mix import JobMix

MOST_REMEMBERED = 100_000

_Typical = tuple[int, int, int, int, float]
"""Of a typical worker: cpu_milli, thousandths per device, devices, thousandths in all, frequency."""


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


class Outlook:
    """Worth under one mix of jobs, worked out once per distinct state of nodes."""

    def __init__(self, mix: JobMix) -> None:
        self._mix = mix
        self._known: dict[Left, Worth] = {}
        self._typical: dict[NodeKind, list[list[_Typical]]] = {}
        self._remainders = _remainders(mix)

    def worth(self, left: Left) -> Worth:
        """Return the worth of what is left on a node."""
        known = self._known.get(left)
        if known is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            known = self._known[left] = self._work_out(left)
        return known

    def _work_out(self, left: Left) -> Worth:
        typical = self._typical.get(left.kind)
        if typical is None:
            typical = self._typical[left.kind] = [self._accepting(group.chip) for group in left.kind.devices]
        usable = reachable = wasted = 0.0
        free = 0
        for group, workers in enumerate(typical):
            whole = max(0, left.free[group])
            shared = [milli for at, milli, _ in left.shared if at == group]
            free += whole * WHOLE_DEVICE_MILLI + sum(shared)
            wasted += whole * self._remainders[WHOLE_DEVICE_MILLI] + sum([self._remainders[milli] for milli in shared])
            for cpu_milli, milli, devices, in_all, share in workers:
                if left.cpu_milli < cpu_milli:
                    continue
                fitting = [part for part in shared if part >= milli]
                if whole + len(fitting) < devices:
                    continue
                reach = whole * WHOLE_DEVICE_MILLI + sum(fitting)
                reachable += share * reach
                usable += share * (min(reach, left.cpu_milli * in_all / cpu_milli) if cpu_milli else reach)
        return Worth(usable / WHOLE_DEVICE_MILLI, reachable / WHOLE_DEVICE_MILLI, wasted, free / WHOLE_DEVICE_MILLI)

    def _accepting(self, chip: ChipName) -> list[_Typical]:
        """Return the typical workers that accept a chip type."""
        return [
            (kind.cpu_milli, kind.milli_per_device, kind.devices, kind.devices_milli, share)
            for kind, share in self._mix.shares
            if kind.devices and (not kind.chips or chip in kind.chips)
        ]


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
