"""The smallest change of a job by which it would start: each kind of change is tried on what there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.beside import Beside
from scheduler.core.deciding.backfilling.hopes import RESERVE_AFTER_S
from scheduler.core.deciding.backfilling.reservations import reserved_for
from scheduler.core.deciding.lacks import Numbers
from scheduler.core.model.asking.remedies import (
    AlsoOnChip,
    FewerDevices,
    FewerWorkers,
    Remedy,
    ShorterLimit,
    Without,
    wishes_of,
    with_remedy,
)
from scheduler.core.model.asking.suppositions import MOST_CHIPS_TRIED
from scheduler.core.model.group import first_group
from scheduler.core.model.identifiers import job_named_by
from scheduler.core.model.job import AnyOf
from scheduler.core.model.reason import KeptForOthers
from scheduler.core.placement.placement import GangPlace
from scheduler.core.placement.reasons.never import reasons_why_never
from scheduler.core.placement.request import request_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime

    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.model.job import Job, JobSpec

    Helps = Callable[[JobSpec], bool]

_MINUTE_S = 60


def changes_to_start(state: SchedulerState, job: Job, now: datetime) -> tuple[Remedy, ...]:
    """Return what, each by itself, would let a gang of a job that has no place now start now; smallest change first.

    It is submitted anew then, instead of the job, so that what is kept for that is free again; nothing, where others
    would have that first. What is kept for others is not for it, unless it is gone by then. The state is afterwards as
    it was.
    """
    numbers, group = Numbers(state), first_group(job.id, 0)
    if _is_waited_for(state, job, numbers, now):
        return ()
    beside = Beside(state, now, instead_of=job.id)

    def tried(spec: JobSpec) -> GangPlace | KeptForOthers | None:
        changed = replace(job, spec=spec, submitted_at=now)
        request, place = state.speeds.asked_by(changed), (state.order.key(changed, group), group.id)
        return beside.find(request, changed, place) if numbers.allow(request) else None

    def would_start(spec: JobSpec) -> bool:
        return isinstance(tried(spec), GangPlace)

    return (*_with_shorter_limit(job.spec, tried(job.spec), would_start), *_found(state, job.spec, would_start))


def _is_waited_for(state: SchedulerState, job: Job, numbers: Numbers, now: datetime) -> bool:
    """Say whether others would have what is kept for a job, or have it kept for them, as soon as the job was gone."""
    kept_for = {job_named_by(name) for name in state.promised}
    if job.id not in kept_for:
        return False
    own = {reserved_for(name) for name in state.promised if job_named_by(name) == job.id}
    if any(end.name in own for promise in state.promised.values() for end in promise.awaited):
        return True
    chips, of_age = state.request(job.id).chips, now - timedelta(seconds=RESERVE_AFTER_S)
    for waiting in state.waiters.classes.all.values():
        request = waiting.asked[0]
        if chips.isdisjoint(request.chips):
            continue
        others = [name for _, group in waiting.members if (name := job_named_by(group)) != job.id]
        if not others or not kept_for.isdisjoint(others):
            continue
        if numbers.allow(request) or any(state.jobs[name].submitted_at <= of_age for name in others):
            return True
    return False


def changes_to_fit(state: SchedulerState, job: Job) -> tuple[Remedy, ...]:
    """Return what, each by itself, would let a job fit that could not run even if nothing else did."""

    def could_run(spec: JobSpec) -> bool:
        return not reasons_why_never(state.ledger, request_of(replace(job, spec=spec)))

    return tuple(_found(state, job.spec, could_run))


def _with_shorter_limit(spec: JobSpec, found: GangPlace | KeptForOthers | None, helps: Helps) -> Iterator[ShorterLimit]:
    """Yield the longest limit in whole minutes that helps, and still does for the minute in which it is submitted."""
    if isinstance(found, KeptForOthers) and found.overtakes_s is not None:
        limit_s = (found.overtakes_s - _MINUTE_S) // _MINUTE_S * _MINUTE_S
        if limit_s > 0 and helps(with_remedy(spec, ShorterLimit(limit_s))):
            yield ShorterLimit(limit_s)


def other_chips(state: SchedulerState, accepted: Collection[ChipName]) -> list[ChipName]:
    """Return further chip types of nodes that take work, those that are worth most first, at most MOST_CHIPS_TRIED."""
    there = {count.chip for count in state.tally.capacity() if count.usable}
    worth = state.placer.worth.values
    return sorted(there.difference(accepted), key=lambda chip: (-worth.get(chip, 0.0), chip))[:MOST_CHIPS_TRIED]


def _found(state: SchedulerState, spec: JobSpec, helps: Helps) -> Iterator[Remedy]:
    """Yield one change of each kind that helps: wishes about where are given up first, devices last."""
    for wish in wishes_of(spec):
        if helps(with_remedy(spec, Without(wish))):
            yield Without(wish)
    yield from _on_another_chip(state, spec, helps)
    yield from _with_less(spec, helps)


def _on_another_chip(state: SchedulerState, spec: JobSpec, helps: Helps) -> Iterator[AlsoOnChip]:
    """Yield the first chip type that helps: of those that are worth most."""
    if not isinstance(spec.chips, AnyOf) or not spec.chips.chips or spec.roles:
        return
    for chip in other_chips(state, spec.chips.chips):
        if helps(with_remedy(spec, AlsoOnChip(chip))):
            yield AlsoOnChip(chip)
            return


def _with_less(spec: JobSpec, helps: Helps) -> Iterator[Remedy]:
    """Yield with how many workers it would do, the most there may be; of fewer devices where not even one would."""
    if not isinstance(spec.chips, AnyOf):
        return
    workers = _most(spec.workers - 1, lambda most: helps(with_remedy(spec, FewerWorkers(most))))
    if workers:
        yield FewerWorkers(workers)
        return
    devices = _most(spec.shape.devices - 1, lambda most: helps(with_remedy(spec, FewerDevices(most))))
    if devices:
        yield FewerDevices(devices)


def _most(largest: int, helps: Callable[[int], bool]) -> int:
    """Return the most, up to the largest, that helps, 0 where nothing does: what helps does so with less too."""
    low, high = 0, largest
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if helps(middle) else (low, middle - 1)
    return low
