"""Wishes that a cluster cannot meet however empty it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.core.ledger.states.demand import NO_LIMIT, demand_of
from scheduler.core.model.reason import CannotServe, Mismatch, Resource
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.topology import CLUSTER, NODE, Spread
from scheduler.core.placement.room.fitting import fitting, spread_room
from scheduler.core.placement.room.offers import gives_shares, is_possible_share, is_share, wished_levels
from scheduler.core.placement.room.together import NOWHERE, lack_together
from scheduler.core.placement.room.view import View, usable_pools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.identifiers import ClusterName
    from scheduler.core.placement.request import GangRequest, OptionRequest, PartRequest
    from scheduler.core.placement.room.together import Need

MOST_OFFERED = 20
_UNITS = {Resource.CPU: "milli-cores", Resource.MEMORY: "MiB", Resource.PODS: "workers"}


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
    unknown = [level for level in wished_levels(request) if level not in levels]
    for level in unknown:
        yield CannotServe(cluster, Mismatch.LEVEL, (level,), levels)
    if any(is_share(part.part.shape) for part in option.parts) and not gives_shares(ledger, cluster):
        yield CannotServe(cluster, Mismatch.SHARES, ())
    for part in option.parts:
        yield from _of_part(inventory, cluster, request, part)
    spread = _spread_of(request, option)
    if spread is not None and not unknown:
        yield from _of_spread(inventory, cluster, request, option, spread)


def _spread_of(request: GangRequest, option: OptionRequest) -> Spread | None:
    """Return over what a gang is spread; over nodes that is part of its demands."""
    most_per_node = option.parts[0].demand.most_per_node
    return request.spread if most_per_node == NO_LIMIT else Spread(NODE, most_per_node)


def _of_spread(
    inventory: Inventory, cluster: ClusterName, request: GangRequest, option: OptionRequest, spread: Spread
) -> Iterator[CannotServe]:
    levels = (NODE, *inventory.levels(cluster), CLUSTER)
    required = request.closeness.required or CLUSTER
    workers = sum(part.part.workers for part in option.parts)
    if levels.index(spread.level) >= levels.index(required) and workers > spread.most:
        asked = (f"at most {spread.most} in one {spread.level}", f"all {workers} in one {required}")
        yield CannotServe(cluster, Mismatch.CONTRADICTION, asked)
    elif _is_kept_out(inventory, cluster, request, option):
        count = _domains(inventory, cluster, request, option, spread.level)
        offered = f"{count} {spread.level}{'' if count == 1 else 's'}"
        asked = (f"{workers} workers", f"at most {spread.most} per {spread.level}")
        yield CannotServe(cluster, Mismatch.SPREAD, asked, (offered,))


def _is_kept_out(inventory: Inventory, cluster: ClusterName, request: GangRequest, option: OptionRequest) -> bool:
    """Say whether a gang would fit into the empty cluster if it were not spread."""
    together = replace(request, spread=None)
    has_room = all(
        fitting(inventory, cluster, together, _unspread(part), when_empty=True)[0] >= part.part.workers
        for part in option.parts
    )
    fits = all(
        fitting(inventory, cluster, request, part, when_empty=True)[0] >= part.part.workers for part in option.parts
    )
    workers = sum(part.part.workers for part in option.parts)
    return has_room and not (fits and spread_room(inventory, cluster, request, option) >= workers)


def _unspread(part: PartRequest) -> PartRequest:
    asked = part.demand
    return replace(part, demand=demand_of(asked.chip, asked.shape, asked.labels, is_exclusive=asked.is_exclusive))


def _domains(
    inventory: Inventory, cluster: ClusterName, request: GangRequest, option: OptionRequest, level: str
) -> int:
    """Return how many domains of a level have room for workers when nothing runs."""
    views = [
        View(inventory.fit(part.demand, when_empty=True), usable_pools(inventory, cluster, part, request.tenant))
        for part in option.parts
    ]
    if level == NODE:
        return max(view.nodes for view in views)
    return len({domain for view in views for domain in view.spread(level, 1)})


def never_together(
    ledger: Ledger, cluster: ClusterName, request: GangRequest, option: OptionRequest
) -> tuple[CannotServe, ...]:
    """Return what the parts of an option lack together, each of which a cluster has room for when it is empty."""
    lack = lack_together(ledger.inventory, cluster, request, option)
    if lack is None:
        return ()
    required = request.closeness.required or CLUSTER
    near = {CLUSTER: "", NODE: " on one node"}.get(required, f" in one {required}")
    if lack is NOWHERE:
        return (CannotServe(cluster, Mismatch.TOGETHER, (f"a place{near}",)),)
    asked, most = _amount(lack.need, lack.asked), _amount(lack.need, lack.most)
    return (CannotServe(cluster, Mismatch.TOGETHER, (f"{asked}{near}",), (most,)),)


def _amount(need: Need | None, number: int) -> str:
    if need is None:
        return f"{number} node{'' if number == 1 else 's'}"
    resource, chip = need
    if resource is Resource.DEVICES:
        return f"{number / WHOLE_DEVICE_MILLI:g} {chip}"
    return f"{number} {_UNITS[resource]}"


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
    if is_share(shape) and kinds:
        chip = part.part.chip or ""
        groups = [kind.devices[kind.group_of[chip]] for kind in kinds if chip in kind.group_of]
        most_mib = max((group.memory_mib for group in groups), default=0)
        if not is_possible_share(shape) or shape.share_memory_mib > most_mib:
            asked = (f"{shape.share_milli} thousandths", f"{shape.share_memory_mib} MiB")
            yield CannotServe(cluster, Mismatch.SHARE_SIZE, asked, (f"{most_mib} MiB",))
