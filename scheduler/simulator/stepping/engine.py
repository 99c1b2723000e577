"""What a simulation drives: something that decides, starts and ends jobs at the time it is told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from scheduler.core.deciding.preempting.rules import NO_PREEMPTION, Rules
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import Change
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ClusterName, JobId, TenantName
from scheduler.core.model.node import Node
from scheduler.core.model.sharing.queue import Queue, QueueQuota
from scheduler.core.model.tenant import Quota
from scheduler.core.queueing.policies.ordering import DEFAULT_ORDERING, Ordering
from scheduler.simulator.workloads.arrival import Arrival

START = datetime(2026, 1, 5, tzinfo=UTC)
"""When every simulation begins: midnight before a Monday."""

Listener = Callable[[Change, SchedulerState], None]
"""Is told each change before it is applied, with the state as it is by then."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What there is when a simulation begins."""

    cluster: ClusterName
    nodes: tuple[Node, ...]
    """All of the cluster, by name."""
    chips: tuple[ChipType, ...]
    """The catalogue, with all chip types of the nodes."""
    tenants: tuple[TenantName, ...]
    quotas: tuple[Quota, ...] = ()
    weights: Mapping[TenantName, int] = field(default_factory=dict)
    """Of tenants against each other, where it is not 1."""
    ordering: Ordering = DEFAULT_ORDERING
    """Who of those that wait is next."""
    rules: Rules = NO_PREEMPTION
    """Who may be stopped for whom."""

    @property
    def queues(self) -> tuple[Queue, ...]:
        """The tenants' own queues."""
        return tuple(Queue(name, tenant=name, weight=self.weights.get(name, 1)) for name in self.tenants)

    @property
    def limits(self) -> tuple[QueueQuota, ...]:
        """What these queues may hold."""
        return tuple(QueueQuota(quota.tenant, quota.chip, limit=quota.devices) for quota in self.quotas)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A job to be submitted now, under its name."""

    id: JobId
    arrival: Arrival


class Engine(Protocol):
    """Steps through virtual time. The same calls give the same decisions, whichever engine it is."""

    @property
    def has_jobs(self) -> bool:
        """Whether there are jobs that are not over."""
        ...

    def advance(self, to_s: int) -> None:
        """Let it be so many seconds after the start; what is due by then happens when it settles."""
        ...

    def submit(self, jobs: Sequence[Numbered]) -> int:
        """Submit jobs; return how many were turned away, for too many of their tenant are there already."""
        ...

    def change_nodes(self, nodes: Sequence[Node]) -> None:
        """Let nodes be as these from now on; what runs on one that is GONE is lost."""
        ...

    def settle(self) -> None:
        """Let everything happen that can happen now: ends, decisions, starts."""
        ...

    def next_due_s(self) -> int | None:
        """Return when something happens by itself, in seconds after the start; None: never."""
        ...

    def close(self) -> None:
        """Let go of what it uses."""
        ...


def moment(seconds: int) -> datetime:
    """Return the time so many seconds after the start."""
    return START + timedelta(seconds=seconds)


def seconds_until(at: datetime) -> int:
    """Return the first whole second after the start that is not before a time."""
    return -((START - at) // timedelta(seconds=1))
