"""What keeps a gang out of a cluster, in short: cheap enough to be said of every waiting gang at every decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.reason import Shortfall
from scheduler.core.model.topology import CLUSTER
from scheduler.core.placement.room.fitting import fitting_in
from scheduler.core.placement.room.offers import knows_levels, offers

if TYPE_CHECKING:
    from scheduler.core.model.identifiers import ClusterName
    from scheduler.core.placement.placer import Placer
    from scheduler.core.placement.request import GangRequest, OptionRequest


def shortfalls(
    placer: Placer, cluster: ClusterName, request: GangRequest, option: OptionRequest
) -> tuple[Shortfall, ...]:
    """Return one shortfall per part of which too few workers fit now; of all where each of them fits by itself.

    None fits where the cluster cannot give what is asked for at all, be it shares or a level.
    """
    ledger = placer.ledger
    is_served = offers(ledger, cluster, option) and knows_levels(ledger.inventory, cluster, request)
    level = request.closeness.required or CLUSTER
    levels = ledger.inventory.levels(cluster)
    found = []
    for part in option.parts:
        view = placer.views(cluster, request, part).widest()
        at_level, anywhere = (0, 0) if view is None else fitting_in(view, request, levels)
        at_level = at_level if is_served else 0
        asked = part.part
        found.append(Shortfall(cluster, asked.chip, asked.role, asked.workers, level, at_level, anywhere))
    return tuple([short for short in found if short.fit < short.workers]) or tuple(found)
