"""The decision cycle: every waiting group, in order, gets its decision on one state."""

from datetime import datetime

from scheduler.core.deciding.options import Blocked, find_place
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import Hold
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.decision import Decision, Placed, Refused, Waiting
from scheduler.core.model.group import Group
from scheduler.core.model.identifiers import ClusterName, TenantName
from scheduler.core.model.job import Job, Option, Wish
from scheduler.core.model.reason import BackingOff, NeverFits
from scheduler.core.model.resources import WorkerShape
from scheduler.core.placement.room import Survey
from scheduler.core.queueing.order import queue_key

_Asked = tuple[TenantName, WorkerShape, tuple[Option, ...], tuple[ClusterName, ...]]
"""All that the fate of a group depends on within a cycle, once it is due."""


def decide(state: SchedulerState, now: datetime) -> list[Decision]:
    """Return one decision per waiting group, in the order of the queue; none for a job that is to stop.

    What is placed counts as held for all who come after it. A group that must wait blocks nobody behind it. The
    state is afterwards what it was before.
    """
    with Trial(state.ledger) as trial:
        cycle = _Cycle(state, trial, now)
        return [
            cycle.decide(group, state.jobs[group.job_id])
            for group in queue(state)
            if state.jobs[group.job_id].wish is Wish.RUN
        ]


def queue(state: SchedulerState) -> list[Group]:
    """Return the waiting groups, first in the queue first."""
    return sorted(state.waiting.values(), key=lambda group: queue_key(state.jobs[group.job_id], group))


def next_due(state: SchedulerState, now: datetime) -> datetime | None:
    """Return when the next back-off ends, None where no waiting group is backing off."""
    return min((due for group in state.waiting.values() if (due := group.not_before) and due > now), default=None)


def backing_off(job: Job, group: Group, now: datetime) -> BackingOff | None:
    """Return the reason why no attempt may be made yet, None where one may."""
    if group.not_before is None or group.not_before <= now:
        return None
    return BackingOff(group.not_before, group.failures, job.spec.retries, group.stop_reason)


class _Cycle:
    """One pass over the queue."""

    def __init__(self, state: SchedulerState, trial: Trial, now: datetime) -> None:
        self._state = state
        self._trial = trial
        self._survey = Survey(state.ledger)
        self._now = now
        self._blocked: dict[_Asked, Blocked] = {}
        """Capacity and quota only shrink during a cycle: who asks the same as one who was blocked is blocked too."""

    def decide(self, group: Group, job: Job) -> Decision:
        """Decide on one group; where it is placed, hold its place for the rest of the cycle."""
        pause = backing_off(job, group, self._now)
        if pause is not None:
            return Waiting(group.id, (pause,))
        asked = (job.tenant, job.spec.shape, job.spec.options(), job.spec.objecting_clusters)
        blocked = self._blocked.get(asked)
        found = blocked or find_place(self._state, self._survey, job)
        if isinstance(found, Blocked):
            self._blocked[asked] = found
            return _without_place(group, found)
        self._trial.apply(Hold(group.next_attempt, job.tenant, found.allocations))
        return Placed(group.id, group.version, group.next_attempt, found)


def _without_place(group: Group, blocked: Blocked) -> Decision:
    if blocked.is_final and not group.attempts:  # what had a place once is only short of nodes that are away
        never = tuple(reason for reason in blocked.reasons if isinstance(reason, NeverFits))
        return Refused(group.id, group.version, never)
    return Waiting(group.id, blocked.reasons)
