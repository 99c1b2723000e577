"""Why a gang has no place in a cluster: the typed reasons with their numbers."""

from dataclasses import dataclass

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.identifiers import ChipName, ClusterName
from scheduler.core.model.reason import NeverFits, TooFewFree
from scheduler.core.model.resources import WorkerShape
from scheduler.core.placement.request import PlacementRequest
from scheduler.core.placement.room import ClusterRoom, Survey, whole_spare, workers_by_rest
from scheduler.core.placement.seating import Unseated, find_unseated


@dataclass(frozen=True, slots=True)
class _Short:
    """Workers on one chip type of which only some fit."""

    cluster: ClusterName
    chip: ChipName
    shape: WorkerShape
    workers: int
    fit: int


def shortages(
    survey: Survey, request: PlacementRequest, *, room: ClusterRoom, unseated: Unseated
) -> tuple[NeverFits, ...] | tuple[TooFewFree, ...]:
    """Return one reason per chip type of which too few workers fit into a cluster now.

    Where the gang would not fit into the empty cluster either, only what is lacking even there is named. `unseated`
    is what came of seating the gang in `room`.
    """
    wanted = request.totals()
    unseated_when_empty = find_unseated(survey.when_empty(room.cluster, wanted, request.shape), wanted)
    if unseated_when_empty is not None:
        return tuple(
            _never_fits(survey.ledger, _Short(room.cluster, chip, request.shape, wanted[chip], fit))
            for chip, fit in unseated_when_empty.fit.items()
        )
    return tuple(
        _too_few_free(survey.ledger, room, _Short(room.cluster, chip, request.shape, wanted[chip], fit))
        for chip, fit in unseated.fit.items()
    )


def _too_few_free(ledger: Ledger, room: ClusterRoom, short: _Short) -> TooFewFree:
    return TooFewFree(
        cluster=short.cluster,
        chip=short.chip,
        workers=short.workers,
        devices_per_worker=short.shape.devices,
        workers_fit=short.fit,
        nodes_fit=len(room.chips[short.chip].nodes),
        devices_free=ledger.devices_free(short.cluster, short.chip),
        devices_drained=ledger.devices_drained(short.cluster, short.chip),
        holders=ledger.holders(short.cluster, short.chip),
    )


def _never_fits(ledger: Ledger, short: _Short) -> NeverFits:
    nodes = ledger.nodes_with(short.cluster, short.chip)
    return NeverFits(
        cluster=short.cluster,
        chip=short.chip,
        workers=short.workers,
        devices_per_worker=short.shape.devices,
        workers_fit_empty=short.fit,
        largest_node_devices=max((len(node.slots(short.chip)) for node in nodes), default=0),
        limited_by=_limiting_resource(ledger, short),
    )


def _limiting_resource(ledger: Ledger, short: _Short) -> str:
    """Return `devices` where they alone are too few, else that of cpu, memory and pods which allows fewest workers.

    Chip types of one gang that fit one by one and not together are limited by what they share.
    """
    by_devices = 0
    with_devices = {"cpu": 0, "memory": 0, "pods": 0}
    by_itself = {"cpu": 0, "memory": 0, "pods": 0}
    for node in ledger.nodes_with(short.cluster, short.chip):
        seats = len(node.slots(short.chip)) // short.shape.devices
        by_devices += seats
        for resource, fit in workers_by_rest(whole_spare(node), short.shape).items():
            with_devices[resource] += min(seats, fit)
            by_itself[resource] += fit
    if by_devices < short.workers:
        return "devices"
    return min(with_devices, key=lambda resource: (with_devices[resource], by_itself[resource]))
