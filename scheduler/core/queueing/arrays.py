"""Arrays of which only so many jobs may hold something at a time: how many do, and whether another one may."""

from collections import Counter

from scheduler.core.model.identifiers import JobId
from scheduler.core.model.job import Job
from scheduler.core.model.reason import ArrayIsFull


class MembersHolding:
    """How many jobs of each array hold something, of arrays that limit it."""

    def __init__(self) -> None:
        self._of: Counter[JobId] = Counter()

    def take(self, job: Job) -> None:
        """Let a job hold something; without effect where it is in no array, or in one without a limit."""
        if (array := _limited(job)) is not None:
            self._of[array] += 1

    def give(self, job: Job) -> None:
        """Let a job that held something hold nothing any more."""
        if (array := _limited(job)) is not None:
            self._of[array] -= 1
            if not self._of[array]:
                del self._of[array]

    def of(self, array: JobId) -> int:
        """Return how many of an array's jobs hold something."""
        return self._of.get(array, 0)


def why_not_beside(job: Job, *holding: MembersHolding) -> ArrayIsFull | None:
    """Return why a job may hold nothing beside those that do, None where it may."""
    member = job.spec.array
    if member is None or member.most_at_once is None:
        return None
    if sum(each.of(member.array) for each in holding) < member.most_at_once:
        return None
    return ArrayIsFull(member.array, member.most_at_once)


def _limited(job: Job) -> JobId | None:
    member = job.spec.array
    return None if member is None or member.most_at_once is None else member.array
