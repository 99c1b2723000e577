"""Who and where in one step: whether a job may run on one of its options, and if not, all that blocks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.core.model.job import Choice
from scheduler.core.model.reason import NoCluster
from scheduler.core.placement.gang import place
from scheduler.core.placement.preference import choose
from scheduler.core.placement.reasons.shortfalls import shortfalls
from scheduler.core.placement.setting_aside import kept_apart
from scheduler.core.queueing.quota import over_quota

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.core.deciding.neighbours import Neighbours
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.identifiers import ClusterName, NodeId
    from scheduler.core.model.reason import QuotaExceeded, Shortfall
    from scheduler.core.placement.placement import GangPlace
    from scheduler.core.placement.request import GangRequest, OptionRequest


@dataclass(frozen=True, slots=True)
class Blocked:
    """No option of a job can be had now."""

    reasons: tuple[QuotaExceeded | Shortfall | NoCluster, ...]
    """Quota first."""


def find_place(state: SchedulerState, request: GangRequest, placed: Neighbours | None = None) -> GangPlace | Blocked:
    """Return a place on an option of the job that its quota and the free capacity allow: the first, or the best.

    `placed` are attempts that hold something and are not live yet. The state is afterwards as it was.
    """
    places: list[GangPlace] = []
    over: tuple[QuotaExceeded, ...] = ()
    ledger = state.ledger
    avoid = nodes_to_avoid(state, request, placed)
    for option in request.options:
        exceeded = over_quota(ledger, state.quotas, tenant=request.tenant, devices_milli=option.devices_milli)
        if exceeded:
            over += exceeded
            continue
        found = place(state.placer, request, option, avoid)
        if found is None:
            continue
        if request.choice is Choice.ORDERED:
            return found
        places.append(found)
    if places:
        return choose(state.placer, places)
    return _blocked(state, request, over, avoid)


def nodes_to_avoid(state: SchedulerState, request: GangRequest, placed: Neighbours | None = None) -> tuple[NodeId, ...]:
    """Return the nodes of those that the gang wants to be apart from, by id."""
    if request.apart is None:
        return ()
    attempts = set(state.neighbours.with_labels(request.tenant, request.apart.labels))
    if placed is not None:
        attempts |= placed.with_labels(request.tenant, request.apart.labels)
    return tuple(sorted({node for attempt in attempts for node in state.ledger.nodes_of(attempt)}))


def _blocked(
    state: SchedulerState, request: GangRequest, over: tuple[QuotaExceeded, ...], avoid: Sequence[NodeId]
) -> Blocked:
    inventory = state.ledger.inventory
    clusters = [cluster for cluster in inventory.clusters() if cluster not in request.without]
    if not clusters:
        return Blocked((*dict.fromkeys(over), NoCluster()))
    short = tuple(
        [
            lacking
            for option in request.options
            for cluster in clusters
            for lacking in _short(state, cluster, request, option, avoid)
            if lacking.fit < lacking.workers or len(option.parts) > 1
        ]
    )
    return Blocked((*dict.fromkeys(over), *dict.fromkeys(short)))


def _short(
    state: SchedulerState, cluster: ClusterName, request: GangRequest, option: OptionRequest, avoid: Sequence[NodeId]
) -> tuple[Shortfall, ...]:
    with kept_apart(state.ledger, cluster, request, avoid):
        return shortfalls(state.placer, cluster, request, option)
