"""The smallest change of a job by which it would start: each kind of change is tried on what there is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.core.deciding.lacks import Numbers
from scheduler.core.deciding.options import find_place
from scheduler.core.model.asking.remedies import (
    AlsoOnChip,
    FewerDevices,
    FewerWorkers,
    Remedy,
    Without,
    wishes_of,
    with_remedy,
)
from scheduler.core.model.asking.suppositions import MOST_CHIPS_TRIED
from scheduler.core.model.job import AnyOf
from scheduler.core.placement.reasons.never import reasons_why_never
from scheduler.core.placement.request import request_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.model.job import Job, JobSpec

    Helps = Callable[[JobSpec], bool]


def changes_to_start(state: SchedulerState, job: Job) -> tuple[Remedy, ...]:
    """Return what, each by itself, would let a gang of a job that has no place now start now; smallest change first.

    The state is afterwards as it was.
    """
    numbers = Numbers(state)

    def would_start(spec: JobSpec) -> bool:
        request = state.speeds.asked_by(replace(job, spec=spec))
        return numbers.allow(request) and find_place(state, request) is not None

    return tuple(_found(state, job.spec, would_start))


def changes_to_fit(state: SchedulerState, job: Job) -> tuple[Remedy, ...]:
    """Return what, each by itself, would let a job fit that could not run even if nothing else did."""

    def could_run(spec: JobSpec) -> bool:
        return not reasons_why_never(state.ledger, request_of(replace(job, spec=spec)))

    return tuple(_found(state, job.spec, could_run))


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
