"""What jobs are expected to come, and what chip types are worth: both decide how nodes are scored."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scheduler.core.placement.scoring.configuration import worth_of
from scheduler.core.placement.scoring.job_mix import LearntMix, worker_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.core.model.chip import ChipType
    from scheduler.core.model.job import Job
    from scheduler.core.placement.placer import Placer
    from scheduler.core.placement.scoring.configuration import Scoring


class Expectations:
    """Keeps a placer's scores as the operator configured them, or as the jobs teach."""

    def __init__(self, placer: Placer, scoring: Scoring) -> None:
        self._placer = placer
        self._scoring = scoring
        self.mix = LearntMix()
        """The workers of the jobs that are not over."""

    def begin(self) -> None:
        """Score by what an operator expects, if anybody said so; once the nodes are there."""
        if self._scoring.job_mix is not None:
            self._placer.expect(self._scoring.job_mix)

    def value(self, chips: Iterable[ChipType]) -> None:
        """Take all chip types for what they are worth now."""
        self._placer.worth = worth_of(self._scoring, chips)

    def learn(self, *jobs: Job) -> None:
        """Let jobs be among those that are expected to come again, unless an operator said what to expect.

        Either way scores follow the nodes that there are by then, ever more seldom.
        """
        specs = Counter([job.spec for job in jobs])
        kinds = ((kind, workers * times) for spec, times in specs.items() for kind, workers in worker_kinds(spec))
        if self.mix.see(kinds):
            self._placer.expect(self._scoring.job_mix or self.mix.mix)

    def forget(self, job: Job) -> None:
        """Let a job be over."""
        self.mix.forget(worker_kinds(job.spec))
