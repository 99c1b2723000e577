"""Jobs that are drawn: what sorts there are, how often each comes, and of which sizes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from heapq import merge
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.job import AnyOf, CommandProgram, JobKind, JobSpec
from scheduler.core.model.resources import WorkerShape
from scheduler.simulator.workloads.arrival import Arrival, Life
from scheduler.simulator.workloads.spans import Span

HOUR_S = 3_600
HOURS_OF_A_DAY = 24
T = TypeVar("T")
_NOTHING = Life(0.0)


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """One of several things, some more often than others."""

    things: tuple[T, ...]
    sums: tuple[float, ...]
    """Of the weights up to each."""

    @staticmethod
    def of(weights: Sequence[tuple[T, float]]) -> "Choice[T]":
        """Return a choice by weights, which are above 0."""
        return Choice(tuple(thing for thing, _ in weights), tuple(accumulate(weight for _, weight in weights)))

    def draw(self, random: Random) -> T:
        """Return one of them."""
        return random.choices(self.things, cum_weights=self.sums)[0]


@dataclass(frozen=True, slots=True)
class Size:
    """What a gang asks for."""

    workers: int
    devices_per_worker: int


@dataclass(frozen=True, slots=True)
class Rate:
    """How often jobs of a sort come."""

    per_hour: float
    """In the mean of a day."""
    day: tuple[float, ...] = (1.0,) * HOURS_OF_A_DAY
    """How much more or less than that, by the hour; its mean is 1."""
    burst: int = 1
    """So many come at a time; then bursts are as much rarer."""

    def times(self, random: Random, until_s: float) -> Iterator[float]:
        """Yield when something comes, by a Poisson process that follows the day."""
        peak = max(self.day)
        per_s = self.per_hour / self.burst / HOUR_S * peak
        at_s = 0.0
        while per_s > 0:
            at_s += random.expovariate(per_s)
            if at_s >= until_s:
                return
            if random.random() * peak < self.day[int(at_s // HOUR_S) % HOURS_OF_A_DAY]:
                yield at_s


@dataclass(frozen=True, slots=True)
class Limit:
    """Which time limit jobs give."""

    seconds: float | None = None
    """The same for all of them; or:"""
    times: float | None = None
    """So many times as long as the job runs, as somebody would say who knows about how long that is."""

    def of(self, run_s: float) -> int | None:
        """Return the limit of a job in seconds; None where it gives none."""
        if self.times is not None:
            return max(1, round(run_s * self.times))
        return None if self.seconds is None else max(1, round(self.seconds))


@dataclass(frozen=True, slots=True)
class Template:
    """A sort of jobs."""

    name: str
    tenants: Choice[TenantName]
    user: str
    rate: Rate
    sizes: Choice[Size]
    run: Span
    chips: tuple[ChipName, ...]
    """Liked best first."""
    cpu_milli: int
    memory_mib: int
    limit: Limit = Limit()
    life: Life = _NOTHING
    """What all have in common; how long each runs is drawn."""
    retries: int = 0
    priority: int = 0

    def arrivals(self, seed: int, until_s: float) -> Iterator[Arrival]:
        """Yield its jobs, in the order of time: whatever else there is, the same ones for the same seed."""
        random = Random(f"{seed} {self.name}")  # noqa: S311 - chance that is to come again, no secret
        spec_of = cache(self._spec)
        for at_s in self.rate.times(random, until_s):
            for _ in range(self.rate.burst):
                tenant, size, run_s = self.tenants.draw(random), self.sizes.draw(random), self.run.draw(random)
                spec = spec_of(size, self.limit.of(run_s))
                yield Arrival(at_s, tenant, self.user, spec, replace(self.life, work_s=run_s))

    def _spec(self, size: Size, limit_s: int | None) -> JobSpec:
        return JobSpec(
            name=self.name,
            kind=JobKind.TRAINING,
            workers=size.workers,
            shape=WorkerShape(size.devices_per_worker, self.cpu_milli, self.memory_mib),
            chips=AnyOf(self.chips if size.devices_per_worker else ()),
            program=CommandProgram(("simulated",)),
            retries=self.retries,
            time_limit_s=limit_s,
            priority=self.priority,
        )


@dataclass(frozen=True, slots=True)
class Drawn:
    """Fulfils simulator.workloads.arrival.Workload with templates."""

    templates: tuple[Template, ...]

    @property
    def tenants(self) -> tuple[TenantName, ...]:
        """All tenants, by name."""
        return tuple(sorted({tenant for template in self.templates for tenant in template.tenants.things}))

    def arrivals(self, *, seed: int, until_s: float) -> Iterator[Arrival]:
        """Yield the jobs of all templates, in the order of time."""
        streams = [template.arrivals(seed, until_s) for template in self.templates]
        return merge(*streams, key=lambda arrival: arrival.at_s)


@dataclass(frozen=True, slots=True)
class Listed:
    """Fulfils simulator.workloads.arrival.Workload with jobs that are known, in the order of time."""

    jobs: tuple[Arrival, ...]

    @property
    def tenants(self) -> tuple[TenantName, ...]:
        """All tenants, by name."""
        return tuple(sorted({job.tenant for job in self.jobs}))

    def arrivals(self, *, seed: int, until_s: float) -> Iterator[Arrival]:  # noqa: ARG002 - nothing is left to chance
        """Yield those that come before a time."""
        return (job for job in self.jobs if job.at_s < until_s)
