"""A group is one gang of a job: placed, run and stopped as a whole."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.core.model.identifiers import AttemptId, GroupId, JobId, attempt_id


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
    """Final: refused, or out of retries."""
    CANCELLED = "cancelled"
    """Final: the user asked for it."""


HOLDING = frozenset({State.PLACED, State.STARTING, State.RUNNING, State.STOPPING})
FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})


class StopReason(StrEnum):
    """Why an attempt is stopped, weakest first: a reason is only ever replaced by a stronger one."""

    PREEMPTED = "preempted"
    """Its devices were given to another; no retry is charged."""
    START_REFUSED = "start-refused"
    """The cluster refused to start it; nothing ran, no retry is charged."""
    LOST = "lost"
    """A worker vanished without an exit code."""
    WORKER_FAILED = "worker-failed"
    """A worker ended with an exit code other than 0."""
    OUT_OF_MEMORY = "out-of-memory"
    """A worker used more memory than its job asked for."""
    TIME_LIMIT = "time-limit"
    """The job's time limit passed; never retried."""
    CANCELLED = "cancelled"
    """The user asked for it; never retried."""


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

    @property
    def next_attempt(self) -> AttemptId:
        """The id of the attempt that placing this group would make."""
        return attempt_id(self.id, self.attempts + 1)

    @property
    def latest_attempt(self) -> AttemptId:
        """The id of the latest attempt; only meaningful once one was made."""
        return attempt_id(self.id, self.attempts)
