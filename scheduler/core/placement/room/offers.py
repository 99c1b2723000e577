"""What a cluster can give at all, however empty it is: shares of devices, and the levels of its topology."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.topology import CLUSTER, NODE

if TYPE_CHECKING:
    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.identifiers import ClusterName
    from scheduler.core.model.resources import WorkerShape
    from scheduler.core.placement.request import GangRequest, OptionRequest


def offers(ledger: Ledger, cluster: ClusterName, option: OptionRequest) -> bool:
    """Say whether a cluster can give what an option asks for: shares that can be, where it enforces them."""
    shapes = [part.part.shape for part in option.parts if is_share(part.part.shape)]
    if not shapes:
        return True
    return gives_shares(ledger, cluster) and all(is_possible_share(shape) for shape in shapes)


def gives_shares(ledger: Ledger, cluster: ClusterName) -> bool:
    """Say whether a cluster can bind a chosen device and enforce a share of it."""
    known = ledger.cluster(cluster)
    return known is None or (known.enforces_shares and known.binds_devices)


def is_share(shape: WorkerShape) -> bool:
    """Say whether a share of a device is asked for, however wrongly."""
    return bool(shape.share_milli or shape.share_memory_mib)


def is_possible_share(shape: WorkerShape) -> bool:
    """Say whether a share is more than nothing, less than a whole device, and all that is asked for of devices."""
    return 0 < shape.share_milli < WHOLE_DEVICE_MILLI and shape.share_memory_mib >= 0 and not shape.devices


def knows_levels(inventory: Inventory, cluster: ClusterName, request: GangRequest) -> bool:
    """Say whether a cluster has all levels that a gang names and cannot do without."""
    levels = (NODE, *inventory.levels(cluster), CLUSTER)
    return all(level in levels for level in wished_levels(request))


def wished_levels(request: GangRequest) -> list[str]:
    """Return the levels that a gang cannot do without."""
    required = [request.closeness.required] if request.closeness.required is not None else []
    return required + [wish.level for wish in (request.spread, request.apart) if wish is not None]
