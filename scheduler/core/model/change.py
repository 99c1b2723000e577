"""The change feed: every write that anything is decided on, as one ordered, gapless list that followers apply."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from scheduler.core.model.attempt import Allocation, Checkpoint, Progress, ResizeStep, WorkerRecord, WorkerRemark
from scheduler.core.model.chip import ChipType
from scheduler.core.model.decision import ResizeCause
from scheduler.core.model.group import Group, State
from scheduler.core.model.identifiers import AttemptId, GroupId, JobId, TenantName
from scheduler.core.model.job import Job, JobSpec
from scheduler.core.model.measuring.layers import LayerSpeed
from scheduler.core.model.measuring.throughput import Speed
from scheduler.core.model.node import Cluster, Node
from scheduler.core.model.reason import PlacementNote, Reason
from scheduler.core.model.sharing.eviction import Eviction, GivenTo
from scheduler.core.model.sharing.queue import ChipGroup, Queue, QueueName, QueueQuota, ResourceName
from scheduler.core.model.waiting.promise import DropReason, Promise


@dataclass(frozen=True, slots=True)
class JobSubmitted:
    """A job and its queued groups exist."""

    job: Job
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class StopWished:
    """The user wants the job to stop."""

    job: JobId
    by: str


@dataclass(frozen=True, slots=True)
class ReplicasWished:
    """The user wants so many replicas; the new groups are queued, others are moved by changes of their own."""

    job: JobId
    replicas: int
    by: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class JobRevised:
    """The user gave a server a new version; that replicas are replaced is told by changes of their own."""

    job: JobId
    spec: JobSpec
    revision: int
    by: str


@dataclass(frozen=True, slots=True)
class PriorityChanged:
    """The job has another priority."""

    job: JobId
    priority: int
    by: str


@dataclass(frozen=True, slots=True)
class Together:
    """What a job of several groups is once one of them moved."""

    state: State
    ready: int
    """How many of its groups run with all their workers ready."""


@dataclass(frozen=True, slots=True)
class GroupPlaced:
    """A group became PLACED: a new attempt holds these allocations."""

    group: Group
    attempt: AttemptId
    allocations: tuple[Allocation, ...]
    notes: tuple[PlacementNote, ...]
    together: Together | None = None
    """None: the job has this group alone."""
    stop_by: datetime | None = None
    """When it is stopped if somebody then needs the room, which is kept for others; None: it takes none of that."""


@dataclass(frozen=True, slots=True)
class GroupMoved:
    """A group changed its state otherwise; `workers` is what was then known of its latest attempt."""

    group: Group
    attempt: AttemptId | None
    """None where the group never had one."""
    workers: tuple[WorkerRecord, ...] = ()
    reasons: tuple[Reason, ...] = ()
    """Why it was refused, where it was."""
    detail: str | None = None
    """What the cluster said, bounded to 1,000 characters."""
    together: Together | None = None
    """None: the job has this group alone."""
    eviction: Eviction | None = None
    """For whom its attempt is stopped, where it is for somebody."""


@dataclass(frozen=True, slots=True)
class WorkersWished:
    """The user wants so many workers at most for an elastic job."""

    job: JobId
    workers: int
    by: str


@dataclass(frozen=True, slots=True)
class GroupResized:
    """A gang that runs is to go on with more or fewer workers; it holds what both generations need."""

    group: Group
    attempt: AttemptId
    generation: int
    """The next one."""
    allocations: tuple[Allocation, ...]
    """What every rank holds then, in rank order."""
    cause: ResizeCause
    notes: tuple[PlacementNote, ...] = ()
    """Of those who come."""
    given_to: GivenTo | None = None
    """For whom it has fewer workers, where that is for somebody."""


@dataclass(frozen=True, slots=True)
class ResizeAdvanced:
    """A gang came a step nearer to the generation that it is to be of."""

    attempt: AttemptId
    generation: int
    step: ResizeStep


@dataclass(frozen=True, slots=True)
class WorkersNoted:
    """The cluster said something of an attempt's workers; nothing moved."""

    attempt: AttemptId
    remarks: tuple[WorkerRemark, ...]


@dataclass(frozen=True, slots=True)
class ProgressReported:
    """A training reported a step."""

    attempt: AttemptId
    progress: Progress


@dataclass(frozen=True, slots=True)
class CheckpointSaved:
    """A training said that it is saved up to a step."""

    attempt: AttemptId
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class ClusterSeen:
    """A cluster was registered."""

    cluster: Cluster


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node appeared or changed; a node that left its cluster has the state GONE."""

    node: Node


@dataclass(frozen=True, slots=True)
class TenantCreated:
    """A tenant exists."""

    tenant: TenantName


@dataclass(frozen=True, slots=True)
class QueueSet:
    """A queue exists, or is another one."""

    queue: Queue


@dataclass(frozen=True, slots=True)
class QueueRemoved:
    """A queue that nobody used is gone, with its quotas."""

    name: QueueName


@dataclass(frozen=True, slots=True)
class QueueQuotaSet:
    """What a queue may have of a resource changed."""

    quota: QueueQuota


@dataclass(frozen=True, slots=True)
class QueueQuotaLifted:
    """A queue's quota of a resource is gone."""

    queue: QueueName
    resource: ResourceName


@dataclass(frozen=True, slots=True)
class ChipGroupSet:
    """Chip types are counted together from now on, or others than before."""

    group: ChipGroup


@dataclass(frozen=True, slots=True)
class ChipGroupRemoved:
    """A group that no quota counts is gone."""

    resource: ResourceName


@dataclass(frozen=True, slots=True)
class ChipDefined:
    """A chip type was added to the catalogue or changed."""

    chip: ChipType


@dataclass(frozen=True, slots=True)
class SpeedsChanged:
    """Families of one tenant are known to be so fast on chip types: measured, said by an operator, or forgotten."""

    speeds: tuple[Speed, ...]


@dataclass(frozen=True, slots=True)
class ProfilesChanged:
    """Layers of one tenant's families are known to take so long: measured, said by an operator, or forgotten."""

    profiles: tuple[LayerSpeed, ...]


@dataclass(frozen=True, slots=True)
class ReservationMade:
    """Room is kept for a group that waits; what was kept for it before is so no more."""

    promise: Promise


@dataclass(frozen=True, slots=True)
class ReservationDropped:
    """No room is kept any more for a group."""

    group: GroupId
    why: DropReason


ChangeBody = (
    JobSubmitted
    | StopWished
    | ReplicasWished
    | JobRevised
    | PriorityChanged
    | WorkersWished
    | GroupPlaced
    | GroupMoved
    | GroupResized
    | ResizeAdvanced
    | WorkersNoted
    | ProgressReported
    | CheckpointSaved
    | ClusterSeen
    | NodeSeen
    | TenantCreated
    | QueueSet
    | QueueRemoved
    | QueueQuotaSet
    | QueueQuotaLifted
    | ChipGroupSet
    | ChipGroupRemoved
    | ChipDefined
    | SpeedsChanged
    | ProfilesChanged
    | ReservationMade
    | ReservationDropped
)

KIND_OF: Mapping[type[ChangeBody], str] = MappingProxyType(
    {
        JobSubmitted: "job-submitted",
        StopWished: "stop-wished",
        ReplicasWished: "replicas-wished",
        JobRevised: "job-revised",
        PriorityChanged: "priority-changed",
        WorkersWished: "workers-wished",
        GroupPlaced: "group-placed",
        GroupMoved: "group-moved",
        GroupResized: "group-resized",
        ResizeAdvanced: "resize-advanced",
        WorkersNoted: "workers-noted",
        ProgressReported: "progress-reported",
        CheckpointSaved: "checkpoint-saved",
        ClusterSeen: "cluster-seen",
        NodeSeen: "node-seen",
        TenantCreated: "tenant-created",
        QueueSet: "queue-set",
        QueueRemoved: "queue-removed",
        QueueQuotaSet: "queue-quota-set",
        QueueQuotaLifted: "queue-quota-lifted",
        ChipGroupSet: "chip-group-set",
        ChipGroupRemoved: "chip-group-removed",
        ChipDefined: "chip-defined",
        SpeedsChanged: "speeds-changed",
        ProfilesChanged: "profiles-changed",
        ReservationMade: "reservation-made",
        ReservationDropped: "reservation-dropped",
    }
)
"""What changes are called wherever they are kept or told; a name once given stays."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the feed."""

    number: int
    """From 1, without gaps, in the order of commits."""
    at: datetime
    tenant: TenantName | None
    """Whose event it is; None for what concerns clusters and the catalogue."""
    job: JobId | None
    body: ChangeBody
