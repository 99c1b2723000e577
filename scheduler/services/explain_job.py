"""Why jobs wait, answered from the followed state."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from scheduler.core.deciding.explanation import Explanation, explain_all
from scheduler.core.model.identifiers import JobId
from scheduler.ports.clock import Clock
from scheduler.services.follow_changes import FollowedState


@dataclass(frozen=True, slots=True)
class JobExplanation:
    """What blocks a job's queued groups, as of a change number."""

    explanations: tuple[Explanation, ...]
    change: int
    age_s: float


def explain_job(followed: FollowedState, clock: Clock, job: JobId) -> JobExplanation:
    """Return one explanation per queued group of the job; none where nothing of it waits."""
    explained = explain_jobs(followed, clock, {job})
    return JobExplanation(explained.get(job, ()), followed.change, followed.age_s)


def explain_jobs(
    followed: FollowedState, clock: Clock, jobs: Collection[JobId]
) -> Mapping[JobId, tuple[Explanation, ...]]:
    """Return the explanations of several jobs, all of one moment; a job of which nothing waits is absent."""
    followed.follow()
    with followed.hold() as state:
        job_of = {group.id: group.job_id for group in state.waiting.values() if group.job_id in jobs}
        explained = explain_all(state, sorted(job_of), clock.now())
    by_job: dict[JobId, list[Explanation]] = defaultdict(list)
    for explanation in explained:
        by_job[job_of[explanation.group]].append(explanation)
    return {job: tuple(explanations) for job, explanations in by_job.items()}
