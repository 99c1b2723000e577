"""Many jobs at once, and changes of one that is there."""

from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from api.schemas.job_request import JobRequest, Priority
from api.schemas.placement import WorkerCount
from api.schemas.queries import JobFilterQuery
from api.schemas.text import ID_PATTERN, Answer, Body, Cursor, with_examples
from scheduler.core.model.group import State
from scheduler.services.jobs.submit_jobs import MOST_TOGETHER

MOST_CANCELLED = 1000
MOST_OVERRIDES = 64
_JOB = {"name": "seed-1", "workers": 1, "chips": "h100-sxm", "command": ["python", "train.py", "--seed", "1"]}

JobId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]


class JobsRequest(Body):
    """Jobs that are submitted together, or not at all."""

    model_config = with_examples({"jobs": [_JOB, {**_JOB, "name": "seed-2"}]})

    jobs: Annotated[tuple[JobRequest, ...], Field(min_length=1, max_length=MOST_TOGETHER)]

    def body_sha256(self) -> str:
        """Return the hash of what was asked, equal for equal jobs in the same order."""
        return sha256(" ".join(job.body_sha256() for job in self.jobs).encode()).hexdigest()


class SubmittedJobAnswer(Answer):
    """One job of many."""

    id: str
    name: str
    state: State


class SubmittedJobsAnswer(Answer):
    """Jobs that were submitted together, in the order of the request."""

    model_config = with_examples({"items": [{"id": "01jd3v9k2m0a7b4c", "name": "seed-1", "state": "queued"}]})

    items: tuple[SubmittedJobAnswer, ...]


class CancelRequest(Body):
    """Which jobs are to end: those that are named, or those that meet a filter."""

    model_config = with_examples(
        {"jobs": ["01jd3v9k2m0a7b4c"]},
        {"filter": {"label": "sweep:a"}, "limit": 500},
    )

    jobs: Annotated[tuple[JobId, ...], Field(min_length=1, max_length=MOST_CANCELLED)] | None = None
    filter: JobFilterQuery | None = Field(
        default=None, description="Unfinished jobs that meet all of it; an empty one means all of the tenant's."
    )
    limit: Annotated[int, Field(ge=1, le=MOST_CANCELLED, strict=True)] = Field(
        default=MOST_CANCELLED, description="With `filter`: so many at most by this request, the newest ones first."
    )
    cursor: Cursor | None = Field(default=None, description="With `filter`: `next` of the answer before.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.jobs is None) == (self.filter is None):
            raise ValueError("give either jobs or filter")
        if self.jobs is not None and self.cursor is not None:
            raise ValueError("cursor goes with filter only")
        return self


class CancelledJobAnswer(Answer):
    """What became of one job's cancellation."""

    id: str
    outcome: Literal["cancelled", "stopping", "unchanged", "not-found"]
    """Cancelled now; its workers are being stopped; it was over, or on its way to that, already; there is no such."""


class CancelAnswer(Answer):
    """What became of each job."""

    model_config = with_examples({"items": [{"id": "01jd3v9k2m0a7b4c", "outcome": "stopping"}], "next": None})

    items: tuple[CancelledJobAnswer, ...]
    next: str | None
    """With a filter: where to go on, for there may be more; null where all were looked at."""


class JobPatch(Body):
    """What is to be otherwise in a job: one thing at a time."""

    model_config = with_examples({"priority": 10}, {"workers": 2})

    priority: Priority | None = None
    workers: WorkerCount | None = Field(
        default=None, description="Of an elastic job: so many at most. One that runs is given more or fewer for it."
    )

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.priority is None) == (self.workers is None):
            raise ValueError("give either priority or workers")
        return self


class CloneRequest(Body):
    """What is to be otherwise in the new job."""

    model_config = with_examples({"overrides": {"name": "second", "priority": 10}})

    overrides: Annotated[dict[str, Any], Field(max_length=MOST_OVERRIDES)] = Field(
        default_factory=dict,
        description="Fields of a submission, each in place of the job's own; null is as if it were left out.",
    )
