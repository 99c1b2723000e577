"""Jobs that come after others: who waits for whom, and whether what they wait for can still be."""

from collections import defaultdict

from scheduler.core.model.identifiers import JobId
from scheduler.core.model.job import Job
from scheduler.core.model.reason import CannotFollow, WaitsForJob


def why_not_yet(job: Job) -> tuple[WaitsForJob, ...]:
    """Return what a job still waits for, in its order; nothing where all of it is met or lost."""
    over = {name for name, _ in job.settled}
    return tuple(WaitsForJob(one.job, one.condition) for one in job.spec.after if one.job not in over)


def why_never(job: Job) -> tuple[CannotFollow, ...]:
    """Return the jobs that became something else than it waits for, in its order."""
    became = dict(job.settled)
    return tuple(
        CannotFollow(one.job, became[one.job])
        for one in job.spec.after
        if one.job in became and not one.condition.is_met_by(became[one.job])
    )


class Dependents:
    """Who waits for whom, among jobs that are not over."""

    def __init__(self) -> None:
        self._of: defaultdict[JobId, set[JobId]] = defaultdict(set)

    def add(self, *jobs: Job) -> None:
        """Let jobs be among those that wait for what they come after."""
        for job in jobs:
            for waited in why_not_yet(job):
                self._of[waited.job].add(job.id)

    def remove(self, job: Job) -> None:
        """Let it wait for nobody any more."""
        for waited in why_not_yet(job):
            waiting = self._of.get(waited.job, set())
            waiting.discard(job.id)
            if not waiting:
                self._of.pop(waited.job, None)

    def released_by(self, job: JobId) -> list[JobId]:
        """Return those that waited for a job that is over now, by id, and forget that they did."""
        return sorted(self._of.pop(job, ()))
