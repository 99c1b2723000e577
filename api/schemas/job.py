"""A job as the API shows it: what was asked, what is true, and why."""

from typing import Any, Literal

from api.schemas.arrays.answers import ArrayMemberAnswer, ArrayProspectAnswer
from api.schemas.reason import EstimateAnswer, ReasonAnswer, RemedyAnswer
from api.schemas.serving.answers import ReplicaCountAnswer, ReplicaProspectAnswer
from api.schemas.spec import SPEC_EXAMPLE, ShareAnswer, SpecAnswer
from api.schemas.text import Answer, Moment, with_examples
from api.schemas.waiting.standings import STANDING_EXAMPLE, GroundsAnswer, StandingAnswer
from api.schemas.waiting.starts import StartAnswer
from scheduler.core.model.attempt import WorkerEnd, WorkerPhase
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import JobKind, Wish
from scheduler.core.model.sharing.eviction import EvictionCause

MOST_ATTEMPTS = 20
"""Shown of one job. Its schema allows eleven that count; starts that the cluster refused come on top."""

JOB_EXAMPLE: dict[str, Any] = {
    "id": "01jd3v9k2m0a7b4c",
    "tenant": "demo",
    "name": "first",
    "kind": "training",
    "state": "running",
    "wish": "run",
    "submitted_by": "ada",
    "submitted_at": "2026-01-01T00:00:00.000000Z",
    "finished_at": None,
    "spec": SPEC_EXAMPLE,
    "reasons": [],
    "stop": None,
    "attempts": [
        {
            "id": "01jd3v9k2m0a7b4c-g0-a1",
            "number": 1,
            "replica": 0,
            "generation": 1,
            "state": "running",
            "stop_reason": None,
            "placed_at": "2026-01-01T00:00:00.020000Z",
            "started_at": "2026-01-01T00:00:01.500000Z",
            "ended_at": None,
            "heartbeat": {"at": "2026-01-01T00:00:02.000000Z", "memory_mib": 512, "device_memory_mib": None},
            "checkpoint": {"step": 8, "at": "2026-01-01T00:00:01.900000Z"},
            "eviction": None,
            "workers": [
                {
                    "rank": 0,
                    "number": 0,
                    "node": "mixed/nvidia-1",
                    "chip": "h100-sxm",
                    "role": "worker",
                    "devices": [0, 1],
                    "devices_counted": 0,
                    "share": None,
                    "cpu_milli": 1000,
                    "memory_mib": 4096,
                    "phase": "running",
                    "exit_code": None,
                    "end": None,
                    "detail": None,
                    "started_at": "2026-01-01T00:00:01.200000Z",
                    "ended_at": None,
                    "why": "tightest fit in rack r1: 2 of 8 h100-sxm were free and 0 stay free",
                }
            ],
            "is_resizing": False,
        }
    ],
    "progress": {"step": 10, "steps": 60, "loss": 2.31, "tokens_per_s": 51234.0, "at": "2026-01-01T00:00:02.000000Z"},
    "resume": {"is_possible": True, "step": 8, "text": "a retry goes on from step 8, which attempt 1 saved"},
    "not_before": None,
    "retries_used": 0,
    "replicas": None,
    "array": None,
    "starts": None,
}
JOB_ROW_EXAMPLE: dict[str, Any] = {
    **{key: JOB_EXAMPLE[key] for key in ("id", "tenant", "name", "kind", "state", "submitted_by", "submitted_at")},
    "priority": 0,
    "workers": 4,
    "devices": 8,
    "chips": ["h100-sxm", "mi300x"],
    "mix": {"h100-sxm": 2, "mi300x": 2},
    "finished_at": None,
    "attempts": 1,
    "stop_reason": None,
    "progress": JOB_EXAMPLE["progress"],
    "replicas": None,
    "array": None,
    "starts": None,
}


class StopAnswer(Answer):
    """Why the latest attempt was stopped."""

    reason: StopReason
    text: str
    detail: str | None
    """What the cluster said."""


class WorkerAnswer(Answer):
    """One rank of an attempt: where it is, what is known of it, and why it is there."""

    rank: int
    number: int
    """Of the worker within its attempt: its rank, but for workers that came later. Its output has this number."""
    role: str
    """`worker`, or the name of one of the job's roles."""
    node: str
    chip: str | None
    """Null for a worker without devices."""
    devices: tuple[int, ...]
    """Numbers of the devices on its node that it holds; of one device a part where there is a share."""
    devices_counted: int
    """Whole devices that it holds without a number, for the cluster picks them."""
    share: ShareAnswer | None
    cpu_milli: int
    memory_mib: int
    phase: WorkerPhase
    exit_code: int | None
    """Exit code, or minus the number of the signal that ended the worker."""
    end: WorkerEnd | None
    detail: str | None
    """What the cluster said about it, where it said something."""
    started_at: Moment | None
    ended_at: Moment | None
    why: str


class HeartbeatStateAnswer(Answer):
    """The latest that was heard of an attempt."""

    at: Moment
    memory_mib: int | None
    """Of the worker that uses most, as far as its rank 0 knows."""
    device_memory_mib: int | None


class CheckpointAnswer(Answer):
    """What an attempt kept of itself."""

    step: int
    at: Moment


class ResumeAnswer(Answer):
    """Where a retry would go on."""

    is_possible: bool | None
    """False: what its workers save is gone with them. Null: this server does not know its cluster."""
    step: int | None
    """Of the newest checkpoint; null where none is known."""
    text: str


class EvictionAnswer(Answer):
    """For whom an attempt was stopped."""

    job: str
    """One that asks for the same may have got its devices."""
    tenant: str
    """That job's."""
    cause: EvictionCause
    priority: int
    """Of that job, when it was decided."""
    own_priority: int
    devices_milli: int
    """Thousandths of devices that the attempt held."""
    unsaved_s: float
    """How long it had run since it last saved itself; what it saved in its grace is not lost."""
    text: str


class AttemptAnswer(Answer):
    """One life of the gang."""

    id: str
    number: int
    """From 1, within its replica."""
    replica: int
    """Of an inference job; 0 for a training."""
    generation: int
    state: State
    stop_reason: StopReason | None
    placed_at: Moment
    started_at: Moment | None
    ended_at: Moment | None
    heartbeat: HeartbeatStateAnswer | None
    """Null where its runtime sends none."""
    checkpoint: CheckpointAnswer | None
    """The newest of its own."""
    eviction: EvictionAnswer | None
    """Null where it was not stopped for another job."""
    stop_by: Moment | None = None
    """When it is stopped if another job then needs the room, which is kept for it; null where it took none of that."""
    grounds: GroundsAnswer | None = None
    """What its placement rested on; null for attempts from before that was kept."""
    workers: tuple[WorkerAnswer, ...]
    is_resizing: bool
    """Its gang is on its way to this generation: workers come, meet anew, or leave."""


class ProgressAnswer(Answer):
    """One report of a training."""

    step: int
    steps: int
    """0 where nobody knows how many there are."""
    loss: float | None
    """Null where it is no finite number, or nobody said."""
    tokens_per_s: float
    at: Moment


class JobAnswer(Answer):
    """A job and what became of it."""

    model_config = with_examples(JOB_EXAMPLE)

    id: str
    tenant: str
    name: str
    kind: JobKind
    state: State
    wish: Wish
    submitted_by: str
    submitted_at: Moment
    finished_at: Moment | None
    spec: SpecAnswer
    reasons: tuple[ReasonAnswer, ...]
    """Why it waits or was refused. Empty in the answer to a submission that does not wait for the decision, and in a
    list for all but the first 20 waiting jobs."""
    stop: StopAnswer | None
    attempts: tuple[AttemptAnswer, ...]
    """The latest 20, oldest first; in a list of jobs only the latest one."""
    progress: ProgressAnswer | None
    resume: ResumeAnswer | None
    """Null once the job is over."""
    not_before: Moment | None
    """No new attempt before this."""
    retries_used: int
    replicas: ReplicaCountAnswer | None
    """Of an inference job; null for a training."""
    array: ArrayMemberAnswer | None
    """Where it is one of an array's jobs."""
    starts: StartAnswer | None = None
    """When it is expected to start, where it waits and that is known."""


DryRunOutcome = Literal["placed", "partly", "waits", "refused"]


class DryRunAnswer(Answer):
    """What would become of a job that is handed in now. Nothing of it is kept."""

    model_config = with_examples(
        {
            "outcome": "placed",
            "text": "It would be placed at once, on mixed/nvidia-1.",
            "next": "submit it",
            "remedies": [],
            "spec": SPEC_EXAMPLE,
            "workers": JOB_EXAMPLE["attempts"][0]["workers"],
            "replicas": None,
            "array": None,
            "reasons": [],
            "position": None,
            "standing": STANDING_EXAMPLE,
            "objecting_clusters": [],
            "estimate": None,
            "change": 1204,
            "age_s": 0.002,
        }
    )

    outcome: DryRunOutcome
    """Refused is what no cluster could hold if nothing ran; such a job is accepted and fails at once. Partly is a
    server, or an array, of which some replicas or jobs would be placed and others would wait for room."""
    text: str
    next: str | None
    """What the user can do about it."""
    remedies: tuple[RemedyAnswer, ...]
    """Changes of the job that would help it, each by itself, the smallest first; empty where it has a place."""
    spec: SpecAnswer
    """What was understood, complete with defaults."""
    workers: tuple[WorkerAnswer, ...]
    """Where each rank would be, and why there; of a server or an array those of its first gang. Empty: no place now."""
    replicas: ReplicaProspectAnswer | None
    """Of an inference job; null for a training."""
    array: ArrayProspectAnswer | None
    """Null for what is no array."""
    reasons: tuple[ReasonAnswer, ...]
    """Why it would wait or be refused; where some of many would be placed, why the next one would wait beside them."""
    position: int | None
    """In the queue, from 1; null where nothing would wait."""
    standing: StandingAnswer | None = None
    """What its place in the queue would rest on."""
    objecting_clusters: tuple[str, ...]
    """Clusters that would not run it, and are left out."""
    estimate: EstimateAnswer | None
    """When the first that would wait is expected to start; null where it would be refused, or nobody can say."""
    change: int
    """The change this is as of."""
    age_s: float
    """Seconds since this was last compared with the database."""


class JobPage(Answer):
    """Jobs, newest first."""

    model_config = with_examples({"items": [JOB_EXAMPLE], "next": None})

    items: tuple[JobAnswer, ...]
    next: str | None
    """Cursor of the next page; null on the last one."""


class JobRowAnswer(Answer):
    """A job in short: what a table of many jobs shows."""

    id: str
    tenant: str
    name: str
    kind: JobKind
    state: State
    priority: int
    workers: int
    """Of all roles and replicas, in the size that is liked best."""
    devices: int
    """Whole ones that they ask for in all, in that size."""
    chips: tuple[str, ...]
    """The chip types it accepts, best first."""
    mix: dict[str, int] | None
    """How many workers on each chip type, where it runs on several at once."""
    submitted_by: str
    submitted_at: Moment
    finished_at: Moment | None
    attempts: int
    stop_reason: StopReason | None
    """Why the latest attempt was stopped."""
    progress: ProgressAnswer | None
    """The latest report, while it runs."""
    replicas: ReplicaCountAnswer | None
    """Of an inference job; null for a training."""
    array: str | None
    """The id of the array that it is of."""
    starts: StartAnswer | None = None
    """When it is expected to start, where it waits and that is known."""


class JobRowPage(Answer):
    """Jobs in short, newest first."""

    model_config = with_examples({"items": [JOB_ROW_EXAMPLE], "next": None})

    items: tuple[JobRowAnswer, ...]
    next: str | None
    """Cursor of the next page; null on the last one."""


class ProgressPage(Answer):
    """Reports of one attempt, oldest first."""

    model_config = with_examples({"items": [JOB_EXAMPLE["progress"]]})

    items: tuple[ProgressAnswer, ...]


class LogEntryAnswer(Answer):
    """New output of one rank."""

    attempt: int
    rank: int
    text: str
    skipped_bytes: int
    """Older output that the cluster no longer keeps, lost between the last read and this one."""


class LogPageAnswer(Answer):
    """What workers printed since the cursor; ask again with `next` to follow."""

    model_config = with_examples(
        {
            "entries": [{"attempt": 1, "rank": 0, "text": "step 10 of 60: loss 2.31\n", "skipped_bytes": 0}],
            "next": "1.0:24",
            "is_complete": False,
        }
    )

    entries: tuple[LogEntryAnswer, ...]
    next: str
    is_complete: bool
    """The attempt is over and everything was read."""
