"""Which shapes jobs usually have, given or learnt from the jobs that come in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.model.job import Job
    from scheduler.core.model.resources import WorkerShape

COVERED = 0.95
"""The most frequent shapes that make up so much of the jobs are typical (Weng et al., USENIX ATC 2023, section 5.1)."""
MOST_SHAPES = 512


@dataclass(frozen=True, slots=True)
class WorkerKind:
    """A shape with the chip types that it accepts; none named: any."""

    shape: WorkerShape
    chips: frozenset[ChipName]


def worker_kinds(job: Job) -> list[tuple[WorkerKind, int]]:
    """Return the kinds of workers that a job asks for, with their numbers; a kind accepts what any option names."""
    options = job.spec.options()
    chips: dict[str, set[ChipName]] = {}
    for option in options:
        for part in option:
            chips.setdefault(part.role, set()).update({part.chip} if part.chip is not None else ())
    return [(WorkerKind(part.shape, frozenset(chips[part.role])), part.workers) for part in options[0]]


@dataclass(frozen=True, slots=True)
class JobMix:
    """Typical workers, most frequent first, and how frequent each is among all workers seen, 0 to 1."""

    shares: tuple[tuple[WorkerKind, float], ...] = ()


NO_MIX = JobMix()


def mix_of(counts: Mapping[WorkerKind, int]) -> JobMix:
    """Return the typical part of what was counted; ties by shape and chips."""
    total = sum(counts.values())
    if not total:
        return NO_MIX
    ordered = sorted(counts.items(), key=lambda item: (-item[1], _sort_key(item[0])))
    shares = []
    covered = 0
    for kind, count in ordered[:MOST_SHAPES]:
        if covered >= COVERED * total:
            break
        shares.append((kind, count / total))
        covered += count
    return JobMix(tuple(shares))


class LearntMix:
    """Learns the mix as workers come in; it is worked out anew each time that half as many again have been seen."""

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
        self._next = self._seen + max(FIRST_MIX, self._seen // 2)
        self.mix = mix_of(self._counts)
        return True


FIRST_MIX = 32
"""So many workers must have been seen before there is a mix."""


def _sort_key(kind: WorkerKind) -> tuple[int, int, int, int, int, tuple[str, ...]]:
    shape = kind.shape
    amounts = (shape.devices, shape.share_milli, shape.share_memory_mib, shape.cpu_milli, shape.memory_mib)
    return (*amounts, tuple(sorted(kind.chips)))
