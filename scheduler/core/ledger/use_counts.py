"""Devices held, counted by tenant: the side of the ledger that quotas and reasons read."""

from collections.abc import Iterable

from scheduler.core.ledger.holding import Use
from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
from scheduler.core.model.reason import Holder
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI


class UseCounts:
    """How many thousandths of devices each tenant holds, per cluster and chip type and in all."""

    __slots__ = ("_by_cluster", "_by_tenant")

    def __init__(self) -> None:
        self._by_cluster: dict[tuple[ClusterName, ChipName], dict[TenantName, int]] = {}
        self._by_tenant: dict[tuple[TenantName, ChipName], int] = {}

    def add(self, tenant: TenantName, uses: Iterable[Use], sign: int = 1) -> None:
        """Count devices as held by a tenant, or as held no longer where `sign` is -1."""
        for cluster, chip, devices_milli in uses:
            here = self._by_cluster.get((cluster, chip))
            if here is None:
                here = self._by_cluster[cluster, chip] = {}
            of_tenant = (tenant, chip)
            here[tenant] = left = here.get(tenant, 0) + sign * devices_milli
            if not left:
                del here[tenant]
            self._by_tenant[of_tenant] = left = self._by_tenant.get(of_tenant, 0) + sign * devices_milli
            if not left:
                del self._by_tenant[of_tenant]

    def tenant_devices_milli(self, tenant: TenantName, chip: ChipName) -> int:
        """Return the thousandths of devices of a chip type that a tenant holds in all clusters."""
        return self._by_tenant.get((tenant, chip), 0)

    def all_held(self) -> tuple[tuple[ClusterName, ChipName, TenantName, int], ...]:
        """Return how many thousandths of devices of a chip type a tenant holds in a cluster; none that is 0."""
        return tuple(
            (cluster, chip, tenant, devices_milli)
            for (cluster, chip), held in self._by_cluster.items()
            for tenant, devices_milli in held.items()
        )

    def holders(self, cluster: ClusterName, chip: ChipName) -> tuple[Holder, ...]:
        """Return who holds devices of a chip type in a cluster, shares rounded up: most first, then by tenant."""
        held = self._by_cluster.get((cluster, chip), {})
        ordered = sorted(held.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Holder(tenant, -(-devices_milli // WHOLE_DEVICE_MILLI)) for tenant, devices_milli in ordered)
