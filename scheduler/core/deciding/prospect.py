"""What would become of a job if it came now, answered from the state as it is."""

from dataclasses import dataclass
from datetime import datetime

from scheduler.core.deciding.backfilling.beside import Beside
from scheduler.core.deciding.parts.neighbours import Neighbours
from scheduler.core.deciding.reasons import all_that_blocks
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import Seat
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.asking.grounds import Standing
from scheduler.core.model.decision import Place
from scheduler.core.model.group import first_group
from scheduler.core.model.job import Job
from scheduler.core.model.reason import KeptForOthers, Reason
from scheduler.core.placement.reasons.never import reasons_why_never
from scheduler.core.placement.request import GangRequest
from scheduler.core.queueing.dependencies import why_never, why_not_yet


@dataclass(frozen=True, slots=True)
class Prospect:
    """Where gangs would run, or why they would not: one per job, or per replica of a server."""

    places: tuple[Place, ...]
    """Of those that would be placed now, in their order; the others wait."""
    reasons: tuple[Reason, ...]
    """Why there is no place for the next one beside these, most binding first; empty where all have one."""
    is_hopeless: bool
    """It would be refused: no cluster could hold it, and none will by itself."""
    position: int
    """In the queue, from 1, of the first that had to wait."""
    standing: Standing
    """What that place rests on."""
    request: GangRequest
    """What the job asks of placement."""


def prospect_of(state: SchedulerState, job: Job, now: datetime, *, jobs: int = 1) -> Prospect:
    """Return what would become of a new job on what is free now, or of so many alike ones that come together.

    What is kept for those who have waited long is not free for it, unless it is gone by then. Who waits is blocked as
    the job itself would be, so none of them is placed before it. Nothing of the job is kept: the state is afterwards
    what it was.
    """
    request = state.speeds.asked_by(job)
    key = state.order.key(job, first_group(job.id, 0))
    turns = state.order.turns(state.waiters, job.submitted_at)
    position, standing = 1 + turns.ahead(job.queue, key), turns.standing_at(job, job.queue, key)
    if state.fleet.has_all_nodes and (never := reasons_why_never(state.ledger, request)):
        return Prospect((), never, is_hopeless=True, position=position, standing=standing, request=request)
    if order := why_never(job) or why_not_yet(job, state.dependents.arrays):
        return Prospect(
            (), order, is_hopeless=bool(why_never(job)), position=position, standing=standing, request=request
        )
    places, reasons = _places(state, job, request, job.replicas * jobs, now)
    return Prospect(places, reasons, is_hopeless=False, position=position, standing=standing, request=request)


def _places(
    state: SchedulerState, job: Job, request: GangRequest, gangs: int, now: datetime
) -> tuple[tuple[Place, ...], tuple[Reason, ...]]:
    """Return a place for one gang after the other, each beside those before it, and why the next one has none.

    They are alike: where one has no place, those after it have none either, and are not looked at.
    """
    places: list[Place] = []
    placed, beside = Neighbours(), Beside(state, now)
    with Trial(state.ledger) as trial:
        for index in range(gangs):
            full = state.sharing.why_full(job)
            group = first_group(job.id, index)
            found = beside.find(request, job, (state.order.key(job, group), group.id), placed)
            if full is not None or found is None or isinstance(found, KeptForOthers):
                others = () if full is None else (full,)
                return tuple(places), all_that_blocks(state, request, found, others, placed)
            attempt = group.next_attempt
            trial.apply(Seat(attempt, job.tenant, found.seatings, job.account, found.compute_milli))
            placed.place(job, attempt)
            places.append(found)
    return tuple(places), ()
