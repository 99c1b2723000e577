"""Why a gang has no place in a cluster: the typed reasons in full, with the nearest shape that would fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scheduler.core.ledger.states.demand import NO_LIMIT, demand_of, shares_that_fit
from scheduler.core.model.reason import KeptApart, Limit, NearestShape, NeverFits, Resource, TooFewFree
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.topology import CLUSTER, NODE, Spread
from scheduler.core.placement.reasons.mismatch import mismatches, never_together
from scheduler.core.placement.request import PartRequest
from scheduler.core.placement.room.fitting import fitting
from scheduler.core.placement.room.view import usable_pools
from scheduler.core.placement.setting_aside import domains_kept_apart, kept_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.ledger.states.leftover import Left
    from scheduler.core.model.identifiers import ClusterName, NodeId
    from scheduler.core.model.reason import CannotServe
    from scheduler.core.model.resources import WorkerShape
    from scheduler.core.placement.request import GangRequest, OptionRequest

_REST = (Resource.CPU, Resource.MEMORY, Resource.PODS)

Shortage = tuple["CannotServe | NeverFits", ...] | tuple[TooFewFree, ...]


def shortages(
    ledger: Ledger,
    cluster: ClusterName,
    request: GangRequest,
    option: OptionRequest,
    nodes_to_avoid: Sequence[NodeId] = (),
) -> Shortage:
    """Return why an option has no place in a cluster now.

    Where it would not have one in the empty cluster either, only what is lacking even there is named. Parts that fit
    one by one and not together are all named. On domains that the gang keeps apart from none of its workers fits, but
    their devices are free.
    """
    wishes = mismatches(ledger, cluster, request, option)
    if wishes:
        return wishes
    parts = [_Part(ledger, cluster, request, part) for part in option.parts]
    never: tuple[CannotServe | NeverFits, ...] = tuple(
        part.never_fits() for part in parts if part.fits(when_empty=True) < part.workers
    )
    never = never or never_together(ledger, cluster, request, option)
    if never:
        return never
    found = tuple(part.too_few_free() for part in parts)
    domains = domains_kept_apart(ledger, cluster, request, nodes_to_avoid)
    if request.apart is not None and domains:
        in_all, level = found, request.apart.level
        with kept_apart(ledger, cluster, request, nodes_to_avoid):
            found = tuple(
                _with_room_of(reason, part.too_few_free(), KeptApart(level, domains, reason.workers_fit))
                for reason, part in zip(in_all, parts, strict=True)
            )
    return tuple(reason for reason in found if reason.workers_fit < reason.workers) or found


def option_shortages(
    ledger: Ledger, request: GangRequest, option: OptionRequest, nodes_to_avoid: Sequence[NodeId] = ()
) -> list[CannotServe | NeverFits | TooFewFree]:
    """Return why an option has no place in any cluster that the gang may use.

    Clusters in which it would fit if nothing else ran speak for it; only without any do the others.
    """
    found = [
        lacking
        for cluster in ledger.clusters()
        if cluster not in request.without
        for lacking in shortages(ledger, cluster, request, option, nodes_to_avoid)
    ]
    return [lacking for lacking in found if isinstance(lacking, TooFewFree)] or found


def _with_room_of(reason: TooFewFree, other: TooFewFree, kept: KeptApart) -> TooFewFree:
    return replace(
        reason,
        workers_fit=other.workers_fit,
        workers_fit_anywhere=other.workers_fit_anywhere,
        nodes_fit=other.nodes_fit,
        limit=other.limit,
        nearest=other.nearest,
        kept_apart=kept,
    )


@dataclass(frozen=True, slots=True)
class _Offer:
    """What nodes in one state have to give."""

    nodes: int
    left: Left
    group: int | None

    def amount(self, resource: Resource) -> int:
        """Return how much of a resource one of the nodes has, in its unit."""
        amounts = {
            Resource.DEVICES: 0 if self.group is None else self.left.free[self.group],
            Resource.CPU: self.left.cpu_milli,
            Resource.MEMORY: self.left.memory_mib,
            Resource.PODS: self.left.pods,
        }
        return max(0, amounts[resource])


class _Part:
    """One part of a gang that a cluster has no room for."""

    def __init__(self, ledger: Ledger, cluster: ClusterName, request: GangRequest, part: PartRequest) -> None:
        self._ledger = ledger
        self._inventory = ledger.inventory
        self._cluster = cluster
        self._request = request
        self._part = part
        self.workers = part.part.workers
        self._shape = part.part.shape
        self._level = request.closeness.required or CLUSTER
        on_node = part.demand.most_per_node
        self._spread = request.spread if on_node == NO_LIMIT else Spread(NODE, on_node)

    def fits(self, *, when_empty: bool) -> int:
        """Return how many of the workers fit into one domain of the required level."""
        return fitting(self._inventory, self._cluster, self._request, self._part, when_empty=when_empty)[0]

    def too_few_free(self) -> TooFewFree:
        """Return the reason of a part that would fit if nothing else ran."""
        fit, anywhere = fitting(self._inventory, self._cluster, self._request, self._part, when_empty=False)
        chip = self._part.part.chip
        offers = self._offers(when_empty=False)
        demand_fit = self._inventory.fit(self._part.demand)
        return TooFewFree(
            cluster=self._cluster,
            chip=chip,
            workers=self.workers,
            devices_per_worker=self._shape.devices,
            workers_fit=fit,
            nodes_fit=sum(offer.nodes for offer in offers if demand_fit[self._inventory.leftover(offer.left)]),
            devices_free=sum(offer.nodes * offer.amount(Resource.DEVICES) for offer in offers),
            devices_drained=self._devices_asleep(),
            holders=() if chip is None else self._ledger.holders(self._cluster, chip),
            limit=_limit(offers, self._shape, self.workers, fits=fit),
            level=self._level,
            workers_fit_anywhere=None if self._level == CLUSTER else anywhere,
            devices_reserved=self._devices_reserved(),
            role=self._part.part.role,
            nearest=self._nearest(when_empty=False),
            is_exclusive=self._request.is_exclusive,
            spread=self._spread,
        )

    def never_fits(self) -> NeverFits:
        """Return the reason of a part that would not fit into the empty cluster either."""
        offers = self._offers(when_empty=True)
        return NeverFits(
            cluster=self._cluster,
            chip=self._part.part.chip,
            workers=self.workers,
            devices_per_worker=self._shape.devices,
            workers_fit_empty=self.fits(when_empty=True),
            largest_node_devices=max((offer.amount(Resource.DEVICES) for offer in offers), default=0),
            limit=_limit(offers, self._shape, self.workers, fits=0),
            level=self._level,
            role=self._part.part.role,
            nearest=self._nearest(when_empty=True),
            is_exclusive=self._request.is_exclusive,
            spread=self._spread,
        )

    def _offers(self, *, when_empty: bool) -> list[_Offer]:
        counts: dict[Left, int] = {}
        for _, pool in usable_pools(self._inventory, self._cluster, self._part, self._request.tenant):
            if when_empty:
                counts |= {kind.empty.left: nodes for kind, nodes in pool.kinds.items()}
                continue
            for leftover, nodes in pool.states().items():
                if leftover.kind.takes_work:
                    counts[leftover.left] = counts.get(leftover.left, 0) + nodes
        chip = self._part.part.chip
        return [_Offer(nodes, left, left.kind.group_of.get(chip or "")) for left, nodes in counts.items()]

    def _devices_asleep(self) -> int:
        chip = self._part.part.chip
        pools = usable_pools(self._inventory, self._cluster, self._part, self._request.tenant)
        return 0 if chip is None else sum(pool.devices_free(chip, takes_work=False) for _, pool in pools)

    def _devices_reserved(self) -> int:
        chip = self._part.part.chip
        tiers = self._inventory.pools.get((self._cluster, chip), {})
        others = [pool for (tenant, _), pool in tiers.items() if tenant not in (None, self._request.tenant)]
        return 0 if chip is None else sum(pool.devices_free(chip, takes_work=True) for pool in others)

    def _nearest(self, *, when_empty: bool) -> NearestShape | None:
        """Return what would fit: fewer workers, or else a larger domain, or else fewer devices per worker."""
        fit = self.fits(when_empty=when_empty)
        if fit:
            return NearestShape(min(fit, self.workers), self._shape.devices, self._level)
        for level in self._larger_levels():
            if self._fits_as(self._shape, level, when_empty=when_empty) >= self.workers:
                return NearestShape(self.workers, self._shape.devices, level)
        for devices in self._fewer_devices(when_empty=when_empty):
            shape = replace(self._shape, devices=devices)
            if self._fits_as(shape, self._level, when_empty=when_empty) >= self.workers:
                return NearestShape(self.workers, devices, self._level)
        return None

    def _fewer_devices(self, *, when_empty: bool) -> list[int]:
        """Return the numbers of devices per worker to try: what the largest node has, then powers of two below."""
        largest = max((offer.amount(Resource.DEVICES) for offer in self._offers(when_empty=when_empty)), default=0)
        most = min(self._shape.devices - 1, largest)
        return [most, *(1 << power for power in reversed(range(most.bit_length())) if 1 << power < most)][
            : max(0, most)
        ]

    def _larger_levels(self) -> Sequence[str]:
        levels = (NODE, *self._inventory.levels(self._cluster), CLUSTER)
        return levels[levels.index(self._level) + 1 :] if self._level in levels else ()

    def _fits_as(self, shape: WorkerShape, level: str, *, when_empty: bool) -> int:
        asked = self._part.demand
        demand = demand_of(
            asked.chip, shape, asked.labels, is_exclusive=asked.is_exclusive, most_per_node=asked.most_per_node
        )
        part = PartRequest(self._part.part, demand, demand)
        request = replace(self._request, closeness=replace(self._request.closeness, required=level))
        return fitting(self._inventory, self._cluster, request, part, when_empty=when_empty)[0]


def workers_by_rest(left: Left, shape: WorkerShape) -> dict[Resource, int]:
    """Return how many workers each of cpu, memory and pods alone allows; what is not asked for is no limit."""
    pods = max(0, left.pods)
    return {
        Resource.CPU: max(0, left.cpu_milli) // shape.cpu_milli if shape.cpu_milli else pods,
        Resource.MEMORY: max(0, left.memory_mib) // shape.memory_mib if shape.memory_mib else pods,
        Resource.PODS: pods,
    }


def _limit(offers: Sequence[_Offer], shape: WorkerShape, workers: int, *, fits: int) -> Limit:
    """Return what keeps workers out: what lowers their number most below what the devices allow, else the devices.

    Other resources count on nodes with devices for a worker. Parts of one gang that fit one by one and not together
    are limited by what they share. `fits` is how many of the workers fit where they have to be.
    """
    devices = Limit(
        Resource.DEVICES, shape.devices, max((offer.amount(Resource.DEVICES) for offer in offers), default=0)
    )
    seated = [(offer, fit) for offer in offers if (fit := _workers_by_devices(offer, shape, workers))]
    by_devices = sum(offer.nodes * fit for offer, fit in seated)
    if shape.devices_milli and by_devices < workers:
        return devices
    with_devices = dict.fromkeys(_REST, 0)
    by_itself = dict.fromkeys(_REST, 0)
    for offer, most in seated:
        for resource, fit in workers_by_rest(offer.left, shape).items():
            with_devices[resource] += offer.nodes * min(most, fit)
            by_itself[resource] += offer.nodes * fit
    asked = {Resource.CPU: shape.cpu_milli, Resource.MEMORY: shape.memory_mib, Resource.PODS: 1}
    scarcest = min((one for one in _REST if asked[one]), key=lambda one: (with_devices[one], by_itself[one]))
    if shape.devices_milli and fits < workers and with_devices[scarcest] >= by_devices:
        return devices
    return Limit(scarcest, asked[scarcest], max((offer.amount(scarcest) for offer, _ in seated), default=0))


def _workers_by_devices(offer: _Offer, shape: WorkerShape, workers: int) -> int:
    """Return how many workers the devices of a node allow; those that need none are all allowed."""
    if not shape.devices_milli:
        return workers
    if offer.group is None:
        return 0
    if not shape.share_milli:
        return offer.amount(Resource.DEVICES) // shape.devices
    whole = (WHOLE_DEVICE_MILLI, offer.left.kind.devices[offer.group].memory_mib)
    parts = [(milli, memory_mib) for group, milli, memory_mib in offer.left.shared if group == offer.group]
    return sum(shares_that_fit(shape, *part) for part in parts) + (
        offer.amount(Resource.DEVICES) * shares_that_fit(shape, *whole)
    )
