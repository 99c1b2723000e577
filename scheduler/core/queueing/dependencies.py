"""Jobs that come after others, or after arrays: who waits for whom, and whether what they wait for can still be."""

from collections import defaultdict
from collections.abc import Iterator

from scheduler.core.model.group import State
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.job import Dependency, Job
from scheduler.core.model.reason import CannotFollow, WaitsForArray, WaitsForJob
from scheduler.core.queueing.arrays import ArraysLeft


def why_not_yet(job: Job, arrays: ArraysLeft) -> tuple[WaitsForJob | WaitsForArray, ...]:
    """Return what a job still waits for, in its order; nothing where all of it is met or lost."""
    waits = (_wait(one, arrays) for one in _awaited(job))
    return tuple(wait for wait in waits if wait is not None)


def why_never(job: Job) -> tuple[CannotFollow, ...]:
    """Return what became something else than it waits for, in its order."""
    became = dict(job.settled)
    return tuple(
        CannotFollow(one.job, became[one.job], one.is_array)
        for one in job.spec.after
        if one.job in became and not one.condition.is_met_by(became[one.job])
    )


def _awaited(job: Job) -> Iterator[Dependency]:
    over = {name for name, _ in job.settled}
    return (one for one in job.spec.after if one.job not in over)


def _wait(one: Dependency, arrays: ArraysLeft) -> WaitsForJob | WaitsForArray | None:
    if not one.is_array:
        return WaitsForJob(one.job, one.condition)
    standing = arrays.standing(one.job)
    return None if standing is None else WaitsForArray(one.job, one.condition, standing.ended, standing.jobs)


class Dependents:
    """Who waits for whom, among jobs that are not over."""

    def __init__(self) -> None:
        self._of: defaultdict[JobId, set[JobId]] = defaultdict(set)
        self.arrays = ArraysLeft()
        """The arrays that may be waited for."""

    def add(self, *jobs: Job) -> None:
        """Let jobs be among those that are not over, and wait for what they come after."""
        for job in jobs:
            self.arrays.add(job)
            for waited in _awaited(job):
                self._of[waited.job].add(job.id)

    def end(self, job: Job, became: State) -> list[tuple[JobId, frozenset[State], list[JobId]]]:
        """Let a job be over, and its array where it was the last one of it.

        Return, for each of these two, what became of its jobs, each once, and by id who waited for it.
        """
        for waited in _awaited(job):
            waiting = self._of.get(waited.job, set())
            waiting.discard(job.id)
            if not waiting:
                self._of.pop(waited.job, None)
        array = self.arrays.end(job, became)
        over = [(job.id, frozenset({became})), *(() if array is None else (array,))]
        return [(name, states, sorted(self._of.pop(name, ()))) for name, states in over]
