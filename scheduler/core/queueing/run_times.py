"""How long jobs run: what is learnt from those that ended, to say when those that run now will have."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING

from scheduler.core.model.measuring.throughput import JobFamily

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.core.model.identifiers import TenantName
    from scheduler.core.model.job import Job

LATEST = 32
"""So many of the latest runs of each kind are remembered: what jobs do changes."""
MOST_KINDS = 65_536
LONGEST_S = 10 * 365 * 86_400.0
"""What took longer is the work of a clock that jumped, and not learnt."""
ENOUGH = 3
"""From so many runs on the closest kind speaks for itself; with fewer, the next wider one that has as many does."""
MIDDLE, MOST = 0.5, 0.9
"""Which part of the runs is over by the expected and by the longest expected time."""

Kind = tuple[object, ...]


class Likeness(StrEnum):
    """In what the runs are like a job that its run time is expected from, closest first."""

    SAME_SHAPE = "same-shape"
    """The same user, the same name but for its number, and the same size on the same chip types."""
    SAME_NAME = "same-name"
    """The same name in the same tenant."""
    SAME_USER = "same-user"
    SAME_TENANT = "same-tenant"


@dataclass(frozen=True, slots=True)
class ExpectedRun:
    """How long a job is expected to run."""

    middle_s: float
    """Half of the runs took no longer."""
    most_s: float
    """Nine in ten took no longer."""
    runs: int
    likeness: Likeness


class RunTimes:
    """The run times of attempts that succeeded, by what they were like. Bounded."""

    def __init__(self) -> None:
        self._runs: OrderedDict[Kind, deque[float]] = OrderedDict()

    def note(self, job: Job, run_s: float) -> None:
        """Learn that a job ran for so long and succeeded; what is no such time is not learnt."""
        if not 0 <= run_s <= LONGEST_S:
            return
        for _, kind in _kinds(job):
            runs = self._runs.get(kind)
            if runs is None:
                runs = self._runs[kind] = deque(maxlen=LATEST)
                if len(self._runs) > MOST_KINDS:
                    self._runs.popitem(last=False)
            self._runs.move_to_end(kind)
            runs.append(run_s)

    def expect(self, job: Job, *, ran_s: float = 0.0) -> ExpectedRun | None:
        """Return how long a job is expected to run in all, None where nothing is known of jobs like it.

        One that has run for `ran_s` is like those only that ran longer; where none did, it may end at any time.
        """
        if not self._runs:
            return None
        known = [(likeness, runs) for likeness, kind in _kinds(job) if (runs := self._runs.get(kind))]
        if not known:
            return None
        likeness, runs = next((one for one in known if len(one[1]) >= ENOUGH), known[0])
        longer = sorted(run for run in tuple(runs) if run > ran_s) or [ran_s]
        return ExpectedRun(_quantile(longer, MIDDLE), _quantile(longer, MOST), len(runs), likeness)


def stem(name: str) -> str:
    """Return a name without the number that it ends in: what jobs of one series share."""
    return name.rstrip("0123456789").rstrip("-_.") or name


def family_of(job: Job) -> JobFamily:
    """Return the family of jobs that a job is of: as it says, or by its name without the number that it ends in."""
    return JobFamily(job.tenant, job.spec.family or stem(job.spec.name))


def _kinds(job: Job) -> Iterator[tuple[Likeness, Kind]]:
    tenant: TenantName = job.tenant
    spec, named = job.spec, stem(job.spec.name)
    shape = (spec.workers, spec.shape, spec.chips, spec.roles)
    yield Likeness.SAME_SHAPE, (tenant, job.submitted_by, named, shape)
    yield Likeness.SAME_NAME, (tenant, named)
    yield Likeness.SAME_USER, (tenant, None, job.submitted_by)
    yield Likeness.SAME_TENANT, (tenant,)


def _quantile(ordered: list[float], part: float) -> float:
    """Return the smallest of the values that is no less than a part of them."""
    return ordered[max(0, ceil(part * len(ordered)) - 1)]
