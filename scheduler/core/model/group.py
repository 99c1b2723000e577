"""A group is one gang of a job: placed, run and stopped as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from scheduler.core.model.identifiers import AttemptId, GroupId, JobId, attempt_id, group_id


class State(StrEnum):
    """What is true of a group. Devices are held exactly in PLACED, STARTING, RUNNING and STOPPING."""

    QUEUED = "queued"
    """Waits for devices; nothing is held."""
    PLACED = "placed"
    """Devices are held; no worker is known to exist yet."""
    STARTING = "starting"
    """All workers exist; not all are ready."""
    RUNNING = "running"
    """All workers are ready."""
    STOPPING = "stopping"
    """The attempt is over; devices stay held until its workers are proven gone."""
    SUCCEEDED = "succeeded"
    """Final: every worker ended with exit code 0."""
    FAILED = "failed"
    """Final: refused, or out of retries; a replica may be wanted again."""
    CANCELLED = "cancelled"
    """Final: the user asked for it; a replica may be wanted again."""


HOLDING = frozenset({State.PLACED, State.STARTING, State.RUNNING, State.STOPPING})
FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})


class StopReason(StrEnum):
    """Why an attempt is stopped, weakest first: a reason is only ever replaced by a stronger one.

    What the cluster did to a gang is stronger than what its program did: of a gang that lost a node the other workers
    fail too, and that is not the program's fault. `FAILURES` says what each is and what it costs.
    """

    PREEMPTED = "preempted"
    REPLACED = "replaced"
    START_REFUSED = "start-refused"
    STALLED = "stalled"
    SILENT = "silent"
    RESIZE_FAILED = "resize-failed"
    SERVER_ENDED = "server-ended"
    WORKER_FAILED = "worker-failed"
    OUT_OF_MEMORY = "out-of-memory"
    UNSTARTABLE = "unstartable"
    LOST = "lost"
    NODE_REJECTED = "node-rejected"
    DISRUPTED = "disrupted"
    TIME_LIMIT = "time-limit"
    SCALED_DOWN = "scaled-down"
    CANCELLED = "cancelled"


AT_ONCE = frozenset({StopReason.PREEMPTED, StopReason.REPLACED})
"""After which nothing is waited for: nothing failed."""
WISHES = frozenset({StopReason.SCALED_DOWN, StopReason.CANCELLED})
"""Why a group is stopped that its user does not want any more; they reach a queued one too."""


class FailureClass(StrEnum):
    """Whose doing the end of an attempt was."""

    WISH = "wish"
    """Somebody's who wanted it: nothing failed."""
    INFRASTRUCTURE = "infrastructure"
    """The cluster's: it did not run what it was asked to run."""
    DISRUPTED = "disrupted"
    """The cluster's: it took away what ran."""
    USER = "user"
    """The job's, by what it asked for: trying again would give the same."""
    PROGRAM = "program"
    """The program's."""


class Budget(StrEnum):
    """What the end of an attempt costs its job."""

    NONE = "none"
    """Nothing: it is tried again, after a failure later each time."""
    RETRIES = "retries"
    """One retry; the job fails when it has none left."""
    ALL = "all"
    """Everything: the job is over, however many retries it has left."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a stop reason means."""

    failure_class: FailureClass
    budget: Budget
    sentence: str
    """What happened, for the job's user, without a full stop."""


FAILURES: Mapping[StopReason, Failure] = MappingProxyType(
    {
        StopReason.PREEMPTED: Failure(
            FailureClass.WISH, Budget.NONE, "its devices were given to another job; no retry is charged"
        ),
        StopReason.REPLACED: Failure(
            FailureClass.WISH, Budget.NONE, "its job has a new version, as which it starts again"
        ),
        StopReason.START_REFUSED: Failure(
            FailureClass.INFRASTRUCTURE,
            Budget.NONE,
            "the cluster did not start it; no retry is charged",
        ),
        StopReason.STALLED: Failure(
            FailureClass.PROGRAM, Budget.RETRIES, "it reported no progress for longer than its stall_limit_s"
        ),
        StopReason.SILENT: Failure(
            FailureClass.PROGRAM, Budget.RETRIES, "its heartbeats stopped for longer than its silence_limit_s"
        ),
        StopReason.RESIZE_FAILED: Failure(
            FailureClass.INFRASTRUCTURE,
            Budget.NONE,
            "its workers did not come together in their new number; no retry is charged",
        ),
        StopReason.SERVER_ENDED: Failure(
            FailureClass.PROGRAM, Budget.RETRIES, "a worker of a server ended with exit code 0, and a server runs on"
        ),
        StopReason.WORKER_FAILED: Failure(
            FailureClass.PROGRAM, Budget.RETRIES, "a worker ended with an exit code other than 0"
        ),
        StopReason.OUT_OF_MEMORY: Failure(
            FailureClass.PROGRAM, Budget.RETRIES, "a worker used more memory than the job asked for"
        ),
        StopReason.UNSTARTABLE: Failure(
            FailureClass.USER,
            Budget.ALL,
            "the job's image or configuration cannot be used, and trying again would not help",
        ),
        StopReason.LOST: Failure(
            FailureClass.INFRASTRUCTURE,
            Budget.NONE,
            "a worker vanished without an exit code; no retry is charged",
        ),
        StopReason.NODE_REJECTED: Failure(
            FailureClass.INFRASTRUCTURE,
            Budget.NONE,
            "a node would not take a worker after all; no retry is charged",
        ),
        StopReason.DISRUPTED: Failure(
            FailureClass.DISRUPTED, Budget.NONE, "the cluster took a worker away; no retry is charged"
        ),
        StopReason.TIME_LIMIT: Failure(FailureClass.USER, Budget.ALL, "the job's time limit passed"),
        StopReason.SCALED_DOWN: Failure(FailureClass.WISH, Budget.ALL, "its job was given fewer replicas"),
        StopReason.CANCELLED: Failure(FailureClass.WISH, Budget.ALL, "it was cancelled"),
    }
)
"""The one table of what can end an attempt: whose doing it was, what it costs, and how the user is told."""


@dataclass(frozen=True, slots=True)
class Group:
    """One gang and where it stands."""

    id: GroupId
    job_id: JobId
    index: int
    state: State
    version: int
    """Grows with every change of state; a decision made on an older version is refused."""
    attempts: int
    """Attempts made so far; the latest one's number."""
    failures: int
    """Attempts that were charged against the job's retries."""
    stop_reason: StopReason | None = None
    """Set in STOPPING, and kept in FAILED and CANCELLED."""
    not_before: datetime | None = None
    """While QUEUED after a failure: no new attempt before this."""
    preemptions: int = 0
    """How often an attempt of it was stopped for another gang: it is left alone for longer after each time."""

    @property
    def next_attempt(self) -> AttemptId:
        """The id of the attempt that placing this group would make."""
        return attempt_id(self.id, self.attempts + 1)

    @property
    def latest_attempt(self) -> AttemptId:
        """The id of the latest attempt; only meaningful once one was made."""
        return attempt_id(self.id, self.attempts)


def first_group(job: JobId, index: int) -> Group:
    """Return a job's group as it is before anything became of it."""
    return Group(group_id(job, index), job, index, State.QUEUED, version=1, attempts=0, failures=0)
