"""All that blocks a job, in full and with its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.deciding.options import nodes_to_avoid
from scheduler.core.model.reason import KeptForOthers, NoCluster, most_binding_first
from scheduler.core.placement.gang import place
from scheduler.core.placement.reasons.shortage import option_shortages
from scheduler.core.queueing.quota import by_measure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.core.deciding.parts.neighbours import Neighbours
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.reason import QuotaExceeded, Reason
    from scheduler.core.placement.placement import GangPlace
    from scheduler.core.placement.request import GangRequest


def all_that_blocks(
    state: SchedulerState,
    request: GangRequest,
    found: GangPlace | KeptForOthers | None,
    others: Iterable[Reason],
    placed: Neighbours | None = None,
) -> tuple[Reason, ...]:
    """Return `others` and what a job lacks, most binding first, each once; `found` is what was found of a place for it.

    Before all else comes the quota that no option is within, whoever ends: there is nothing to wait for.
    """
    lacking: Iterable[Reason] = ()
    if isinstance(found, KeptForOthers):
        lacking = (found,)
    elif found is None:
        lacking = reasons_why_not(state, request, placed)
    return tuple(dict.fromkeys((*_never_within_quota(state, request), *most_binding_first([*others, *lacking]))))


def _never_within_quota(state: SchedulerState, request: GangRequest) -> tuple[QuotaExceeded, ...]:
    """Return which quotas every option would pass though nobody else held anything; none where one would not."""
    every = [
        [over for over in state.sharing.over_quota(request.queue, option.charge_milli) if over.is_lasting]
        for option in request.least
    ]
    return by_measure((over for each in every for over in each), request.measured) if all(every) else ()


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
