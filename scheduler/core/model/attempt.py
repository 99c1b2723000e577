"""An attempt is one life of a group: its allocation, and what was seen of its workers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.core.model.asking.grounds import Grounds
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import AttemptId, ChipName, GroupId, NodeId, WorkerKey
from scheduler.core.model.reason import PlacementNote
from scheduler.core.model.resources import MAIN_ROLE, WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.eviction import Eviction, GivenTo

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
    since: int = FIRST_GENERATION
    """The generation that its worker came with."""
    number: int | None = None
    """Of its worker, where that is not the rank: no worker of an attempt ever gets the number of another."""
    compute_milli: int = 0
    """Thousandths of units of COMPUTE that it counts as, from its placement to its end: see `dues.compute`."""

    @property
    def worker(self) -> int:
        """The number of its worker within the attempt; the rank, but for workers that came later."""
        return self.rank if self.number is None else self.number

    @property
    def devices(self) -> int:
        """How many whole devices are held."""
        return 0 if self.share_milli else len(self.slots) + self.counted

    @property
    def devices_milli(self) -> int:
        """The held devices in thousandths."""
        return self.share_milli or (len(self.slots) + self.counted) * WHOLE_DEVICE_MILLI


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
    """The last known truth about one worker of an attempt."""

    rank: int
    """Its number within the attempt (`Allocation.worker`)."""
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


class ResizeStep(StrEnum):
    """How a gang gets to its next generation."""

    CALLED = "called"
    """All workers of the next generation run: those there were are asked to save, to leave and to meet anew."""
    MET = "met"
    """Rank 0 was heard of as one of the next generation: the gang goes on."""
    FREED = "freed"
    """The workers that are too many are proven gone, and what they held is given back."""


@dataclass(frozen=True, slots=True)
class Resizing:
    """How far an attempt is with its latest generation; in one that never changed all of it is as at first."""

    called: int = FIRST_GENERATION
    """The generation that its workers were asked to be of last."""
    met: int = FIRST_GENERATION
    """The generation that its rank 0 was last heard as one of."""
    surplus: tuple[Allocation, ...] = ()
    """What workers that are too many still hold, by worker."""
    began_at: datetime | None = None
    """When the latest generation was decided on; None for the first."""
    numbers: int = 0
    """So many numbers were given to workers, from 0; 0 in the first generation, where they are the ranks."""
    given_to: GivenTo | None = None
    """For whom the latest generation has fewer workers, where that is for somebody."""

    def is_under_way(self, generation: int) -> bool:
        """Say whether the attempt of this generation is still on its way there."""
        return self.met != generation or bool(self.surplus)


NEVER_RESIZED = Resizing()


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
    grounds: Grounds | None = None
    """What its placement rested on; None where nobody noted that."""
    resizing: Resizing = NEVER_RESIZED
    eviction: Eviction | None = None
    """For whom it was stopped, where it was for somebody."""
    stop_by: datetime | None = None
    """When it is stopped if somebody then needs the room, which is kept for others; None: it took none of that."""

    @property
    def worker_numbers(self) -> tuple[int, ...]:
        """The numbers of its workers that are known, of all its generations."""
        return tuple(sorted({held.worker for held in self.allocations} | {seen.rank for seen in self.workers}))


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
