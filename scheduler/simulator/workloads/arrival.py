"""A job that somebody will submit, and what it will do once it runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.job import JobSpec


@dataclass(frozen=True, slots=True)
class Life:
    """What a job does where it runs: nobody who decides knows of it."""

    work_s: float
    """How long it runs in all on a chip of speed 1, if nothing goes wrong."""
    start_up_s: float = 0.0
    """From the start of its workers until they are ready; of each attempt, and no part of its work."""
    failure_chance: float = 0.0
    """That an attempt fails by itself, at any time of it."""
    saved_every_s: float | None = None
    """An attempt goes on from what was saved last; None: each one begins anew."""
    speeds: tuple[tuple[ChipName, float], ...] = ()
    """How fast it is on chip types, where that is not 1."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One job to come."""

    at_s: float
    """After the start of the simulation."""
    tenant: TenantName
    by: str
    spec: JobSpec
    life: Life


class Workload(Protocol):
    """Jobs to come. Whatever reads a trace or a file gives one of these."""

    @property
    def tenants(self) -> tuple[TenantName, ...]:
        """All tenants of the jobs, by name."""
        ...

    def arrivals(self, *, seed: int, until_s: float) -> Iterator[Arrival]:
        """Yield the jobs that come before a time, in the order in which they come: the same ones for the same seed."""
        ...
