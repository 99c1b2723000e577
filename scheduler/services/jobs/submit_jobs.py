"""Accept many jobs together: all of them are durable before the answer, or none is."""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.core.model.job import Job
from scheduler.ports.clock import Clock, IdentifierSource
from scheduler.ports.cluster import Clusters
from scheduler.ports.journal import IdempotencyKey, Journal, Rejected, SubmitJob, Unchanged, Written
from scheduler.services.submit_job import MOST_LIVE_JOBS, NotOffered, Submission, draft_job

MOST_TOGETHER = 500
"""The most jobs of one submission."""


@dataclass(frozen=True, slots=True)
class NotTogether:
    """One of the jobs was refused; nothing was written."""

    index: int
    """Which, from 0."""
    why: Rejected | NotOffered


@dataclass(frozen=True, slots=True)
class AcceptedTogether:
    """All of the jobs are durable."""

    jobs: tuple[Job, ...]
    """As they were handed over; another one answers where its outcome is Unchanged."""
    outcomes: tuple[Written | Unchanged, ...]


def submit_jobs(
    journal: Journal,
    clock: Clock,
    identifiers: IdentifierSource,
    submissions: Sequence[Submission],
    *,
    clusters: Clusters = (),
) -> AcceptedTogether | NotTogether:
    """Write the jobs and their queued groups in one transaction, or nothing where one of them is refused.

    Raises StorageUnavailable; then the client may repeat the call under its idempotency keys.
    """
    drafts: list[Job] = []
    for index, submission in enumerate(submissions):
        drafted = draft_job(clock, identifiers, submission, clusters=clusters)
        if isinstance(drafted, NotOffered):
            return NotTogether(index, drafted)
        drafts.append(drafted)
    items = [SubmitJob(job, one.key, MOST_LIVE_JOBS) for job, one in zip(drafts, submissions, strict=True)]
    outcomes = journal.write_together(items)
    kept: list[Written | Unchanged] = []
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, Rejected):
            return NotTogether(index, outcome)
        kept.append(outcome)
    return AcceptedTogether(tuple(drafts), tuple(kept))


def key_of_part(key: IdempotencyKey, index: int) -> IdempotencyKey:
    """Return the key of one job of a submission of many. Clients' own keys are ASCII: none is such a one."""
    return IdempotencyKey(f"{key.key}·{index}", key.body_sha256)
