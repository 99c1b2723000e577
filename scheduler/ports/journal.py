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
from scheduler.core.model.attempt import Progress, WorkerRecord, WorkerRemark
from scheduler.core.model.decision import Placed, Refused
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import AttemptId, JobId, TenantName
from scheduler.core.model.job import Job, JobSpec

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

    Refused: UNKNOWN_TENANT, UNKNOWN_CHIP, UNKNOWN_JOB, KEY_REUSED, TOO_MANY_JOBS.
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
    """Give a job another priority. Refused: NOT_FOUND, IS_OVER."""

    job: JobId
    tenant: TenantName | None
    """The tenant the job must belong to; None for any."""
    priority: int
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


@dataclass(frozen=True, slots=True)
class RegisterRendezvous:
    """Keep rank 0's address for the other ranks; a second registration replaces the first.

    It adds no change: nobody but those ranks asks for it. Its `Written.change` is the latest change there is.

    Refused: NOT_FOUND, STALE_ATTEMPT (closed, or another generation).
    """

    attempt: AttemptId
    generation: int
    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReportProgress:
    """Keep a training's report; of one attempt the latest 1,000 are kept.

    Unchanged where it is kept already, or was made less than 0.2 s from the attempt's latest kept one, and ever later
    as the attempt grows old, up to 30 s: every kept report stays in the change feed, and trainings may step faster than
    anybody looks. The report of the last step
    (`step` is `steps`) is kept nevertheless, unless the latest kept one is of a last step too.

    Refused: NOT_FOUND, STALE_ATTEMPT, ILLEGAL (a figure that is not finite).
    """

    attempt: AttemptId
    generation: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Beat:
    """Keep that an attempt was heard of, over the time before; each one counts, and none is an entry of the feed.

    Entries tell of what is new in it: progress, kept as ReportProgress keeps it, and a checkpoint that is further than
    the last one, unless it comes within a second of that: the next heartbeat tells of it again. Unchanged where neither
    is new.

    Refused: NOT_FOUND, STALE_ATTEMPT, ILLEGAL (a figure of the progress that is not finite).
    """

    attempt: AttemptId
    generation: int
    at: datetime
    reports: int = 0
    """How much its program reported of itself by now; 0: nothing, and nothing is expected of it."""
    memory_mib: int | None = None
    device_memory_mib: int | None = None
    progress: Progress | None = None
    checkpoint_step: int | None = None
    """The newest."""


Edit = ChangePriority | ScaleJob | ReviseJob
"""What changes a job that somebody may be looking at meanwhile."""
ByPeople = SubmitJob | WishStop | ScaleJob | ReviseJob
ByLeader = Place | Refuse | Observe | NoteWorkers
ByWorkers = RegisterRendezvous | ReportProgress | Beat
Write = ByPeople | ByLeader | ByWorkers


class Rejection(StrEnum):
    """Why an item was not written."""

    NOT_FOUND = "not-found"
    UNKNOWN_TENANT = "unknown-tenant"
    UNKNOWN_CHIP = "unknown-chip"
    UNKNOWN_JOB = "unknown-job"
    """A job that it is to come after; another tenant's is as unknown."""
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
