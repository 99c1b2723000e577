"""Fragmentation: how much of what is left on a node is useless to the jobs that usually come."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.placement.scoring.terms import Weighted, cpu_for_devices, devices_left_milli, tightest_fit

if TYPE_CHECKING:
    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.ledger.states.leftover import Left
    from scheduler.core.placement.scoring.job_mix import JobMix, WorkerKind
    from scheduler.core.placement.scoring.weights import Weights

MOST_REMEMBERED = 200_000


class Fragmentation:
    """The fragmentation gradient of Weng et al., "Beware of Fragmentation", USENIX ATC 2023, section 4.

    For each typical worker, the thousandths of devices left on the node that it could not use: all of them where it
    does not fit, else those of devices with too little left. The mean over the mix is the node's fragmentation; what
    it grows by when a worker is placed is turned into a score by a sigmoid.
    """

    def __init__(self, mix: JobMix) -> None:
        self._mix = mix
        self._known: dict[Left, float] = {}

    def __call__(self, demand: Demand, before: Left, after: Left) -> float:
        """Return 0.5 where fragmentation stays, more where it shrinks, less where it grows."""
        del demand
        return 1 / (1 + exp((self.of(after) - self.of(before)) / WHOLE_DEVICE_MILLI))

    def of(self, left: Left) -> float:
        """Return the fragmentation of what is left on a node, in thousandths of devices."""
        known = self._known.get(left)
        if known is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            total = devices_left_milli(left)
            known = sum(share * _useless_milli(left, total, kind) for kind, share in self._mix.shares)
            self._known[left] = known
        return known


def _useless_milli(left: Left, total: int, worker: WorkerKind) -> int:
    """Return the thousandths of devices that are useless to a worker."""
    shape = worker.shape
    if not shape.devices_milli or left.cpu_milli < shape.cpu_milli or left.memory_mib < shape.memory_mib:
        return total
    groups = [place for place, group in enumerate(left.kind.devices) if not worker.chips or group.chip in worker.chips]
    whole = sum(max(0, left.free[place]) for place in groups)
    if shape.devices:
        fits = any(left.free[place] >= shape.devices for place in groups)
        return total - whole * WHOLE_DEVICE_MILLI if fits else total
    useful = sum(milli for place, milli, _ in left.shared if place in groups and milli >= shape.share_milli)
    return total - useful - whole * WHOLE_DEVICE_MILLI


def node_terms(weights: Weights, mix: JobMix) -> tuple[Weighted, ...]:
    """Return the terms of a node's score."""
    return (
        Weighted(tightest_fit, weights.tightest_fit),
        Weighted(Fragmentation(mix), weights.fragmentation if mix.shares else 0.0),
        Weighted(cpu_for_devices, weights.cpu_for_devices),
    )
