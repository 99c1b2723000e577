"""How long jobs will run: as half of those like them, and at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.ends import SHORTEST_GUESS_S, expected_run_s
from scheduler.core.model.waiting.promise import Basis

if TYPE_CHECKING:
    from scheduler.core.model.job import Job
    from scheduler.core.queueing.run_times import RunTimes

LONGEST_GUESS_S = 3_600.0
"""Of what nothing is known of: a new job may well run so long."""
LONGEST_S = 10 * 365 * 86_400.0
"""Nothing is forecast beyond: nonsense in limits and histories does no harm."""
RANKS = {basis: rank for rank, basis in enumerate((Basis.LIMIT, Basis.LEARNT, Basis.GUESSED))}


@dataclass(frozen=True, slots=True)
class RunLength:
    """How long a job runs, in seconds from its start."""

    middle_s: float
    most_s: float
    rank: int
    """How firm that is: 0 by a limit, 1 learnt, 2 guessed."""


def run_length(job: Job, times: RunTimes, *, ran_s: float = 0.0) -> RunLength:
    """Return how long a job runs in all that has run for so long."""
    most = expected_run_s(job, times, ran_s=ran_s)
    if most is None:
        middle_s = ran_s + max(ran_s, SHORTEST_GUESS_S)
        return RunLength(_sane(middle_s), _sane(max(middle_s, LONGEST_GUESS_S)), RANKS[Basis.GUESSED])
    most_s, basis = most
    learnt = times.expect(job, ran_s=ran_s)
    middle_s = (ran_s + most_s) / 2 if learnt is None else learnt.middle_s
    return RunLength(_sane(min(max(middle_s, ran_s), most_s)), _sane(most_s), RANKS[basis])


def _sane(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_S)
