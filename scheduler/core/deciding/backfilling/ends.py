"""When what runs now will have ended: by an enforced limit, by what such jobs did, or by how long it has run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from scheduler.core.model.group import State
from scheduler.core.model.waiting.promise import Basis

if TYPE_CHECKING:
    from datetime import datetime

    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.model.job import Job
    from scheduler.core.queueing.run_times import RunTimes

SHORTEST_GUESS_S = 600.0
"""What nothing is known of runs at least so long."""


@dataclass(frozen=True, slots=True)
class ExpectedEnd:
    """When an attempt will have given back what it holds."""

    at: datetime
    basis: Basis


def expected_end(live: LiveAttempt, since: datetime, times: RunTimes, now: datetime) -> ExpectedEnd | None:
    """Return when an attempt that is in its state since then will have ended; None for a server, which runs on.

    Never earlier than now: one that is overdue is taken to end at any moment.
    """
    grace = timedelta(seconds=live.job.spec.grace_s)
    if live.group.state is State.STOPPING:
        return ExpectedEnd(max(now, since + grace), Basis.LIMIT)
    if live.job.spec.serves:
        return None
    ran_s = max(0.0, (now - since).total_seconds()) if live.group.state is State.RUNNING else 0.0
    run = expected_run_s(live.job, times, ran_s=ran_s)
    if run is None:
        return ExpectedEnd(now + timedelta(seconds=max(ran_s, SHORTEST_GUESS_S)), Basis.GUESSED)
    run_s, basis = run
    return ExpectedEnd(max(now, now + timedelta(seconds=run_s - ran_s)), basis)


def expected_run_s(job: Job, times: RunTimes, *, ran_s: float = 0.0) -> tuple[float, Basis] | None:
    """Return how long a job runs at most as far as is known, and how that is known; None where nothing is.

    Its limit is with the grace that it is given then: what it was to do within it, it may use up to the last.
    """
    limit_s = None if job.spec.time_limit_s is None else job.spec.time_limit_s + job.spec.grace_s
    learnt = times.expect(job, ran_s=ran_s)
    if learnt is not None and (limit_s is None or learnt.most_s < limit_s):
        return learnt.most_s, Basis.LEARNT
    return None if limit_s is None else (float(limit_s), Basis.LIMIT)
