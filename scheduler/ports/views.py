"""What people and followers read. Every answer is one consistent read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scheduler.core.model.attempt import Attempt, Progress
from scheduler.core.model.change import Change
from scheduler.core.model.chip import ChipType
from scheduler.core.model.group import Group, State, StopReason
from scheduler.core.model.identifiers import AttemptId, ChipName, ClusterName, JobId, NodeId, TenantName
from scheduler.core.model.job import ArrayMember, Job, JobKind
from scheduler.core.model.measuring.throughput import Throughput
from scheduler.core.model.node import Cluster, Drain, Node, Pool
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import QueueName, Shares
from scheduler.core.model.waiting.promise import Promise
from scheduler.core.queueing.policies.service import NOTHING_PAST, PastUse
from scheduler.core.reconciling.life_signs import LifeSign


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that deciding needs, as of one change number."""

    change: int
    clusters: tuple[Cluster, ...]
    nodes: tuple[Node, ...]
    jobs: tuple[Job, ...]
    """Jobs with at least one group that is not final."""
    groups: tuple[Group, ...]
    """The groups of those jobs."""
    attempts: tuple[Attempt, ...]
    """The latest attempt of every group that holds devices."""
    chips: tuple[ChipType, ...]
    """The chip catalogue."""
    ended_in_arrays: tuple[tuple[JobId, tuple[State, ...]], ...]
    """What the final jobs of arrays became that some of `jobs` are of, each once."""
    shares: Shares
    past: PastUse = NOTHING_PAST
    """What was held before, that the order of the queue rests on."""
    promises: tuple[Promise, ...] = ()
    """The room that is kept for groups."""
    runs: tuple[tuple[Job, float], ...] = ()
    """The latest runs that succeeded, oldest first, each with how many seconds it took."""
    throughputs: tuple[Throughput, ...] = ()
    """How fast families of jobs are, those first that were longest not heard of."""


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
    array: JobId | None = None
    """Jobs of this array."""
    array_name: str | None = None
    """Jobs of arrays of this name."""
    in_array: bool | None = None
    """Jobs of any array, or those of none."""


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

    @property
    def ready(self) -> int:
        """How many of its groups run with all their workers ready."""
        return sum(group.state is State.RUNNING for group in self.groups)


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job in short: what a table of many jobs shows."""

    id: JobId
    tenant: TenantName
    name: str
    kind: JobKind
    state: State
    priority: int
    workers: int
    """Of all roles and replicas, in the size that is liked best."""
    devices: int
    """Whole ones that they ask for in all, in that size."""
    chips: tuple[ChipName, ...]
    """What it accepts, best first; each once."""
    mix: tuple[tuple[ChipName, int], ...]
    """How many workers on each, where it runs on several at once; else empty."""
    submitted_by: str
    submitted_at: datetime
    finished_at: datetime | None
    attempts: int
    stop_reason: StopReason | None
    """Why the latest attempt was stopped."""
    progress: Progress | None
    """The latest report of an attempt that runs."""
    replicas: int = 1
    """How many gangs are wanted."""
    ready: int = 0
    """How many of them run with all their workers ready."""
    array: JobId | None = None
    """The array that it is of."""


@dataclass(frozen=True, slots=True)
class ArrayView:
    """An array of jobs, with what became of them."""

    member: ArrayMember
    """The first of those that were looked for: what it says of its array."""
    tenant: TenantName
    submitted_by: str
    submitted_at: datetime
    states: tuple[tuple[State, int], ...]
    """How many of its jobs are in each state that one is in, in the order of State."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Devices of one chip type on one node, held by one attempt."""

    tenant: TenantName
    job: JobId
    attempt: AttemptId
    chip: ChipName
    devices: int
    """Whole devices."""
    share_milli: int = 0
    """Held in shares of further devices, in thousandths of one device."""
    share_memory_mib: int = 0
    """Device memory of these shares."""
    slots: tuple[int, ...] = ()
    """Numbers of the devices, whole ones and shared ones; empty where the cluster picks them."""


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node and who holds what on it."""

    node: Node
    cpu_milli_held: int
    memory_mib_held: int
    holdings: tuple[Holding, ...]
    """Of devices; workers without any are in the other counts only."""
    pods_held: int = 0
    """How many of the node's workers are held: all of them where one job has it for itself."""
    drain: Drain | None = None
    """Who drained it by Medley, where somebody did."""


@dataclass(frozen=True, slots=True)
class TenantUse:
    """Devices that a tenant holds now."""

    tenant: TenantName
    chip: ChipName
    devices_milli: int
    """In thousandths."""

    @property
    def devices(self) -> int:
        """In whole devices: shares count up to the next one."""
        return -(-self.devices_milli // WHOLE_DEVICE_MILLI)


MOST_CAPACITY_ERRORS = 100


@dataclass(frozen=True, slots=True)
class CounterError:
    """A node's guarded counter differs from what live attempts hold of it."""

    node: NodeId
    resource: str
    """`cpu_milli`, `memory_mib`, `pods`, or `devices_milli/` and a chip type."""
    counted: int
    held: int


@dataclass(frozen=True, slots=True)
class SlotUse:
    """What is held of one device."""

    milli: int
    """In thousandths."""
    memory_mib: int
    """By shares; a whole device comes with its memory."""
    holder: AttemptId | None
    """Who holds it whole."""


@dataclass(frozen=True, slots=True)
class SlotError:
    """What is said of a device differs from what live attempts hold of it."""

    node: NodeId
    slot: int
    counted: SlotUse
    held: SlotUse


@dataclass(frozen=True, slots=True)
class QuotaError:
    """What counts against a queue's quota differs from what its live attempts hold, in thousandths of devices."""

    queue: QueueName
    chip: ChipName
    counted: int
    held: int


@dataclass(frozen=True, slots=True)
class AllocationError:
    """A rank of an attempt that is over still holds something, or one of a live attempt was given back."""

    attempt: AttemptId
    rank: int
    is_held: bool


CapacityError = CounterError | SlotError | QuotaError | AllocationError


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

    def job_rows(self, where: JobFilter, *, before: JobId | None, limit: int) -> list[JobRow]:
        """Return jobs in short, newest first, those older than `before`."""
        ...

    def arrays(self, where: JobFilter, *, before: JobId | None, limit: int) -> list[ArrayView]:
        """Return the arrays that have a job that meets the filter, newest first, those older than `before`.

        What is counted is all of their jobs.
        """
        ...

    def live_jobs(self, where: JobFilter, *, before: JobId | None, limit: int) -> list[JobId]:
        """Return the ids of jobs that are not final, newest first, those older than `before`."""
        ...

    def job(self, job: JobId, *, tenant: TenantName | None) -> JobView | None:
        """Return one job with all its attempts; None unless it belongs to `tenant` (None: any)."""
        ...

    def attempt_is_open(self, attempt: AttemptId, generation: int) -> bool:
        """Say whether an attempt holds devices, and is of that generation or on its way from or to it.

        One look-up, cheap enough to ask often.
        """
        ...

    def rendezvous(self, attempt: AttemptId, generation: int) -> str | None:
        """Return rank 0's address, None while it is not known."""
        ...

    def progress(self, attempt: AttemptId, *, limit: int) -> list[Progress]:
        """Return an attempt's latest reports, oldest first."""
        ...

    def life_signs(self) -> list[LifeSign]:
        """Return what was heard of the open attempts whose runtime beats for them; two counts each, for all at once."""
        ...

    def nodes(
        self,
        *,
        cluster: ClusterName | None,
        chip: ChipName | None,
        after: NodeId | None,
        limit: int,
        ids: Collection[NodeId] | None = None,
    ) -> list[NodeView]:
        """Return nodes by id, with `ids` only those; one that is GONE only while something is held on it."""
        ...

    def pools(self) -> list[Pool]:
        """Return all pools by name."""
        ...

    def tenant_use(self, tenant: TenantName | None) -> list[TenantUse]:
        """Return what tenants hold now, by tenant and chip; of one tenant, or all where `tenant` is None."""
        ...

    def capacity_errors(self) -> list[CapacityError]:
        """Return where the guarded counters differ from what live attempts hold, the first 100; usually nothing.

        It looks at every node: for checks, not for daily work.
        """
        ...
