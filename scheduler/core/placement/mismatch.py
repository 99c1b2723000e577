"""Wishes that a cluster cannot meet however empty it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.reason import CannotServe, Mismatch
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.core.placement.shortfalls import offers, usable_pools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.identifiers import ClusterName
    from scheduler.core.placement.request import GangRequest, OptionRequest, PartRequest

MOST_OFFERED = 20


def mismatches(
    ledger: Ledger, cluster: ClusterName, request: GangRequest, option: OptionRequest
) -> tuple[CannotServe, ...]:
    """Return what of an option's wishes a cluster cannot meet, whatever is free; nothing where it can meet all."""
    return tuple(dict.fromkeys(_mismatches(ledger, cluster, request, option)))


def _mismatches(
    ledger: Ledger, cluster: ClusterName, request: GangRequest, option: OptionRequest
) -> Iterator[CannotServe]:
    inventory = ledger.inventory
    levels = (NODE, *inventory.levels(cluster), CLUSTER)
    wishes = [request.closeness.required]
    wishes += [wish.level for wish in (request.spread, request.apart) if wish is not None]
    for level in wishes:
        if level is not None and level not in levels:
            yield CannotServe(cluster, Mismatch.LEVEL, (level,), levels)
    if not offers(ledger, cluster, option):
        yield CannotServe(cluster, Mismatch.SHARES, ())
    for part in option.parts:
        yield from _of_part(inventory, cluster, request, part)
    spread, required = request.spread, request.closeness.required or CLUSTER
    if spread is not None and spread.level in levels and required in levels:
        workers = sum(part.part.workers for part in option.parts)
        if levels.index(spread.level) >= levels.index(required) and workers > spread.most:
            asked = (f"at most {spread.most} in one {spread.level}", f"all {workers} in one {required}")
            yield CannotServe(cluster, Mismatch.CONTRADICTION, asked)


def _of_part(
    inventory: Inventory, cluster: ClusterName, request: GangRequest, part: PartRequest
) -> Iterator[CannotServe]:
    pools = usable_pools(inventory, cluster, part, request.tenant)
    kinds = [kind for _, pool in pools for kind in pool.kinds]
    wanted = part.demand.labels
    if kinds and wanted and not any(set(wanted).issubset(kind.labels) for kind in kinds):
        keys = {key for key, _ in wanted}
        offered = sorted({f"{key}={value}" for kind in kinds for key, value in kind.labels if key in keys})
        asked = tuple(f"{key}={value}" for key, value in wanted)
        yield CannotServe(cluster, Mismatch.NODE_LABELS, asked, tuple(offered[:MOST_OFFERED]))
    shape = part.part.shape
    if shape.share_milli and kinds:
        chip = part.part.chip or ""
        most_mib = max(kind.devices[kind.group_of[chip]].memory_mib for kind in kinds)
        if not 0 < shape.share_milli < WHOLE_DEVICE_MILLI or shape.share_memory_mib > most_mib or shape.devices:
            asked = (f"{shape.share_milli} thousandths", f"{shape.share_memory_mib} MiB")
            yield CannotServe(cluster, Mismatch.SHARE_SIZE, asked, (f"{most_mib} MiB",))
