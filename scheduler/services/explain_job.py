"""Why a job waits, answered from the followed state."""

from dataclasses import dataclass

from scheduler.core.deciding.explanation import Explanation, explain
from scheduler.core.model.group import State
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
    followed.follow()
    with followed.hold() as state:
        waiting = [g.id for g in state.groups.values() if g.job_id == job and g.state is State.QUEUED]
        explanations = tuple(explain(state, group, clock.now()) for group in sorted(waiting))
        return JobExplanation(explanations, followed.change, followed.age_s)
