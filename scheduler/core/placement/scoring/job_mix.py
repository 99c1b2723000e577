"""Which workers jobs usually have, given or learnt from the jobs that wait or run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.core.model.job import ExactMix
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.model.job import JobSpec
    from scheduler.core.model.resources import WorkerShape

COVERED = 0.95
"""The most frequent kinds that make up so much of all workers are typical (Weng et al., USENIX ATC 2023)."""
MOST_KINDS = 512
FIRST_MIX = 8
"""So few workers teach nothing. The mix is worked out anew each time as many came as were wanted then."""


@dataclass(frozen=True, slots=True)
class WorkerKind:
    """What workers ask for, as far as it decides where they can be; memory is seldom what is short."""

    cpu_milli: int
    milli_per_device: int
    """Thousandths of each of its devices: 1000 for whole ones; 0 without devices."""
    devices: int
    """How many devices it takes whole or in part."""
    chips: tuple[ChipName, ...]
    """The chip types it accepts, by name; none: any."""

    @property
    def devices_milli(self) -> int:
        """Thousandths of devices in all."""
        return self.milli_per_device * self.devices


@dataclass(frozen=True, slots=True)
class JobMix:
    """Typical workers, most frequent first, and how frequent each is among all typical ones; the shares add up to 1."""

    shares: tuple[tuple[WorkerKind, float], ...] = ()


NO_MIX = JobMix()


def worker_kinds(spec: JobSpec) -> list[tuple[WorkerKind, int]]:
    """Return the kinds of workers that a job asks for, with their numbers; a kind accepts what any option names."""
    named = [chip for chip, _ in spec.chips.workers] if isinstance(spec.chips, ExactMix) else spec.chips.chips
    chips = {*named, *(chip for other in spec.alternatives for chip in other.chips)}
    kinds = [(_kind(spec.shape, chips), spec.workers)]
    kinds += [(_kind(role.shape, role.chips), role.workers) for role in spec.roles]
    return kinds


def _kind(shape: WorkerShape, chips: Iterable[ChipName]) -> WorkerKind:
    milli = shape.share_milli or (WHOLE_DEVICE_MILLI if shape.devices else 0)
    devices = shape.devices or int(shape.share_milli > 0)
    return WorkerKind(shape.cpu_milli, milli, devices, tuple(sorted(chips)))


def mix_of(counts: Mapping[WorkerKind, int]) -> JobMix:
    """Return the typical part of what was counted; among equally frequent kinds the more demanding come first."""
    total = sum(counts.values())
    typical: list[tuple[WorkerKind, int]] = []
    covered = 0
    for kind, count in sorted(counts.items(), key=_most_frequent_first, reverse=True)[:MOST_KINDS]:
        if covered >= COVERED * total:
            break
        typical.append((kind, count))
        covered += count
    return JobMix(tuple((kind, count / covered) for kind, count in typical))


class LearntMix:
    """Learns the mix from the workers that are wanted now: those of the jobs that wait or run."""

    def __init__(self) -> None:
        self.counts: Counter[WorkerKind] = Counter()
        """What is wanted now; not to be changed."""
        self.mix = NO_MIX
        self._wanted = 0
        self._came = 0
        """How many workers came since the mix was worked out."""
        self._due = FIRST_MIX
        """It is worked out anew once so many have come."""

    def see(self, kinds: Iterable[tuple[WorkerKind, int]]) -> bool:
        """Count workers that come; return whether the mix changed."""
        for kind, workers in kinds:
            self.counts[kind] += workers
            self._wanted += workers
            self._came += workers
        if self._came < self._due or self._wanted < FIRST_MIX:
            return False
        self._came, self._due = 0, self._wanted
        self.mix = mix_of(self.counts)
        return True

    def forget(self, kinds: Iterable[tuple[WorkerKind, int]]) -> None:
        """Count down workers that came and whose job is over."""
        for kind, workers in kinds:
            self._wanted -= workers
            self.counts[kind] -= workers
            if not self.counts[kind]:
                del self.counts[kind]


def _most_frequent_first(item: tuple[WorkerKind, int]) -> tuple[int, int, int, int, tuple[ChipName, ...]]:
    kind, count = item
    return (count, kind.cpu_milli, kind.milli_per_device, kind.devices, kind.chips)
