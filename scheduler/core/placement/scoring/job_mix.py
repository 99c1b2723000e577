"""Which workers jobs usually have, given or learnt from the jobs that come in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.core.model.job import ExactMix
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.model.job import Job
    from scheduler.core.model.resources import WorkerShape

COVERED = 0.95
"""The most frequent kinds that make up so much of all workers are typical (Weng et al., USENIX ATC 2023)."""
MOST_KINDS = 512
FIRST_MIX = 8
"""So many workers must have been seen before there is a mix; it is worked out anew each time their number doubles."""


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


def worker_kinds(job: Job) -> list[tuple[WorkerKind, int]]:
    """Return the kinds of workers that a job asks for, with their numbers; a kind accepts what any option names."""
    spec = job.spec
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
    """Learns the mix as workers come in."""

    def __init__(self) -> None:
        self._counts: Counter[WorkerKind] = Counter()
        self._seen = 0
        self._next = FIRST_MIX
        self.mix = NO_MIX

    def see(self, kinds: Iterable[tuple[WorkerKind, int]]) -> bool:
        """Count workers; return whether the mix changed."""
        for kind, workers in kinds:
            self._counts[kind] += workers
            self._seen += workers
        if self._seen < self._next:
            return False
        while self._next <= self._seen:
            self._next *= 2
        self.mix = mix_of(self._counts)
        return True


def _most_frequent_first(item: tuple[WorkerKind, int]) -> tuple[int, int, int, int, tuple[ChipName, ...]]:
    kind, count = item
    return (count, kind.cpu_milli, kind.milli_per_device, kind.devices, kind.chips)
