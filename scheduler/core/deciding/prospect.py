"""What would become of a job if it came now, answered from the state as it is."""

from dataclasses import dataclass

from scheduler.core.deciding.options import Blocked, find_place
from scheduler.core.deciding.reasons import reasons_why_not
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.group import Group, State
from scheduler.core.model.identifiers import group_id
from scheduler.core.model.job import Job
from scheduler.core.model.reason import PlacementNote, Reason
from scheduler.core.placement.placement import GangPlace
from scheduler.core.placement.reasons.never import reasons_why_never
from scheduler.core.placement.request import request_of
from scheduler.core.queueing.dependencies import why_never, why_not_yet
from scheduler.core.queueing.order import queue_key


@dataclass(frozen=True, slots=True)
class Prospect:
    """Where a job would run, or why it would not."""

    allocations: tuple[Allocation, ...]
    """What each rank would hold, in rank order; empty where there is no place now."""
    notes: tuple[PlacementNote, ...]
    """Why each rank would be there."""
    reasons: tuple[Reason, ...]
    """Why there is no place, most binding first."""
    is_hopeless: bool
    """It would be refused: no cluster could hold it, and none will by itself."""
    position: int
    """In the queue, from 1, if it had to wait."""


def prospect_of(state: SchedulerState, job: Job) -> Prospect:
    """Return what would become of a new job on what is free now.

    Who waits is blocked as the job itself would be, so none of them is placed before it. Nothing of the job is kept:
    the state is afterwards what it was.
    """
    request = request_of(job)
    position = _position(state, job)
    if state.has_all_nodes and (never := reasons_why_never(state.ledger, request)):
        return Prospect((), (), never, is_hopeless=True, position=position)
    if order := why_never(job) or why_not_yet(job, state.dependents.arrays):
        return Prospect((), (), order, is_hopeless=bool(why_never(job)), position=position)
    found = find_place(state, request)
    if isinstance(found, Blocked):
        return Prospect((), (), reasons_why_not(state, request), is_hopeless=False, position=position)
    return _placed(found, position)


def _placed(found: GangPlace, position: int) -> Prospect:
    return Prospect(found.allocations, found.notes, (), is_hopeless=False, position=position)


def _position(state: SchedulerState, job: Job) -> int:
    key = queue_key(job, _first_group(job))
    return 1 + sum(queue_key(state.jobs[group.job_id], group) < key for group in state.waiting.values())


def _first_group(job: Job) -> Group:
    return Group(id=group_id(job.id, 0), job_id=job.id, index=0, state=State.QUEUED, version=1, attempts=0, failures=0)
