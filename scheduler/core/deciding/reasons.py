"""All that blocks a job, in full and with its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.deciding.options import nodes_to_avoid
from scheduler.core.model.reason import BackingOff, CannotServe, NeverFits, NoCluster, QuotaExceeded, Reason, TooFewFree
from scheduler.core.placement.gang import place
from scheduler.core.placement.reasons.shortage import shortages
from scheduler.core.queueing.quota import over_quota

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.placement.request import GangRequest

_MOST_BINDING_FIRST = (BackingOff, QuotaExceeded, NoCluster, TooFewFree, NeverFits, CannotServe)


def reasons_why_not(state: SchedulerState, request: GangRequest) -> tuple[Reason, ...]:
    """Return all that blocks a job that has no place now, most binding first.

    Clusters in which an option would fit if nothing else ran speak for it; only without any do the others.
    """
    reasons: list[Reason] = []
    for option in request.options:
        reasons += over_quota(state.ledger, state.quotas, tenant=request.tenant, devices_milli=option.devices_milli)
    reasons += _lacking(state, request)
    return most_binding_first(reasons)


def reasons_why_never(state: SchedulerState, request: GangRequest) -> tuple[Reason, ...]:
    """Return why a job that can never run as it asks cannot."""
    return most_binding_first(_lacking(state, request, is_hopeless=True))


def most_binding_first(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return each reason once: back-off, then quota, then capacity; the job's liking decides among equals."""
    return tuple(sorted(dict.fromkeys(reasons), key=lambda reason: _MOST_BINDING_FIRST.index(type(reason))))


def _lacking(state: SchedulerState, request: GangRequest, *, is_hopeless: bool = False) -> Iterator[Reason]:
    clusters = [cluster for cluster in state.ledger.clusters() if cluster not in request.without]
    if not clusters:
        yield NoCluster()
    avoid = () if is_hopeless else nodes_to_avoid(state, request)
    for option in request.options if clusters else ():
        if not is_hopeless and place(state.placer, request, option, avoid) is not None:
            continue
        found = [
            lacking for cluster in clusters for lacking in shortages(state.ledger, cluster, request, option, avoid)
        ]
        waits = [lacking for lacking in found if isinstance(lacking, TooFewFree)]
        yield from waits or found
