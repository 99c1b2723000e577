"""Figures from the change feed: who waited how long, what was stopped and why, what was tried again."""

from collections import deque
from datetime import datetime

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import Change, GroupMoved, GroupPlaced, JobSubmitted
from scheduler.core.model.group import FINAL, Group, State
from scheduler.core.model.identifiers import TenantName
from scheduler.ports.telling.telemetry import Telemetry

MOST_SUBMISSIONS = 100_000
"""So many submissions are remembered until their first decision; of more the oldest are not timed."""


class ChangeCounter:
    """Counts changes as a state follows them. One process at a time counts, or they would count more than once."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._undecided: deque[tuple[int, datetime]] = deque(maxlen=MOST_SUBMISSIONS)

    def see(self, change: Change, state: SchedulerState) -> None:
        """Count one change; `state` is how things stood before it."""
        match change.body:
            case JobSubmitted(job):
                self._undecided.append((change.number, job.submitted_at))
                self._telemetry.submitted(job.tenant)
            case GroupPlaced() as placed:
                self._place(placed, change.at, state)
            case GroupMoved(group=group, eviction=eviction) if change.tenant is not None:
                self._move(group, change.tenant, state)
                if eviction is not None:
                    self._telemetry.evicted(eviction.cause, eviction.unsaved_device_s)

    def decided(self, change: int, now: datetime) -> None:
        """Note that all jobs that were submitted up to a change had their first decision."""
        while self._undecided and self._undecided[0][0] <= change:
            _, since = self._undecided.popleft()
            self._telemetry.decided(max(0.0, (now - since).total_seconds()))

    def _place(self, placed: GroupPlaced, at: datetime, state: SchedulerState) -> None:
        job = state.jobs.get(placed.group.job_id)
        since = None if job is None else state.tally.waiting_since(job, placed.group.id)
        if job is None or since is None:
            return
        chip = next((allocation.chip for allocation in placed.allocations if allocation.chip is not None), None)
        self._telemetry.placed(job.tenant, chip, max(0.0, (at - since).total_seconds()))

    def _move(self, group: Group, tenant: TenantName, state: SchedulerState) -> None:
        before = state.groups.get(group.id)
        if before is None or before.version >= group.version:
            return
        if group.state is State.STOPPING and before.state is not State.STOPPING and group.stop_reason is not None:
            self._telemetry.stopped(group.stop_reason)
        elif group.state is State.QUEUED and before.stop_reason is not None:
            self._telemetry.retried(before.stop_reason)
        elif group.state in FINAL:
            self._telemetry.finished(tenant, group.state)
