"""The order of the queue: the part of a state that keeps what a policy has to know."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from scheduler.core.deciding.ordering.rounds import Rounds
from scheduler.core.deciding.ordering.shares import Queues, Shares
from scheduler.core.deciding.ordering.turns import Turns
from scheduler.core.deciding.parts.tally import asked_devices_milli
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.queueing.decay import averages
from scheduler.core.queueing.order import queue_key
from scheduler.core.queueing.policies.ordering import DEFAULT_ORDERING
from scheduler.core.queueing.policies.policy import Fair, RoundByRound
from scheduler.core.queueing.policies.service import Past, Service

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.parts.sharing import Sharing
    from scheduler.core.deciding.parts.tally import Tally
    from scheduler.core.deciding.parts.waiters import Waiters
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.group import Group
    from scheduler.core.model.identifiers import JobId
    from scheduler.core.model.job import Job
    from scheduler.core.queueing.order import QueueKey
    from scheduler.core.queueing.policies.ordering import Ordering
    from scheduler.core.queueing.policies.service import PastUse
    from scheduler.core.queueing.run_times import RunTimes

STEP = timedelta(minutes=5)
"""Where places change as time passes, they do so at most so often, by the times of the feed."""


class Order:
    """In which order the waiting groups of a state are asked."""

    def __init__(self, ledger: Ledger, sharing: Sharing, tally: Tally, run_times: RunTimes) -> None:
        self.ordering = DEFAULT_ORDERING
        self.shares = Shares(Queues(sharing, ledger.uses))
        """Of the queues."""
        self.service = Service()
        """What the groups had in attempts that are over."""
        self._tally = tally
        self._run_times = run_times
        self._as_of: datetime | None = None
        """The time of the feed at the latest step."""
        self.rounds: Rounds | None = None
        """Whose turn it is, where the policy goes by rounds."""

    def choose(self, ordering: Ordering, past: PastUse) -> None:
        """Order otherwise from now on, with what was held before; whoever keeps keys is to make them anew."""
        self.ordering = ordering
        policy = ordering.policy
        self.shares.half_life_s = policy.half_life_s if isinstance(policy, Fair) else 0.0
        self.rounds = Rounds(policy) if isinstance(policy, RoundByRound) else None
        self.service.recall(past.attained)
        if past.lately and self.shares.half_life_s:
            self.shares.recall(averages(past.lately, past.at, self.shares.half_life_s), past.at)

    def key(self, job: Job, group: Group) -> QueueKey:
        """Return where a group stands in its queue."""
        ordering = self.ordering
        level = ordering.policy.level(self._past(job, group)) if ordering.learns else 0.0
        return queue_key(job, group, ageing_s=ordering.ageing_s, level=level)

    def _past(self, job: Job, group: Group) -> Past:
        held_s, attained_s = self.service.of(group.id)
        age_s = 0.0 if self._as_of is None else (self._as_of - job.submitted_at).total_seconds()
        remaining_s = self.expected_run_s(job)
        if remaining_s is not None:
            remaining_s = max(0.0, remaining_s - held_s)
        devices = asked_devices_milli(job.spec) / WHOLE_DEVICE_MILLI
        return Past(age_s, attained_s, remaining_s, devices, self.rounds is not None and self.rounds.has_turn(job))

    def expected_run_s(self, job: Job) -> float | None:
        """Return how long a job runs: as half of those like it did, or its limit where that is less or all we know."""
        learnt, limit_s = self._run_times.expect(job), job.spec.time_limit_s
        if learnt is None:
            return None if limit_s is None else float(limit_s)
        return learnt.middle_s if limit_s is None else min(learnt.middle_s, float(limit_s))

    @property
    def keys_as_of(self) -> datetime | None:
        """As of when keys were made that change as time passes; None where they do not."""
        return self._as_of

    def is_stale(self, at: datetime) -> bool:
        """Say whether so much time has passed that all keys are to be made anew, and take that time for granted."""
        if self.rounds is not None:
            return self.rounds.is_over(at)
        if not self.ordering.learns or (self._as_of is not None and at < self._as_of + STEP):
            return False
        self._as_of = at
        return True

    def step(self, state: SchedulerState, at: datetime) -> Collection[JobId]:
        """Let time pass to a moment; return the jobs that ask for something else since then."""
        if self.rounds is None:
            return ()
        self.rounds.begin(state, at)
        return state.requests.narrow(self.rounds.narrowed)

    def note(self, live: LiveAttempt, at: datetime) -> None:
        """Take note that an attempt holds since a moment what it did not before, or nothing any more."""
        chips = {allocation.chip: None for allocation in live.allocations if allocation.chip is not None}
        self.shares.note(live.job.queue, chips, at)

    def serve(self, live: LiveAttempt, until: datetime) -> None:
        """Count what an attempt had that is about to end."""
        if self.ordering.learns:
            devices = sum(allocation.devices_milli for allocation in live.allocations) / WHOLE_DEVICE_MILLI
            held_s, chip = (until - live.held_since).total_seconds(), live.allocations[0].chip
            self.service.add(live.group.id, held_s, devices, chip)

    def turns(self, waiters: Waiters, now: datetime) -> Turns:
        """Return the order at one moment."""
        return Turns(self.ordering, self.shares, self._tally, waiters, now)
