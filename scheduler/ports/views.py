"""What people and followers read. Every answer is one consistent read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scheduler.core.model.attempt import Attempt, Progress
from scheduler.core.model.change import Change
from scheduler.core.model.group import Group, State
from scheduler.core.model.identifiers import AttemptId, ChipName, ClusterName, JobId, NodeId, TenantName
from scheduler.core.model.job import Job
from scheduler.core.model.node import Cluster, Node, Pool
from scheduler.core.model.tenant import Quota


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that deciding needs, as of one change number."""

    change: int
    clusters: tuple[Cluster, ...]
    nodes: tuple[Node, ...]
    quotas: tuple[Quota, ...]
    jobs: tuple[Job, ...]
    """Jobs with at least one group that is not final."""
    groups: tuple[Group, ...]
    """The groups of those jobs."""
    attempts: tuple[Attempt, ...]
    """The latest attempt of every group that holds devices."""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; None means any."""

    tenant: TenantName | None = None
    states: frozenset[State] | None = None
    name: str | None = None
    chip: ChipName | None = None
    """Jobs that accept this chip type."""
    submitted_by: str | None = None
    label: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with all that became of it."""

    job: Job
    state: State
    groups: tuple[Group, ...]
    attempts: tuple[Attempt, ...]
    """Oldest first; in a list only the latest attempt of each group."""
    progress: Progress | None
    """The latest report."""
    finished_at: datetime | None
    refusal: str | None
    """What the latest stop said in detail, where the cluster said something."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Devices of one chip type on one node, held by one attempt."""

    tenant: TenantName
    job: JobId
    attempt: AttemptId
    chip: ChipName
    devices: int


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node and who holds what on it."""

    node: Node
    cpu_milli_held: int
    memory_mib_held: int
    holdings: tuple[Holding, ...]


@dataclass(frozen=True, slots=True)
class TenantUse:
    """Devices that a tenant holds now."""

    tenant: TenantName
    chip: ChipName
    devices: int


class Views(Protocol):
    """Reads."""

    def snapshot(self) -> Snapshot:
        """Return what deciding needs, of one moment."""
        ...

    def last_change(self) -> int:
        """Return the number of the latest change, 0 where there is none."""
        ...

    def changes_after(self, number: int, *, limit: int, job: JobId | None = None) -> list[Change]:
        """Return changes with a greater number, oldest first; with `job` only the job's."""
        ...

    def jobs(self, where: JobFilter, *, before: JobId | None, limit: int) -> list[JobView]:
        """Return jobs newest first, those older than `before`."""
        ...

    def job(self, job: JobId, *, tenant: TenantName | None) -> JobView | None:
        """Return one job with all its attempts; None unless it belongs to `tenant` (None: any)."""
        ...

    def attempt_is_open(self, attempt: AttemptId, generation: int) -> bool:
        """Say whether an attempt holds devices and is of that generation: one look-up, cheap enough to ask often."""
        ...

    def rendezvous(self, attempt: AttemptId, generation: int) -> str | None:
        """Return rank 0's address, None while it is not known."""
        ...

    def progress(self, attempt: AttemptId, *, limit: int) -> list[Progress]:
        """Return an attempt's latest reports, oldest first."""
        ...

    def nodes(
        self, *, cluster: ClusterName | None, chip: ChipName | None, after: NodeId | None, limit: int
    ) -> list[NodeView]:
        """Return nodes by id; one that is GONE only while something is held on it."""
        ...

    def pools(self) -> list[Pool]:
        """Return all pools by name."""
        ...

    def tenant_use(self, tenant: TenantName | None) -> list[TenantUse]:
        """Return what tenants hold now, by tenant and chip; of one tenant, or all where `tenant` is None."""
        ...
