"""What becomes of attempts where they run: when they are ready, when they end, and whether well."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.change import Change, GroupMoved
from scheduler.core.model.group import FINAL, State
from scheduler.core.model.identifiers import JobId
from scheduler.simulator.chance import drawn
from scheduler.simulator.workloads.arrival import Life

_FAILS, _WHEN = 1, 2
"""What is drawn of an attempt."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What an attempt does from the start of its workers on, if nobody stops it. In whole seconds."""

    ready_s: int
    ends_s: int
    """After the start, and at least one second after it is ready."""
    has_failed: bool
    """Whether it ends by failing."""


@dataclass(slots=True)
class _Course:
    """How far a job is."""

    number: int
    life: Life
    left_s: float
    """Of its work, on a chip of speed 1."""
    speed: float = 1.0
    """Of its latest attempt."""
    ran_from: datetime | None = None


class Lives:
    """The jobs that are not over. It follows the changes, for what was saved counts."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._courses: dict[JobId, _Course] = {}
        self._count = 0

    def expect(self, job: JobId, life: Life) -> None:
        """Let a job be submitted; jobs are named in the order in which they come."""
        self._courses[job] = _Course(self._count, life, life.work_s)
        self._count += 1

    def withdraw(self, job: JobId) -> None:
        """Let a job that was turned away be no more."""
        del self._courses[job]

    def fate(self, job: JobId, number: int, allocations: Sequence[Allocation]) -> Fate:
        """Return what becomes of an attempt that starts now; a gang is as fast as its slowest worker."""
        course = self._courses[job]
        life = course.life
        if life.speeds:
            speeds = dict(life.speeds)
            course.speed = min(speeds.get(held.chip or "", 1.0) for held in allocations)
        run_s = course.left_s / course.speed
        has_failed = life.failure_chance > 0 and self._drawn(course, number, _FAILS) < life.failure_chance
        if has_failed:
            run_s *= self._drawn(course, number, _WHEN)
        ready_s = ceil(life.start_up_s)
        return Fate(ready_s, ready_s + max(1, ceil(run_s)), has_failed)

    def follow(self, change: Change, _state: SchedulerState) -> None:
        """Follow a change: what an attempt saved is done for good, and a job that is over is forgotten."""
        if not isinstance(change.body, GroupMoved):
            return
        group = change.body.group
        if group.state in FINAL:
            self._courses.pop(group.job_id, None)
            return
        course = self._courses.get(group.job_id)
        if course is None or course.life.saved_every_s is None:
            return
        if group.state is State.RUNNING:
            course.ran_from = change.at
        elif course.ran_from is not None:
            ran_s = (change.at - course.ran_from).total_seconds()
            saved_s = ran_s // course.life.saved_every_s * course.life.saved_every_s
            course.left_s = max(0.0, course.left_s - saved_s * course.speed)
            course.ran_from = None

    def _drawn(self, course: _Course, number: int, what: int) -> float:
        return drawn(self._seed, course.number, number, what)
