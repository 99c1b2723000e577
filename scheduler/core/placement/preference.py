"""Which of several places is best, where a job has no order among its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.core.placement.placement import smallest_domain
from scheduler.core.placement.ranking import squashed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.placement.placement import GangPlace, SeatedPart
    from scheduler.core.placement.placer import Placer


def choose(placer: Placer, places: Sequence[GangPlace]) -> GangPlace:
    """Return the best of several places; ties end in the name of the first node.

    Where the placer draws nodes, an option is as likely as it has nodes.
    """
    if placer.draw is None or len(places) == 1:
        return min(places, key=lambda place: (-_score(placer, place), place.parts[0].seating.nodes[0].id))
    drawn = placer.draw(sum(place.parts[0].nodes_considered for place in places))
    for place in places:
        drawn -= place.parts[0].nodes_considered
        if drawn < 0:
            return place
    return places[-1]


def _score(placer: Placer, place: GangPlace) -> float:
    """Return how good a place is. Every term is the mean over the parts of the gang, 0 to 1."""
    weights = placer.weights
    terms = (
        (weights.node, _node_score),
        (weights.closeness, _closeness),
        (weights.chip_value, _spared_value),
        (weights.headroom, _kept_headroom),
    )
    score = sum(weight * sum(term(placer, part) for part in place.parts) for weight, term in terms)
    return score / len(place.parts)


def _node_score(placer: Placer, part: SeatedPart) -> float:
    """Return the mean score of the nodes, as 0 to 1."""
    scores = placer.scores(placer.ledger.inventory.fit(part.seating.demand))
    return sum(squashed(scores[leftover]) for leftover in part.seating.before) / len(part.seating.before)


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
