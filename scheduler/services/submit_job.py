"""Accept a job: durable before the answer, the same submission never twice."""

from dataclasses import dataclass, replace

from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.job import Job, JobSpec
from scheduler.ports.clock import Clock, IdentifierSource
from scheduler.ports.cluster import Clusters
from scheduler.ports.journal import IdempotencyKey, Journal, Outcome
from scheduler.ports.journal import SubmitJob as SubmitJobWrite
from scheduler.ports.telling.tracing import carried

MOST_LIVE_JOBS = 20_000
"""The most jobs of one tenant that are not final."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a tenant hands in."""

    tenant: TenantName
    by: str
    spec: JobSpec
    key: IdempotencyKey | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a submission."""

    job: Job
    """The job as it was handed over; another one answers where `outcome` is Unchanged."""
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class NotOffered:
    """No cluster would ever run the job; nothing was written."""

    objections: tuple[str, ...]
    """What each cluster has against it, for people."""


def submit_job(
    journal: Journal,
    clock: Clock,
    identifiers: IdentifierSource,
    submission: Submission,
    *,
    clusters: Clusters = (),
) -> Accepted | NotOffered:
    """Write the job and its queued group in one transaction, unless all of `clusters` object to it.

    Those that object are kept with the job, which is never placed there.

    The outcome Unchanged means that the same submission is already there, under the job id it names.
    Raises StorageUnavailable; then the client may repeat the call under its idempotency key.
    """
    job = draft_job(clock, identifiers, submission, clusters=clusters)
    if isinstance(job, NotOffered):
        return job
    return Accepted(job, journal.write([SubmitJobWrite(job, submission.key, MOST_LIVE_JOBS)])[0])


def draft_job(
    clock: Clock, identifiers: IdentifierSource, submission: Submission, *, clusters: Clusters = ()
) -> Job | NotOffered:
    """Return the job that a submission would make, with those of `clusters` that object to it, unless all do."""
    job = Job(
        id=identifiers.new_job_id(),
        tenant=submission.tenant,
        spec=submission.spec,
        submitted_by=submission.by,
        submitted_at=clock.now(),
        traceparent=carried(),
    )
    objections = {cluster.name: said for cluster in clusters if (said := cluster.objection(job)) is not None}
    if objections and len(objections) == len(clusters):
        return NotOffered(tuple(objections.values()))
    return replace(job, spec=replace(job.spec, objecting_clusters=tuple(sorted(objections))))
