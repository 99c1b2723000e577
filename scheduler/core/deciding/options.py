"""Who and where in one step: whether a job may run on one of its options, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.job import Choice
from scheduler.core.placement.gang import place
from scheduler.core.placement.preference import choose

if TYPE_CHECKING:
    from scheduler.core.deciding.parts.neighbours import Neighbours
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.identifiers import NodeId
    from scheduler.core.placement.placement import GangPlace
    from scheduler.core.placement.request import GangRequest


def find_place(state: SchedulerState, request: GangRequest, placed: Neighbours | None = None) -> GangPlace | None:
    """Return a place on an option of the job that its quota and the free capacity allow: the first, or the best.

    None where no option can be had now. `placed` are attempts that hold something and are not live yet. The state is
    afterwards as it was.
    """
    places: list[GangPlace] = []
    avoid = nodes_to_avoid(state, request, placed)
    for option in request.options:
        if state.sharing.over_quota(request.queue, option.charge_milli):
            continue
        found = place(state.placer, request, option, avoid)
        if found is None:
            continue
        if request.choice is Choice.ORDERED:
            return found
        places.append(found)
    return choose(state.placer, places) if places else None


def nodes_to_avoid(state: SchedulerState, request: GangRequest, placed: Neighbours | None = None) -> tuple[NodeId, ...]:
    """Return the nodes of those that the gang wants to be apart from, by id."""
    if request.apart is None:
        return ()
    attempts = set(state.neighbours.with_labels(request.tenant, request.apart.labels))
    if placed is not None:
        attempts |= placed.with_labels(request.tenant, request.apart.labels)
    there = [attempt for attempt in attempts if state.ledger.has_hold(attempt)]  # on a trial, some may have been let go
    return tuple(sorted({node for attempt in there for node in state.ledger.nodes_of(attempt)}))
