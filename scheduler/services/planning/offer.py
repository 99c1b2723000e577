"""Which devices a training plan may be made with: those that are free, cluster by cluster."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.states.leftover import Leftover
from scheduler.core.mixing.chips import FreeChips, bytes_per_s
from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
from scheduler.core.model.node import DeviceGroup, pool_name

NETWORK_LABEL = "network-gbit-s"
"""The label by which nodes say the rate of their network, in Gbit/s one way."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The devices of one cluster that somebody could have."""

    cluster: ClusterName
    free: tuple[FreeChips, ...]


@dataclass(frozen=True, slots=True)
class _Alike:
    """What nodes have in common that are one pool to the planner."""

    cluster: ClusterName
    devices: DeviceGroup
    network_gbit_s: float | None


def offers_of(
    state: SchedulerState,
    tenant: TenantName | None,
    *,
    chips: Collection[ChipName] | None = None,
    cluster: ClusterName | None = None,
    counts_held: bool = False,
) -> list[Offer]:
    """Return what is free for a tenant on nodes that take work, per cluster: no gang is spread over several.

    Nodes of which only a part is free are a pool of their own, see `_split`. With `counts_held` nodes count as though
    no job held anything of them. Chip types that the catalogue does not have are left out.
    """
    found: dict[_Alike, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for held, nodes in state.ledger.inventory.states():
        left = held.kind.empty if counts_held else held
        if _may_use(left, tenant) and cluster in (None, left.kind.cluster):
            for alike, devices in _devices_of(left):
                if alike.devices.chip in state.chips and (chips is None or alike.devices.chip in chips):
                    found[alike][devices] += nodes
    offers: dict[ClusterName, list[FreeChips]] = defaultdict(list)
    for alike in sorted(found, key=_order):
        offers[alike.cluster] += _split(state, alike, found[alike])
    return [Offer(name, tuple(offers[name])) for name in sorted(offers) if offers[name]]


def _order(alike: _Alike) -> tuple[str, str, int, int, float]:
    devices = alike.devices
    return (alike.cluster, devices.chip, devices.memory_mib, devices.count, alike.network_gbit_s or 0.0)


def _may_use(left: Leftover, tenant: TenantName | None) -> bool:
    kind = left.kind
    return kind.takes_work and left.pods > 0 and left.cpu_milli > 0 and kind.tenant in (None, tenant)


def _devices_of(left: Leftover) -> Iterator[tuple[_Alike, int]]:
    for devices, free in zip(left.kind.devices, left.free, strict=True):
        if free > 0:
            yield _Alike(left.kind.cluster, devices, _network_of(left)), free


def _network_of(left: Leftover) -> float | None:
    said = dict(left.kind.labels).get(NETWORK_LABEL, "")
    return float(said) if said.isdecimal() and int(said) > 0 else None


def _split(state: SchedulerState, alike: _Alike, nodes_by_free: dict[int, int]) -> Iterator[FreeChips]:
    """Yield nodes that are wholly free as one pool, and what is left on others as one in the largest equal parts.

    Such a part is a power of two, so that tensor parallelism can use it: that one by which most devices are used.
    """
    name = pool_name(alike.cluster, alike.devices)
    whole = nodes_by_free.get(alike.devices.count, 0)
    if whole:
        yield _chips(state, alike, name, whole, alike.devices.count)
    partly = {free: nodes for free, nodes in nodes_by_free.items() if free != alike.devices.count}
    if partly:
        sizes = [1 << power for power in range(max(partly).bit_length())]
        parts = {size: sum(nodes * (free // size) for free, nodes in partly.items()) for size in sizes}
        best = max(sizes, key=lambda size: (parts[size] * size >= _MOST_OF * _sum_of(partly), size))
        yield _chips(state, alike, f"{name}/partly-free", parts[best], best)


_MOST_OF = 0.75
"""Larger parts are better as long as so much of what is free is used."""


def _sum_of(nodes_by_free: dict[int, int]) -> int:
    """All free devices of nodes that are counted by how many are free on each."""
    return sum(free * nodes for free, nodes in nodes_by_free.items())


def _chips(state: SchedulerState, alike: _Alike, name: str, nodes: int, each: int) -> FreeChips:
    network = None if alike.network_gbit_s is None else bytes_per_s(alike.network_gbit_s)
    said = "" if alike.network_gbit_s is None else f"/{alike.network_gbit_s:g}-gbit-s"
    return FreeChips(name + said, state.chips[alike.devices.chip], nodes, each, alike.devices.memory_mib, network)
