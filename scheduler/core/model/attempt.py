"""An attempt is one life of a group: its allocation, and what was seen of its workers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import AttemptId, ChipName, GroupId, NodeId, WorkerKey
from scheduler.core.model.reason import PlacementNote
from scheduler.core.model.resources import MAIN_ROLE, WHOLE_DEVICE_MILLI

FIRST_GENERATION = 1
"""The generation of an attempt's first allocation."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """What one rank holds of one node: whole devices, a share of one device or neither, with cpu and memory."""

    rank: int
    node: NodeId
    chip: ChipName | None
    """None for a worker without devices."""
    slots: tuple[int, ...]
    """The device slots; empty where the cluster picks the devices, see `counted`."""
    cpu_milli: int
    memory_mib: int
    counted: int = 0
    """Whole devices that are held without a slot, on clusters that pick them."""
    share_milli: int = 0
    """Of the one slot that is held only in part: thousandths of its compute; 0 for whole devices."""
    share_memory_mib: int = 0
    pods: int = 1
    """How many of the node's workers it counts as: all that the node may have where it is to be alone."""
    role: str = MAIN_ROLE

    @property
    def devices(self) -> int:
        """How many whole devices are held."""
        return 0 if self.share_milli else len(self.slots) + self.counted

    @property
    def devices_milli(self) -> int:
        """The held devices in thousandths."""
        return self.share_milli or self.devices * WHOLE_DEVICE_MILLI


class WorkerPhase(StrEnum):
    """What is known of a worker."""

    PENDING = "pending"
    """Does not run yet."""
    UNREADY = "unready"
    """Runs, and is a server that does not answer as ready."""
    RUNNING = "running"
    EXITED = "exited"
    """Ended by itself or by us; its exit code is known."""
    LOST = "lost"
    """Gone without an exit code."""


class WorkerEnd(StrEnum):
    """Why a worker ended."""

    EXITED = "exited"
    """By itself."""
    STOPPED = "stopped"
    """Because Medley asked for it."""
    TIME_LIMIT = "time-limit"
    MEMORY_LIMIT = "memory-limit"
    LOST = "lost"
    """Nothing recorded its end."""
    REJECTED = "rejected"
    """Its node or the cluster would not take it; nothing ran."""
    DISRUPTED = "disrupted"
    """The cluster took it away."""
    UNSTARTABLE = "unstartable"
    """Its image or its configuration cannot be used; nothing ran."""


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """The last known truth about one rank of an attempt."""

    rank: int
    phase: WorkerPhase
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    """Exit code, or minus the number of the signal that ended the worker."""
    end: WorkerEnd | None = None
    """With the phase PENDING: why it will never run."""
    detail: str | None = None
    """What the cluster said of it, for people, at most 500 characters."""
    address: str | None = None
    """Where a server is reached while it lives, as `host:port`."""


@dataclass(frozen=True, slots=True)
class WorkerRemark:
    """Something the cluster said of a worker, for the job's timeline."""

    rank: int | None
    """None where it concerns the whole gang."""
    text: str
    """At most 500 characters."""
    at: datetime


@dataclass(frozen=True, slots=True)
class SeenWorker:
    """A worker that a cluster has, or has kept the end of."""

    key: WorkerKey
    generation: int
    record: WorkerRecord


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What an attempt kept of itself, as it said: a later one can go on from there."""

    step: int
    at: datetime
    """When Medley heard of it."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The latest that was heard of an attempt whose runtime beats for it."""

    at: datetime
    memory_mib: int | None
    """Of the worker that uses most, as far as rank 0 knows."""
    device_memory_mib: int | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One life of a group. Its generation grows when the allocation changes without ending the attempt."""

    id: AttemptId
    group_id: GroupId
    number: int
    generation: int
    state: State
    stop_reason: StopReason | None
    allocations: tuple[Allocation, ...]
    notes: tuple[PlacementNote, ...]
    """Why each rank is where it is, in rank order."""
    workers: tuple[WorkerRecord, ...]
    """In rank order; empty until the workers were first seen."""
    placed_at: datetime
    started_at: datetime | None = None
    """When all workers were ready."""
    ended_at: datetime | None = None
    heartbeat: Heartbeat | None = None
    """None: its runtime has promised nothing."""
    checkpoint: Checkpoint | None = None
    """The newest of its own."""
    revision: int = 1
    """Which version of the job it was placed for."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of a training, sent by its rank 0."""

    step: int
    steps: int
    """0 where nobody knows how many there are."""
    loss: float | None
    """None: not a finite number, or nobody said."""
    tokens_per_s: float
    at: datetime
