"""Guarded writes about jobs. A batch goes in, one outcome per item comes out, in one transaction.

An item is refused on its own: the others of its batch are still written. Every written item but a RegisterRendezvous
adds entries to the change feed. When `write` returns, what was written is durable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.access.audit import Actor
from scheduler.core.model.attempt import ResizeStep, WorkerRecord, WorkerRemark
from scheduler.core.model.decision import Evicted, Placed, Refused, Resized
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import AttemptId, JobId, TenantName
from scheduler.core.model.job import Job, JobSpec
from scheduler.core.model.waiting.promise import Dropped, Promise
from scheduler.ports.workers.reports import Beat, RegisterRendezvous, ReportProgress

Guard = Callable[[object], None]
"""Asked within the transaction, with what is there, before it is written: it raises whatever is to stop the write.

It may be asked more than once.
"""


def unguarded(_present: object, /) -> None:
    """Let every write pass."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's own name for one submission, unique within its tenant."""

    key: str
    body_sha256: str
    """Of the submitted body; the same key with another body is refused."""


@dataclass(frozen=True, slots=True)
class SubmitJob:
    """Write a new job with its queued groups, one per replica.

    Refused: UNKNOWN_TENANT, UNKNOWN_CHIP, UNKNOWN_JOB, UNKNOWN_QUEUE, KEY_REUSED, TOO_MANY_JOBS, QUEUE_FULL,
    TOO_URGENT.
    """

    job: Job
    key: IdempotencyKey | None
    most_live_jobs: int
    """The most jobs a tenant may have that are not final; each replica of a server counts."""


@dataclass(frozen=True, slots=True)
class WishStop:
    """Cancel: a queued group ends now, a live one is stopped; without effect on a final one. Refused: NOT_FOUND."""

    job: JobId
    tenant: TenantName | None
    """The tenant the job must belong to; None for any."""
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ScaleJob:
    """Want so many replicas of a server: what is too much is stopped, what is missing is queued, what failed as well.

    Refused: NOT_FOUND, ILLEGAL (no server, or one that is over or to end), TOO_MANY_JOBS.
    """

    job: JobId
    tenant: TenantName | None
    """The tenant the job must belong to; None for any."""
    replicas: int
    """1 to MOST_REPLICAS."""
    most_live_jobs: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReviseJob:
    """Give a server a new version: its replicas are replaced by such ones, of those that serve one after the other.

    Refused: NOT_FOUND, ILLEGAL (no server, or one that is over or to end), STALE_VERSION.
    """

    job: JobId
    tenant: TenantName | None
    """The tenant the job must belong to; None for any."""
    spec: JobSpec
    """Asks for the same devices and places as the present one."""
    revision: int
    """The version that it was made from."""
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChangePriority:
    """Give a job another priority. Refused: NOT_FOUND, IS_OVER, TOO_URGENT (a lower one than now never is)."""

    job: JobId
    tenant: TenantName | None
    """The tenant the job must belong to; None for any."""
    priority: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WishWorkers:
    """Want so many workers at most for an elastic job; one that runs is brought to that by decisions.

    Refused: NOT_FOUND, IS_OVER, ILLEGAL (no elastic job, or a size that it cannot have).
    """

    job: JobId
    tenant: TenantName | None
    """The tenant the job must belong to; None for any."""
    workers: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Commit a placement, all ranks or none; the ranks are those of one of the job's options.

    Where the cluster binds devices, a rank names the slots of its whole devices, or one slot that it has a share of;
    elsewhere whole devices are only counted. A node takes work in the states of TAKES_WORK, and only its tenant's
    where it has one.

    Refused: STALE_EPOCH, STALE_VERSION, NO_CAPACITY, OVER_QUOTA, NOT_FOUND, ILLEGAL (no whole gang, a job that it
    comes after is not over as it must be, or so many jobs of its array hold something as may).
    """

    decision: Placed
    epoch: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Refuse:
    """Commit a refusal: the group fails. Refused: STALE_EPOCH, STALE_VERSION, NOT_FOUND."""

    decision: Refused
    epoch: int
    at: datetime


@dataclass(frozen=True, slots=True)
class KeepRoom:
    """Write that room is kept for a queued group, in place of what was. Refused: STALE_EPOCH, NOT_FOUND, ILLEGAL."""

    promise: Promise
    epoch: int
    at: datetime


@dataclass(frozen=True, slots=True)
class GiveRoomBack:
    """Write that no room is kept any more for a group. Unchanged where none was. Refused: STALE_EPOCH, NOT_FOUND."""

    dropped: Dropped
    epoch: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Evict:
    """Commit that an attempt is stopped for another gang's sake, of which it keeps the particulars.

    Refused: STALE_EPOCH, NOT_FOUND, STALE_VERSION (the group moved on since the decision), ILLEGAL.
    """

    decision: Evicted
    epoch: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Resize:
    """Commit another size of a gang that runs, as its attempt's next generation, all of it or nothing.

    What comes is taken. What is not needed any more stays held until its workers are proven gone (AdvanceResize).

    Refused: STALE_EPOCH, STALE_VERSION (it changed, is not running, or is still on its way to a generation),
    NO_CAPACITY, OVER_QUOTA, NOT_FOUND, ILLEGAL (no size that the job may have, or who stays would hold other than now).
    """

    decision: Resized
    epoch: int
    at: datetime


@dataclass(frozen=True, slots=True)
class AdvanceResize:
    """Write that an attempt came a step nearer to its latest generation: CALLED, or FREED, which gives back.

    Unchanged where that is known. Refused: STALE_EPOCH, NOT_FOUND, STALE_ATTEMPT (over, or another generation).
    """

    attempt: AttemptId
    generation: int
    step: ResizeStep
    epoch: int
    at: datetime
    workers: tuple[WorkerRecord, ...] = ()
    """Those that came, or that were too many."""


@dataclass(frozen=True, slots=True)
class Observe:
    """Write what was seen of an attempt: an event of its group, with what is known of its workers.

    An event that the transition table ignores is Unchanged, an illegal one is refused. GONE and ALL_SUCCEEDED release
    what the attempt held. Refused: STALE_EPOCH, NOT_FOUND, ILLEGAL, STALE_ATTEMPT (not the group's latest attempt, or
    another generation).
    """

    attempt: AttemptId
    generation: int
    event: Event
    reason: StopReason | None
    """For STOP."""
    workers: tuple[WorkerRecord, ...]
    epoch: int
    at: datetime
    detail: str | None = None
    """What the cluster said, at most 1,000 characters."""


MOST_REMARKS = 100
"""So many remarks about one attempt are kept: a worker that fails in a circle must not fill the change feed."""


@dataclass(frozen=True, slots=True)
class NoteWorkers:
    """Keep what a cluster said of an attempt's workers, whether or not the attempt is over.

    Unchanged once the attempt has MOST_REMARKS of them. Refused: STALE_EPOCH, NOT_FOUND.
    """

    attempt: AttemptId
    remarks: tuple[WorkerRemark, ...]
    epoch: int
    at: datetime


Edit = ChangePriority | ScaleJob | ReviseJob | WishWorkers
"""What changes a job that somebody may be looking at meanwhile."""
ByPeople = SubmitJob | WishStop | ScaleJob | ReviseJob
ByLeader = Place | Refuse | Evict | KeepRoom | GiveRoomBack | Resize | AdvanceResize | Observe | NoteWorkers
ByWorkers = RegisterRendezvous | ReportProgress | Beat
Write = ByPeople | ByLeader | ByWorkers


class Rejection(StrEnum):
    """Why an item was not written."""

    NOT_FOUND = "not-found"
    UNKNOWN_TENANT = "unknown-tenant"
    UNKNOWN_CHIP = "unknown-chip"
    UNKNOWN_JOB = "unknown-job"
    """A job that it is to come after; another tenant's is as unknown."""
    UNKNOWN_QUEUE = "unknown-queue"
    """A queue that it is to wait in; another tenant's is as unknown."""
    QUEUE_FULL = "queue-full"
    """So many jobs wait in its queue, or in one that it is in, as may."""
    TOO_URGENT = "too-urgent"
    """Its queue, or one that it is in, takes no jobs of such a priority."""
    KEY_REUSED = "key-reused"
    """The idempotency key came with another body before."""
    TOO_MANY_JOBS = "too-many-jobs"
    IS_OVER = "is-over"
    """The job is final."""
    STALE_EPOCH = "stale-epoch"
    """Somebody else leads."""
    STALE_VERSION = "stale-version"
    """The group changed since the decision."""
    STALE_ATTEMPT = "stale-attempt"
    """The attempt is not the live one."""
    NO_CAPACITY = "no-capacity"
    """A guarded counter or device slot of a node would be exceeded, or the node does not take such work."""
    OVER_QUOTA = "over-quota"
    ILLEGAL = "illegal"
    """The transition table forbids it, or it contradicts itself or its job."""


@dataclass(frozen=True, slots=True)
class Written:
    """The item is durable."""

    job: JobId
    state: State
    """The state of the job's group after it; for SubmitJob with a known key the state the job has now."""
    change: int
    """The number of the item's last change; for RegisterRendezvous that of the latest change there is."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing needed to be written: it was already true or there, or is a report too close to another."""

    job: JobId
    state: State


@dataclass(frozen=True, slots=True)
class Rejected:
    """The item was not written and left no trace."""

    why: Rejection
    detail: str = ""
    """Data for people, such as the name of the chip that is unknown."""


Outcome = Written | Unchanged | Rejected


class StorageUnavailable(Exception):
    """The database did not answer, or the bounded queue before it is full; nobody knows whether it was written."""


class Journal(Protocol):
    """Guarded writes about jobs."""

    def write(self, items: Sequence[Write]) -> list[Outcome]:
        """Write a batch of at most 1,000 items in one transaction; one outcome per item, in order.

        Raises StorageUnavailable where it is not known to be written; Medley never writes such a batch twice by itself.
        """
        ...

    def write_together(self, items: Sequence[SubmitJob]) -> list[Outcome]:
        """Write a batch of at most 1,000 items in one transaction, or nothing where one of them is refused.

        One outcome per item, in order; nothing was written where one is Rejected. Raises StorageUnavailable, as above.
        """
        ...

    def write_array(self, members: Sequence[SubmitJob]) -> list[Outcome]:
        """Write the jobs of one array, at most 10,000, in one transaction, or nothing where one of them is refused.

        The first one's key stands for all: where it is known, nothing is written and its outcome is the only one. Else
        there is one per member, in order. The audit trail tells of the first. Raises StorageUnavailable, as above.
        """
        ...

    def change(self, item: Edit, guard: Guard = unguarded) -> Outcome:
        """Write one item, unless the guard stops it, which is asked with what people change of the job (Job.edited).

        Raises StorageUnavailable, as above, and what the guard does.
        """
        ...

    def acting(self, actor: Actor) -> Self:
        """Return the journal whose writes are in somebody's name: each adds to the trail (ports.records.audit)."""
        ...
