"""Which of several places is best, where a job has no order among its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.core.placement.placement import smallest_domain

if TYPE_CHECKING:
    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.placement.placement import GangPlace, SeatedPart
    from scheduler.core.placement.placer import Placer


def preference(placer: Placer, place: GangPlace) -> tuple[float, int]:
    """Return how good a place is, the more the better; among equals the job's earlier option wins.

    Every term is the mean over the parts of the gang, 0 to 1; nodes count as much as they did when they were chosen.
    """
    weights = placer.weights
    terms = (
        (weights.tightest_fit + weights.fragmentation + weights.cpu_for_devices, _node_score),
        (weights.closeness, _closeness),
        (weights.chip_value, _spared_value),
        (weights.headroom, _kept_headroom),
    )
    score = sum(weight * sum(term(placer, part) for part in place.parts) for weight, term in terms)
    return (score / len(place.parts), -place.option.number)


def _node_score(placer: Placer, part: SeatedPart) -> float:
    """Return the mean score of the nodes."""
    scores = placer.scores(placer.ledger.inventory.fit(part.seating.demand))
    return sum(scores[leftover] for leftover in part.seating.before) / len(part.seating.before)


def _closeness(placer: Placer, part: SeatedPart) -> float:
    """Return 1 for one node, 0 for a domain no smaller than the cluster."""
    cluster = part.seating.before[0].kind.cluster
    levels = (NODE, *placer.ledger.inventory.levels(cluster), CLUSTER)
    return 1 - levels.index(smallest_domain(part.seating)[0]) / (len(levels) - 1)


def _spared_value(placer: Placer, part: SeatedPart) -> float:
    """Return 1 for a chip type that is worth nothing, 0 for the most valuable one."""
    return 1 - placer.worth.values.get(part.seating.demand.chip or "", 0.0)


def _kept_headroom(placer: Placer, part: SeatedPart) -> float:
    """Return how much of the devices that are better left free stays so."""
    chip = part.seating.demand.chip
    wanted = placer.worth.headroom_devices.get(chip or "", 0)
    if not wanted:
        return 1.0
    cluster = part.seating.before[0].kind.cluster
    taken = sum(part.seating.workers) * part.seating.demand.shape.devices_milli / WHOLE_DEVICE_MILLI
    free = _devices_free(placer.ledger.inventory, cluster, chip or "")
    return min(1.0, max(0.0, (free - taken) / wanted))


def _devices_free(inventory: Inventory, cluster: str, chip: str) -> int:
    return sum(
        pool.devices_free(chip, takes_work=True)
        for tier, pool in inventory.pools.get((cluster, chip), {}).items()
        if not tier[1]
    )
