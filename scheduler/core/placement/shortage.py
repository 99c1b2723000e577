"""Why a gang has no place in a cluster: the typed reasons with their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.occupancy import Spare
from scheduler.core.model.identifiers import ChipName, ClusterName
from scheduler.core.model.reason import Limit, NeverFits, Resource, TooFewFree
from scheduler.core.model.resources import WorkerShape
from scheduler.core.placement.request import PlacementRequest
from scheduler.core.placement.room import ClusterRoom, Survey, whole_spare, workers_by_rest
from scheduler.core.placement.seating import Unseated, find_unseated

_REST = (Resource.CPU, Resource.MEMORY, Resource.PODS)


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
    free = ledger.nodes_with_free(short.cluster, short.chip, at_least=0)
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
        limit=_limit([_Offer(devices, ledger.spare(node)) for node, devices in free], short),
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
        limit=_limit([_Offer(len(node.slots(short.chip)), whole_spare(node)) for node in nodes], short),
    )


@dataclass(frozen=True, slots=True)
class _Offer:
    """What one node has to give."""

    devices: int
    spare: Spare

    def amount(self, resource: Resource) -> int:
        """Return how much of a resource that is, in its unit."""
        amounts = {
            Resource.DEVICES: self.devices,
            Resource.CPU: self.spare.cpu_milli,
            Resource.MEMORY: self.spare.memory_mib,
            Resource.PODS: self.spare.pods,
        }
        return amounts[resource]


def _limit(offers: Sequence[_Offer], short: _Short) -> Limit:
    """Return what keeps workers out: devices where they alone are too few, else what allows the fewest workers.

    Other resources count on nodes with devices for a worker. Chip types of one gang that fit one by one and not
    together are limited by what they share.
    """
    seated = [offer for offer in offers if offer.devices >= short.shape.devices]
    if sum(offer.devices // short.shape.devices for offer in seated) < short.workers:
        return Limit(Resource.DEVICES, short.shape.devices, max((offer.devices for offer in offers), default=0))
    with_devices = dict.fromkeys(_REST, 0)
    by_itself = dict.fromkeys(_REST, 0)
    for offer in seated:
        for resource, fit in workers_by_rest(offer.spare, short.shape).items():
            with_devices[resource] += min(offer.devices // short.shape.devices, fit)
            by_itself[resource] += fit
    scarcest = min(_REST, key=lambda resource: (with_devices[resource], by_itself[resource]))
    asked = {Resource.CPU: short.shape.cpu_milli, Resource.MEMORY: short.shape.memory_mib, Resource.PODS: 1}
    return Limit(scarcest, asked[scarcest], max(offer.amount(scarcest) for offer in seated))
