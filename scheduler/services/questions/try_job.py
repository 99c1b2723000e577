"""What would become of a job, asked without submitting it."""

from dataclasses import dataclass

from scheduler.core.deciding.prospect import Prospect, prospect_of
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.group import FINAL
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.job import Job, JobSpec
from scheduler.ports.clock import Clock, IdentifierSource
from scheduler.ports.cluster import Clusters
from scheduler.ports.journal import Rejected, Rejection
from scheduler.ports.views import Views
from scheduler.services.follow_changes import FollowedState
from scheduler.services.submit_job import MOST_LIVE_JOBS, NotOffered, Submission, draft_job


@dataclass(frozen=True, slots=True)
class Tried:
    """What would become of a job, as of a change number."""

    job: Job
    """As it would be kept; its id is nobody's."""
    prospect: Prospect
    change: int
    age_s: float


def try_job(
    followed: FollowedState,
    clock: Clock,
    identifiers: IdentifierSource,
    submission: Submission,
    *,
    views: Views,
    clusters: Clusters = (),
    jobs: int = 1,
) -> Tried | NotOffered | Rejected:
    """Say whether a submission would be accepted, and where it would run now or why not. Nothing is written.

    One of an array of so many `jobs` is asked about as its first one.

    Raises StorageUnavailable.
    """
    job = draft_job(clock, identifiers, submission, clusters=clusters)
    if isinstance(job, NotOffered):
        return job
    for one in job.spec.after:
        named = views.job(one.job, tenant=submission.tenant)
        if named is None:
            return Rejected(Rejection.UNKNOWN_JOB, one.job)
        job = job.with_settled(one.job, named.state) if named.state in FINAL else job
    followed.follow()
    with followed.hold() as state:
        refused = _refusal(state, submission.tenant, job.spec, jobs)
        if refused is not None:
            return refused
        return Tried(job, prospect_of(state, job), followed.change, followed.age_s)


def _refusal(state: SchedulerState, tenant: TenantName, spec: JobSpec, jobs: int) -> Rejected | None:
    """Return what the journal would refuse the job for."""
    for chip in dict.fromkeys(part.chip for option in spec.options() for part in option if part.chip is not None):
        if chip not in state.chips:
            return Rejected(Rejection.UNKNOWN_CHIP, chip)
    if sum(job.replicas for job in state.jobs.values() if job.tenant == tenant) + spec.replicas * jobs > MOST_LIVE_JOBS:
        return Rejected(Rejection.TOO_MANY_JOBS, str(MOST_LIVE_JOBS))
    return None
