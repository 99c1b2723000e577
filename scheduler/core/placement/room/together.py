"""Whether the parts of a gang could ever be held together: by sums, which are cheap, and not by trying."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from scheduler.core.model.reason import Resource
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.core.placement.room.view import View, shared_domains, usable_pools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.ledger.states.demand import Fit
    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.identifiers import ChipName, ClusterName
    from scheduler.core.model.resources import WorkerShape
    from scheduler.core.placement.request import GangRequest, OptionRequest

Kinds = dict["NodeKind", int]
"""How many nodes of each kind there are."""
Need = tuple[Resource, "ChipName | None"]
"""What workers take: of devices those of a chip type, in thousandths."""
_Wanted = tuple["Fit", int, "WorkerShape", "ChipName | None"]
"""Of a part: how often it fits on empty nodes, its workers, and what each of them takes."""


class Lack(NamedTuple):
    """What the parts of a gang need together that no place has which is near enough."""

    need: Need | None
    """None: nodes, none of which takes workers of two parts; or places, where both figures are 0."""
    asked: int
    most: int
    """The most there is of it in a place with room for each part by itself."""


NOWHERE = Lack(None, 0, 0)
"""Each part has a place that is near enough, and no two have the same."""


def lack_together(
    inventory: Inventory, cluster: ClusterName, request: GangRequest, option: OptionRequest
) -> Lack | None:
    """Return what a gang lacks in the empty cluster each part of which fits there by itself.

    None where nothing can be proven by adding up what workers take and what nodes have: it may still never fit.
    """
    if len(option.parts) == 1:
        return None
    wanted: list[_Wanted] = [
        (inventory.fit(part.demand, when_empty=True), part.part.workers, part.part.shape, part.part.chip)
        for part in option.parts
    ]
    found = NOWHERE
    for kinds in _places(inventory, cluster, request, option, wanted):
        lack = _lack_in(kinds, wanted, is_exclusive=request.is_exclusive)
        if lack is None:
            return None
        found = lack if found is NOWHERE else found
    return found


def _places(
    inventory: Inventory, cluster: ClusterName, request: GangRequest, option: OptionRequest, wanted: list[_Wanted]
) -> Iterator[Kinds]:
    """Yield the nodes of each place in which the whole gang must be, the roomiest first; each part has room there."""
    pools = [usable_pools(inventory, cluster, part, request.tenant) for part in option.parts]
    usable = {kind: nodes for tiers in pools for _, pool in tiers for kind, nodes in pool.kinds.items()}
    required = request.closeness.required or CLUSTER
    if required == CLUSTER:
        yield usable
    elif required == NODE:
        yield from ({kind: 1} for kind in usable if all(fit.on_empty(kind) >= workers for fit, workers, *_ in wanted))
    else:
        views = [(View(fit, tiers), workers) for (fit, workers, *_), tiers in zip(wanted, pools, strict=True)]
        for domain in reversed(shared_domains(required, views)):
            yield _kinds_in(domain, usable)


def _kinds_in(domain: Domain, usable: Kinds) -> Kinds:
    found: Kinds = {}
    for entry in domain.nodes():
        kind = entry.leftover.kind
        if kind in usable:
            found[kind] = found.get(kind, 0) + 1
    return found


def _lack_in(kinds: Kinds, wanted: list[_Wanted], *, is_exclusive: bool) -> Lack | None:
    """Return what nodes have too little of: of each at most what the workers would take that fit on it."""
    per_worker = [_taken_by_one(shape, chip) for _, _, shape, chip in wanted]
    for need in dict.fromkeys(need for taken in per_worker for need in taken):
        takers = [(fit, workers, taken[need]) for (fit, workers, *_), taken in zip(wanted, per_worker, strict=True)]
        asked = sum(workers * amount for _, workers, amount in takers)
        most = sum(
            nodes * min(_had_by(kind, need), sum(fit.on_empty(kind) * amount for fit, _, amount in takers))
            for kind, nodes in kinds.items()
        )
        if most < asked:
            return Lack(need, asked, most)
    return _lack_of_nodes(kinds, wanted) if is_exclusive else None


def _lack_of_nodes(kinds: Kinds, wanted: list[_Wanted]) -> Lack | None:
    """Return how many nodes are too few for parts that share none."""
    most = sum(nodes for kind, nodes in kinds.items() if any(fit.on_empty(kind) for fit, *_ in wanted))
    asked = sum(-(-workers // max(1, *(fit.on_empty(kind) for kind in kinds))) for fit, workers, *_ in wanted)
    return Lack(None, asked, most) if most < asked else None


def _taken_by_one(shape: WorkerShape, chip: ChipName | None) -> Counter[Need]:
    return Counter(
        {
            (Resource.DEVICES, chip): shape.devices_milli,
            (Resource.CPU, None): shape.cpu_milli,
            (Resource.MEMORY, None): shape.memory_mib,
            (Resource.PODS, None): 1,
        }
    )


def _had_by(kind: NodeKind, need: Need) -> int:
    """Return what a node has of something when Medley runs nothing on it."""
    resource, chip = need
    empty = kind.empty
    match resource:
        case Resource.DEVICES:
            had = 0 if chip not in kind.group_of else empty.free[kind.group_of[chip or ""]] * WHOLE_DEVICE_MILLI
        case Resource.CPU:
            had = empty.cpu_milli
        case Resource.MEMORY:
            had = empty.memory_mib
        case Resource.PODS:
            had = empty.pods
    return max(0, had)
