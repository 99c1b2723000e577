"""What would follow, from what was read of a state before and after."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.core.deciding.parts.losses import held_milli
from scheduler.core.forecasting.forecast import Forecast
from scheduler.core.forecasting.scene import Waiter
from scheduler.core.model.asking.consequences import (
    MOST_TOLD,
    CapacityShift,
    Consequences,
    JobConsequence,
    JobProspect,
    Leaving,
    ShareShift,
    Shift,
    Shrinking,
    Starting,
    Waits,
)
from scheduler.core.model.group import first_group
from scheduler.core.model.identifiers import job_named_by
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate, StartBasis
from scheduler.core.supposing.rehearsing import MOST_BEFORE
from scheduler.core.supposing.shares import QueueHas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scheduler.core.deciding.prospect import Prospect
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import GroupId, NodeId
    from scheduler.core.model.job import Job
    from scheduler.core.supposing.rehearsing import Moment, Rehearsed
    from scheduler.core.supposing.supposed import Shrunk

    Expected = Estimate | NoEstimate | None

LEAST_SHIFT_S = 1.0
"""Who starts no more than so much sooner or later waits as long as before."""
MOST_ESTIMATED = 4
"""Of so many other chip types it is told when a job would start there; of the others, whether it would at once."""
_NOTHING = QueueHas(0.0, 0.0)


def consequences_of(rehearsed: Rehearsed) -> Consequences | None:
    """Return what would follow; None where nothing but a job was asked about. The state is not needed any more."""
    before = rehearsed.before
    if before is None:
        return None
    after = rehearsed.after
    was, becomes = Forecast(before.scene), Forecast(after.scene)
    leaving = list(_leaving(rehearsed, becomes))
    left = {gone.live.group.id for gone in rehearsed.gone}
    starting = list(_starting(rehearsed, left, was))
    return Consequences(
        leaving=tuple(leaving[:MOST_TOLD]),
        leaving_count=len(leaving),
        placed_again=sum(bool(each.goes_to) for each in leaving),
        shrinking=tuple(map(_shrinking, rehearsed.shrunk[:MOST_TOLD])),
        shrinking_count=len(rehearsed.shrunk),
        starting=tuple(starting[:MOST_TOLD]),
        starting_count=len(starting),
        waits=_waits(rehearsed, before, was, becomes),
        shares=tuple(_shares(before, after)),
        capacity=tuple(_capacity(before, after)),
        drained=rehearsed.drained[:MOST_TOLD],
        drained_count=len(rehearsed.drained),
        added=rehearsed.added,
    )


def job_consequence_of(rehearsed: Rehearsed) -> JobConsequence | None:
    """Return what would become of the job that was asked about; None where none was."""
    trial = rehearsed.trial
    if trial is None:
        return None
    others: list[JobProspect] = []
    for job, prospect in trial.others:
        is_estimated = sum(not other.places for other in others) < MOST_ESTIMATED
        others.append(_prospect(rehearsed, job, prospect, is_estimated=is_estimated))
    return JobConsequence(_prospect(rehearsed, trial.job, trial.prospect, is_estimated=True), tuple(others))


def _prospect(rehearsed: Rehearsed, job: Job, prospect: Prospect, *, is_estimated: bool) -> JobProspect:
    now = rehearsed.now
    expected: Expected = None
    if prospect.places:
        expected = Estimate(now, now, StartBasis.FREE, now)
    elif is_estimated and not prospect.is_hopeless and prospect.position <= MOST_BEFORE:
        scene = replace(rehearsed.after.scene, waiters=rehearsed.after.scene.waiters[: prospect.position - 1])
        group = first_group(job.id, 0)
        expected = Forecast(scene, Waiter(group, job, prospect.request)).of(group.id, now)
    return JobProspect(
        job=job,
        places=tuple(_nodes(place.allocations) for place in prospect.places),
        reasons=prospect.reasons,
        is_hopeless=prospect.is_hopeless,
        position=prospect.position,
        expected=expected,
    )


def _nodes(held: Iterable[Allocation]) -> tuple[NodeId, ...]:
    return tuple(dict.fromkeys(allocation.node for allocation in held))


def _leaving(rehearsed: Rehearsed, becomes: Forecast) -> Iterator[Leaving]:
    placed, for_whom = dict(rehearsed.taken.placed), {*rehearsed.taken.for_whom}
    for gone in rehearsed.gone:
        live, group = gone.live, gone.live.group.id
        goes_to = placed.get(group, ())
        yield Leaving(
            group=group,
            job=live.job,
            cause=gone.cause,
            devices_milli=held_milli(live),
            workers=len(live.allocations),
            nodes=_nodes(live.held),
            beneficiary=None if gone.beneficiary is None else job_named_by(gone.beneficiary),
            goes_to=_nodes(goes_to),
            goes_on_with=len(goes_to),
            after_others=group in for_whom,
            waits=None if goes_to else becomes.of(group, rehearsed.now),
        )


def _shrinking(shrunk: Shrunk) -> Shrinking:
    live, after, given_to = shrunk.live, shrunk.after, shrunk.given_to
    return Shrinking(
        group=live.group.id,
        job=live.job,
        cause=given_to.cause,
        workers_before=len(live.allocations),
        workers_after=len(after.allocations),
        gives_milli=given_to.devices_milli,
        devices_milli=held_milli(after),
        nodes=_nodes(after.allocations),
        beneficiary=job_named_by(given_to.beneficiary),
    )


def _starting(rehearsed: Rehearsed, left: set[GroupId], was: Forecast) -> Iterator[Starting]:
    """Yield those that start: at once, then those that others make way for; who only moves is not among them."""
    jobs, now = rehearsed.jobs, rehearsed.now
    for group, held in rehearsed.taken.placed:
        if group not in left:
            yield Starting(group, jobs[group], _nodes(held), was.of(group, now))
    for group in rehearsed.taken.for_whom:
        if group not in left:
            yield Starting(group, jobs[group], (), was.of(group, now), after_others=True)


def _waits(rehearsed: Rehearsed, before: Moment, was: Forecast, becomes: Forecast) -> Waits:
    now, shifts, alike, looked_at = rehearsed.now, list[Shift](), 0, 0
    for waiter in before.scene.waiters:
        group = waiter.group.id
        first, second = was.of(group, now), becomes.of(group, now)
        if first is None or second is None:
            continue
        looked_at += 1
        shift = Shift(group, waiter.job, first, second, _later_s(first, second))
        if _is_shift(shift):
            shifts.append(shift)
        else:
            alike += 1
    never = sum(isinstance(each.before, Estimate) and isinstance(each.after, NoEstimate) for each in shifts)
    longer = sum(each.later_s is not None and each.later_s > 0 for each in shifts)
    shifts.sort(key=lambda each: (each.later_s is not None, -abs(each.later_s or 0.0), each.group))
    return Waits(
        waiting=rehearsed.waiting,
        looked_at=looked_at,
        longer=longer,
        shorter=len(shifts) - longer - never,
        alike=alike,
        never=never,
        shifts=tuple(shifts[:MOST_TOLD]),
    )


def _later_s(before: Expected, after: Expected) -> float | None:
    if isinstance(before, Estimate) and isinstance(after, Estimate):
        return (after.latest - before.latest).total_seconds()
    return None


def _is_shift(shift: Shift) -> bool:
    if shift.later_s is None:
        return isinstance(shift.before, Estimate) != isinstance(shift.after, Estimate)
    return abs(shift.later_s) > LEAST_SHIFT_S


def _shares(before: Moment, after: Moment) -> Iterator[ShareShift]:
    for name, has in after.queues.items():
        had = before.queues.get(name, _NOTHING)
        if had != has:
            yield ShareShift(name, had.due, has.due, had.held, has.held)


def _capacity(before: Moment, after: Moment) -> Iterator[CapacityShift]:
    for chip in sorted({*before.usable, *after.usable}):
        had, has = before.usable.get(chip, 0), after.usable.get(chip, 0)
        if had != has:
            yield CapacityShift(chip, had, has)
