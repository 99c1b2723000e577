"""Every "no" as a value with its numbers, and why a worker is where it is. Text is made at the edge."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import ChipName, ClusterName, JobId, NodeId, TenantName
from scheduler.core.model.job import Condition
from scheduler.core.model.resources import MAIN_ROLE
from scheduler.core.model.sharing.queue import QueueName, QuotaCause, ResourceName
from scheduler.core.model.topology import CLUSTER, Spread


@dataclass(frozen=True, slots=True)
class Holder:
    """Devices of one chip type that a tenant holds."""

    tenant: TenantName
    devices: int


class Resource(StrEnum):
    """What a worker takes of its node."""

    DEVICES = "devices"
    CPU = "cpu"
    """In milli-cores."""
    MEMORY = "memory"
    """In MiB."""
    PODS = "pods"
    """Workers at once."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The one resource that keeps workers out."""

    resource: Resource
    asked: int
    """Per worker, in the resource's unit."""
    most: int
    """The most of it that one of the nodes in question has to give; 0 where there is no such node."""


@dataclass(frozen=True, slots=True)
class NearestShape:
    """The shape nearest to what was asked for that would fit: it differs in one thing only, where one suffices."""

    workers: int
    devices_per_worker: int
    level: str
    """The level of which one domain holds all of them."""


@dataclass(frozen=True, slots=True)
class KeptApart:
    """What a gang leaves alone because workers stand there that it is to be apart from."""

    level: str
    domains: int
    """So many domains of that level; a node that is in none of it counts as one."""
    workers_fit: int
    """How many workers would fit now into one domain of the required level if the gang left nothing alone."""


@dataclass(frozen=True, slots=True)
class TooFewFree:
    """So many workers are wanted on one chip type; fewer fit now, though all would if nothing else ran."""

    cluster: ClusterName
    chip: ChipName | None
    """None for workers without devices."""
    workers: int
    """Workers wanted on this chip type."""
    devices_per_worker: int
    """0 for a share of a device and for none."""
    workers_fit: int
    """How many of them would fit now into one domain of `level`."""
    nodes_fit: int
    """On how many nodes at least one of them would fit now."""
    devices_free: int
    """Free devices of the chip type on ready nodes, whether or not a worker could use them."""
    devices_drained: int
    """Devices that nobody holds on drained nodes."""
    holders: tuple[Holder, ...]
    """Who holds devices of the chip type, most first."""
    limit: Limit
    """What is short now."""
    level: str = CLUSTER
    """The level of which one domain must hold the workers."""
    workers_fit_anywhere: int | None = None
    """How many would fit now if they could be anywhere in the cluster; None where `level` is the cluster."""
    devices_reserved: int = 0
    """Free devices on nodes that belong to other tenants, not among `devices_free`."""
    role: str = MAIN_ROLE
    nearest: NearestShape | None = None
    """What would fit now; None where nothing near does."""
    kept_apart: KeptApart | None = None
    """What the job is to be apart from; None where that is nothing. Its devices are among `devices_free`."""
    is_exclusive: bool = False
    """Whether nothing else may be on its nodes."""
    spread: Spread | None = None


@dataclass(frozen=True, slots=True)
class NeverFits:
    """More is asked than the cluster has for it when it is empty."""

    cluster: ClusterName
    chip: ChipName | None
    workers: int
    devices_per_worker: int
    workers_fit_empty: int
    """How many of the workers would fit into one domain of `level` if nothing else ran."""
    largest_node_devices: int
    """Devices of the chip type on the largest node; 0 where the cluster has no such chip."""
    limit: Limit
    """What runs out first."""
    level: str = CLUSTER
    """The level of which one domain must hold the workers."""
    role: str = MAIN_ROLE
    nearest: NearestShape | None = None
    """What would fit into the empty cluster; None where nothing near does."""
    is_exclusive: bool = False
    spread: Spread | None = None


@dataclass(frozen=True, slots=True)
class QuotaExceeded:
    """The job's queue, or one that it is in, would hold more of a resource than it may."""

    queue: QueueName
    resource: ResourceName
    limit: int
    """In whole devices, or units of COMPUTE: the most that the queue may hold now."""
    used: int
    """In whole ones; shares count up to the next."""
    asked: int
    cause: QuotaCause = QuotaCause.LIMIT
    kept_for: tuple[QueueName, ...] = ()
    """Whose guaranteed share is kept back, most first; at most 5."""
    measured: tuple[tuple[ChipName, int], ...] = ()
    """Of COMPUTE, what one device counts as by how fast the job's family is; other chip types as the catalogue says."""

    @property
    def is_lasting(self) -> bool:
        """Whether more is asked for than the queue may ever hold, so that no end of anything helps."""
        return self.cause is not QuotaCause.KEPT_BACK and self.asked > self.limit


@dataclass(frozen=True, slots=True)
class QueueIsFull:
    """So many jobs of a queue, with all that is in it, hold something as may at one time."""

    queue: QueueName
    most_running: int
    user: str | None = None
    """Of this user; None: of all."""


@dataclass(frozen=True, slots=True)
class BackingOff:
    """The last attempt was stopped; the next one is not made before a time."""

    until: datetime
    failures: int
    """Attempts that were charged against the job's retries."""
    retries: int
    stop_reason: StopReason | None = None
    """Why the last attempt was stopped."""


@dataclass(frozen=True, slots=True)
class NoCluster:
    """No cluster has reported its nodes yet, of those that would run the job."""


class Mismatch(StrEnum):
    """Which wish no node of a cluster can meet, whatever is free."""

    NODE_LABELS = "node-labels"
    """No node has all the labels that the job asks for."""
    LEVEL = "level"
    """The topology has no such level."""
    SHARES = "shares"
    """The cluster can neither bind a chosen device nor enforce a share of one."""
    SHARE_SIZE = "share-size"
    """The share has no size, is a whole device, or has more memory than a device."""
    SPREAD = "spread"
    """There are too few domains for so many workers, so many in each."""
    CONTRADICTION = "contradiction"
    """Two wishes exclude each other: all workers in one domain, and spread over several of its level or larger."""
    TOGETHER = "together"
    """There is room for each part of the gang, and never for all of them."""


@dataclass(frozen=True, slots=True)
class CannotServe:
    """The cluster cannot meet one of the job's wishes, however empty it is."""

    cluster: ClusterName
    mismatch: Mismatch
    asked: tuple[str, ...]
    """What was asked for, such as the labels as `key=value`, or the level."""
    offered: tuple[str, ...] = ()
    """What there is instead, such as the levels of the topology; bounded to 20."""


@dataclass(frozen=True, slots=True)
class WaitsForJob:
    """A job that must be over first is not."""

    job: JobId
    condition: Condition


@dataclass(frozen=True, slots=True)
class WaitsForArray:
    """An array of which all jobs must be over first has some left."""

    array: JobId
    condition: Condition
    ended: int
    jobs: int
    """How many it has in all."""


@dataclass(frozen=True, slots=True)
class CannotFollow:
    """A job, or an array, that must have succeeded first is over otherwise: it never will."""

    job: JobId
    """Or the array."""
    became: State
    is_array: bool = False


@dataclass(frozen=True, slots=True)
class ArrayIsFull:
    """So many jobs of its array hold something as may at one time."""

    array: JobId
    most_at_once: int


@dataclass(frozen=True, slots=True)
class KeptFor:
    """What is free now and kept for somebody else until it starts."""

    job: JobId
    tenant: TenantName
    begins: datetime
    """When it is expected to start."""
    devices: tuple[tuple[ChipName, int], ...]
    """How many of each chip type are kept now; none where it is cores, memory or workers that are."""
    nodes: tuple[NodeId, ...]
    """Where."""


@dataclass(frozen=True, slots=True)
class KeptForOthers:
    """There is room for it, and that is kept for those who have waited longer."""

    kept: tuple[KeptFor, ...]
    """In the order in which they are to start."""
    overtakes_s: int | None
    """With a time limit of so many seconds at most it would start now; None where none is short enough."""


@dataclass(frozen=True, slots=True)
class RoomIsMade:
    """Attempts are being stopped for it, or for one that asks for the same, or give workers: it starts without them."""

    attempts: int
    """So many stop."""
    until: datetime
    """When the last of them has had the time that it is given to end."""
    giving: int = 0
    """So many go on with fewer workers."""


Reason = (
    TooFewFree
    | NeverFits
    | QuotaExceeded
    | BackingOff
    | NoCluster
    | CannotServe
    | WaitsForJob
    | WaitsForArray
    | CannotFollow
    | ArrayIsFull
    | KeptForOthers
    | RoomIsMade
    | QueueIsFull
)
_MOST_BINDING_FIRST = (
    CannotFollow,
    WaitsForJob,
    WaitsForArray,
    BackingOff,
    RoomIsMade,
    ArrayIsFull,
    QueueIsFull,
    QuotaExceeded,
    KeptForOthers,
    NoCluster,
    TooFewFree,
    NeverFits,
    CannotServe,
)


def most_binding_first(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return each reason once: other jobs, back-off, room being made, array, queue, quota, room; then as given."""
    return tuple(sorted(dict.fromkeys(reasons), key=lambda reason: _MOST_BINDING_FIRST.index(type(reason))))


@dataclass(frozen=True, slots=True)
class PlacementNote:
    """Why one rank is where it is."""

    rank: int
    node: NodeId
    chip: ChipName | None
    choice: int
    """Which of the job's acceptable options this is, from 1; for an exact mix always 1."""
    choices: int
    domain_level: str
    """The smallest topology level that holds all workers of this chip type: `node`, ..., `cluster`."""
    domain: str
    nodes_considered: int
    """Nodes that could have taken a worker of this shape."""
    devices_free_before: int
    """Free devices of the chip type on the node before this gang."""
    devices_free_after: int
    """And after it."""
