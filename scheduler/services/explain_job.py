"""Why jobs wait, answered from the followed state."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import count, takewhile

from scheduler.core.deciding.explanation import Explanation, explain_all
from scheduler.core.model.identifiers import JobId, group_id
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate, StartBasis
from scheduler.ports.clock import Clock
from scheduler.services.follow_changes import FollowedState
from scheduler.services.questions.forecasting import Forecaster


@dataclass(frozen=True, slots=True)
class JobExplanation:
    """What blocks a job's queued groups, as of a change number."""

    explanations: tuple[Explanation, ...]
    change: int
    age_s: float


def explain_job(
    followed: FollowedState, clock: Clock, job: JobId, forecaster: Forecaster | None = None
) -> JobExplanation:
    """Return one explanation per queued group of the job; none where nothing of it waits.

    With a `forecaster` the first of them says when it is expected to start.
    """
    explained = explain_jobs(followed, clock, {job}).get(job, ())
    if forecaster is not None and explained:
        first = replace(explained[0], estimate=_estimate(explained[0], forecaster, clock))
        explained = (first, *explained[1:])
    return JobExplanation(explained, followed.change, followed.age_s)


def _estimate(explanation: Explanation, forecaster: Forecaster, clock: Clock) -> Estimate | NoEstimate | None:
    if not explanation.reasons:
        now = clock.now()
        return Estimate(now, now, StartBasis.FREE, now)
    return forecaster.estimate(explanation.group)


def explain_jobs(
    followed: FollowedState, clock: Clock, jobs: Collection[JobId]
) -> Mapping[JobId, tuple[Explanation, ...]]:
    """Return the explanations of several jobs, all of one moment; a job of which nothing waits is absent."""
    followed.follow()
    with followed.hold() as state:
        job_of = {
            group: name
            for name in jobs
            for group in takewhile(state.groups.__contains__, (group_id(name, index) for index in count()))
            if group in state.waiting
        }
        explained = explain_all(state, sorted(job_of), clock.now())
    by_job: dict[JobId, list[Explanation]] = defaultdict(list)
    for explanation in explained:
        by_job[job_of[explanation.group]].append(explanation)
    return {job: tuple(explanations) for job, explanations in by_job.items()}
