"""Arrays: how many of their jobs are over, how many hold something, and whether another one may."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from scheduler.core.model.group import State
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.job import Job
from scheduler.core.model.reason import ArrayIsFull


@dataclass(slots=True)
class ArrayStanding:
    """How far an array is that is not over."""

    jobs: int
    """How many it has in all."""
    left: int = 0
    """Of these, how many are not over."""
    became: set[State] = field(default_factory=set)
    """What the others became, each once."""

    @property
    def ended(self) -> int:
        """How many are over."""
        return self.jobs - self.left


class ArraysLeft:
    """The arrays of which jobs are left that are not over; a few numbers for each, however many jobs it has."""

    def __init__(self) -> None:
        self._of: dict[JobId, ArrayStanding] = {}

    def add(self, job: Job) -> None:
        """Let a job be among those that are not over; without effect where it is in no array."""
        if (member := job.spec.array) is not None:
            self._of.setdefault(member.array, ArrayStanding(member.count)).left += 1

    def recall(self, ended: Iterable[tuple[JobId, Iterable[State]]]) -> None:
        """Take in what jobs became that were over before the others of their arrays were added."""
        for array, states in ended:
            self._of[array].became.update(states)

    def end(self, job: Job, became: State) -> tuple[JobId, frozenset[State]] | None:
        """Let a job be over; return its array with what all of its jobs became, each once, where it was the last."""
        member = job.spec.array
        if member is None:
            return None
        standing = self._of[member.array]
        standing.left -= 1
        standing.became.add(became)
        if standing.left:
            return None
        return member.array, frozenset(self._of.pop(member.array).became)

    def standing(self, array: JobId) -> ArrayStanding | None:
        """Return how far an array is, None where all of it is over."""
        return self._of.get(array)

    def ended(self) -> list[tuple[JobId, list[State]]]:
        """Return what those jobs became that are over, of arrays that are not, each once; all in order."""
        return sorted((array, sorted(standing.became)) for array, standing in self._of.items() if standing.became)


class MembersHolding:
    """How many jobs of each array hold something, of arrays that limit it."""

    def __init__(self) -> None:
        self._of: Counter[JobId] = Counter()

    def take(self, job: Job) -> None:
        """Let a job hold something; without effect where it is in no array, or in one without a limit."""
        if (member := job.spec.limited_array) is not None:
            self._of[member.array] += 1

    def give(self, job: Job) -> None:
        """Let a job that held something hold nothing any more."""
        if (member := job.spec.limited_array) is not None:
            self._of[member.array] -= 1
            if not self._of[member.array]:
                del self._of[member.array]

    def counts(self) -> dict[JobId, int]:
        """Return how many of each array do, of those of which some do."""
        return dict(self._of)

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
