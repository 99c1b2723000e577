"""What would become of a job, asked without submitting it."""

from dataclasses import dataclass

from scheduler.core.deciding.prospect import Prospect, prospect_of
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.job_state import job_state
from scheduler.core.model.group import FINAL, State
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.job import MOST_REPLICAS, ArrayWish, Dependency, Job, JobSpec
from scheduler.ports.clock import Clock, IdentifierSource
from scheduler.ports.cluster import Clusters
from scheduler.ports.journal import Rejected, Rejection
from scheduler.ports.views import JobFilter, Views
from scheduler.services.follow_changes import FollowedState
from scheduler.services.questions.advise import NO_ADVICE, Advice, advise
from scheduler.services.submit_job import MOST_LIVE_JOBS, NotOffered, Submission, draft_job

MOST_JOBS_TRIED = MOST_REPLICAS
"""Of an array: while they are tried nothing else looks at the state, and one that keeps apart of all before it takes
the longer the more they are."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What would become of a job, as of a change number."""

    job: Job
    """As it would be kept; its id is nobody's. Of an array it is one of all."""
    array: ArrayWish | None
    jobs: int
    """So many were tried: 1, or those of an array that may run at once, MOST_JOBS_TRIED at most."""
    prospect: Prospect
    advice: Advice
    """What would help it, where it has no place."""
    change: int
    age_s: float

    @property
    def wanted(self) -> int:
        """How many gangs there are to be: one of a training, one per replica of a server, or job of an array."""
        return self.job.replicas if self.array is None else self.array.count


def try_job(
    followed: FollowedState,
    clock: Clock,
    identifiers: IdentifierSource,
    submission: Submission,
    *,
    views: Views,
    clusters: Clusters = (),
    array: ArrayWish | None = None,
) -> Tried | NotOffered | Rejected:
    """Say whether a submission would be accepted, and where it would run now or why not. Nothing is written.

    Of an array so many jobs are tried as may run at once, MOST_JOBS_TRIED at most, up to the first without a place.

    Raises StorageUnavailable.
    """
    job = draft_to_try(clock, identifiers, submission, views=views, clusters=clusters)
    if isinstance(job, NotOffered | Rejected):
        return job
    followed.follow()
    with followed.hold() as state:
        refused = refusal_of(state, submission.tenant, job.spec, 1 if array is None else array.count)
        if refused is not None:
            return refused
        jobs = 1 if array is None else min(array.at_once, MOST_JOBS_TRIED)
        prospect = prospect_of(state, job, clock.now(), jobs=jobs)
        change, age_s = followed.change, followed.age_s
    advice = NO_ADVICE if prospect.places else advise(followed, job, prospect.reasons, clock.now())
    return Tried(job, array, jobs, prospect, advice, change, age_s)


def draft_to_try(
    clock: Clock, identifiers: IdentifierSource, submission: Submission, *, views: Views, clusters: Clusters = ()
) -> Job | NotOffered | Rejected:
    """Return a submission as the job it would be, with what became of those that it comes after; or why it is none.

    Raises StorageUnavailable.
    """
    job = draft_job(clock, identifiers, submission, clusters=clusters)
    if isinstance(job, NotOffered):
        return job
    for one in job.spec.after:
        became = _state_of(views, one, submission.tenant)
        if became is None:
            return Rejected(Rejection.UNKNOWN_JOB, one.job)
        job = job.with_settled(one.job, became) if became in FINAL else job
    return job


def _state_of(views: Views, one: Dependency, tenant: TenantName) -> State | None:
    """Return what a job or an array is that another is to come after; None where the tenant has none such."""
    if not one.is_array:
        job = views.job(one.job, tenant=tenant)
        return None if job is None else job.state
    arrays = views.arrays(JobFilter(tenant=tenant, array=one.job), before=None, limit=1)
    return job_state([state for state, _ in arrays[0].states]) if arrays else None


def refusal_of(state: SchedulerState, tenant: TenantName, spec: JobSpec, jobs: int) -> Rejected | None:
    """Return what the journal would refuse the job for."""
    for chip in dict.fromkeys(part.chip for option in spec.options() for part in option if part.chip is not None):
        if chip not in state.chips:
            return Rejected(Rejection.UNKNOWN_CHIP, chip)
    queue = state.sharing.tree.queues.get(spec.queue or tenant)
    if spec.queue is not None and (queue is None or queue.tenant != tenant):
        return Rejected(Rejection.UNKNOWN_QUEUE, spec.queue)
    if (urgent := state.sharing.too_urgent(spec.queue or tenant, spec.priority)) is not None:
        return Rejected(Rejection.TOO_URGENT, f"{urgent.caps.highest_priority} in {urgent.name}")
    if sum(job.replicas for job in state.jobs.values() if job.tenant == tenant) + spec.replicas * jobs > MOST_LIVE_JOBS:
        return Rejected(Rejection.TOO_MANY_JOBS, str(MOST_LIVE_JOBS))
    return None
