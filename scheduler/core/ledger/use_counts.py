"""Devices held, counted by tenant: the side of the ledger that quotas and reasons read."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
from scheduler.core.model.reason import Holder

Key = TypeVar("Key", bound=Hashable)


class UseCounts:
    """How many devices each tenant holds, per cluster and chip type and in all."""

    __slots__ = ("_by_cluster", "_by_tenant")

    def __init__(self) -> None:
        self._by_cluster: dict[tuple[ClusterName, ChipName], dict[TenantName, int]] = {}
        self._by_tenant: dict[tuple[TenantName, ChipName], int] = {}

    def add(self, tenant: TenantName, cluster: ClusterName, allocations: Sequence[Allocation]) -> None:
        """Count allocations of one cluster as held."""
        for allocation in allocations:
            self._change(tenant, cluster, allocation.chip, len(allocation.slots))

    def remove(self, tenant: TenantName, cluster: ClusterName, allocations: Sequence[Allocation]) -> None:
        """Count allocations of one cluster as held no longer."""
        for allocation in allocations:
            self._change(tenant, cluster, allocation.chip, -len(allocation.slots))

    def tenant_devices(self, tenant: TenantName, chip: ChipName) -> int:
        """Return the devices of a chip type that a tenant holds in all clusters."""
        return self._by_tenant.get((tenant, chip), 0)

    def holders(self, cluster: ClusterName, chip: ChipName) -> tuple[Holder, ...]:
        """Return who holds devices of a chip type in a cluster: most first, then by tenant."""
        held = self._by_cluster.get((cluster, chip), {})
        ordered = sorted(held.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Holder(tenant, devices) for tenant, devices in ordered)

    def _change(self, tenant: TenantName, cluster: ClusterName, chip: ChipName, devices: int) -> None:
        _count(self._by_tenant, (tenant, chip), devices)
        _count(self._by_cluster.setdefault((cluster, chip), {}), tenant, devices)


def _count(counts: dict[Key, int], key: Key, devices: int) -> None:
    left = counts.get(key, 0) + devices
    if left:
        counts[key] = left
    else:
        counts.pop(key, None)
