"""All that blocks a job, in full and with its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.deciding.options import nodes_to_avoid
from scheduler.core.model.reason import NoCluster, most_binding_first
from scheduler.core.placement.gang import place
from scheduler.core.placement.reasons.shortage import option_shortages
from scheduler.core.queueing.quota import by_measure

if TYPE_CHECKING:
    from scheduler.core.deciding.parts.neighbours import Neighbours
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.reason import Reason
    from scheduler.core.placement.request import GangRequest


def reasons_why_not(
    state: SchedulerState, request: GangRequest, placed: Neighbours | None = None
) -> tuple[Reason, ...]:
    """Return all that blocks a job that has no place now, most binding first; `placed` as for `find_place`.

    Clusters in which an option would fit if nothing else ran speak for it; only without any do the others.
    """
    ledger = state.ledger
    reasons: list[Reason] = []
    for option in request.least:
        reasons += by_measure(state.sharing.over_quota(request.queue, option.charge_milli), request.measured)
    if all(cluster in request.without for cluster in ledger.clusters()):
        return most_binding_first([*reasons, NoCluster()])
    avoid = nodes_to_avoid(state, request, placed)
    for option in request.least:
        if place(state.placer, request, option, avoid) is None:
            reasons += option_shortages(ledger, request, option, avoid)
    return most_binding_first(reasons)
