"""Writing tenants, quotas, clusters and chip types."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, select

from scheduler.adapters.database.documents import WORDS
from scheduler.adapters.database.reads.rows import chip_of, cluster_of
from scheduler.adapters.database.schema.fleet import chip_types, clusters
from scheduler.adapters.database.schema.people import quotas, tenants
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.core.model.access.audit import Act
from scheduler.core.model.change import ChipDefined, ClusterSeen, QuotaLifted, QuotaSet, TenantCreated
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.node import Cluster
from scheduler.core.model.tenant import Quota, Tenant
from scheduler.ports.directory import AlreadyExists, DoesNotExist
from scheduler.ports.journal import Guard


def create_tenant(transaction: Transaction, tenant: Tenant) -> None:
    """Write a tenant. Raises AlreadyExists."""
    if transaction.has(tenants.c.name, tenant.name):
        raise AlreadyExists(tenant.name)
    transaction.insert(tenants, [asdict(tenant)])
    transaction.add(Draft(tenant.created_at, TenantCreated(tenant.name), tenant=tenant.name))
    transaction.audit(Act("tenant", tenant.name, tenant.name, tenant.created_at, None, asdict(tenant)))


def set_quota(transaction: Transaction, quota: Quota, at: datetime, guard: Guard) -> None:
    """Write a quota; without effect where it is so already. Raises DoesNotExist (tenant, chip), what the guard does."""
    _lock_tenant(transaction, quota.tenant)
    transaction.require(chip_types.c.name, quota.chip)
    present = _quota(transaction, quota.tenant, quota.chip)
    guard(present)
    if present != quota:
        transaction.insert_or_replace(quotas, [asdict(quota)])
        transaction.add(Draft(at, QuotaSet(quota), tenant=quota.tenant))
        before = None if present is None else asdict(present)
        transaction.audit(Act("quota", f"{quota.tenant}/{quota.chip}", quota.tenant, at, before, asdict(quota)))


def lift_quota(transaction: Transaction, tenant: TenantName, chip: ChipName, at: datetime, *, guard: Guard) -> None:
    """Remove a quota. Raises DoesNotExist, and what the guard does."""
    _lock_tenant(transaction, tenant)
    present = _quota(transaction, tenant, chip)
    if present is None:
        raise DoesNotExist(f"{tenant}/{chip}")
    guard(present)
    transaction.connection.execute(delete(quotas).where(quotas.c.tenant == tenant, quotas.c.chip == chip))
    transaction.add(Draft(at, QuotaLifted(tenant, chip), tenant=tenant))
    transaction.audit(Act("quota", f"{tenant}/{chip}", tenant, at, asdict(present), None))


def _lock_tenant(transaction: Transaction, tenant: TenantName) -> None:
    """Let nobody else write the tenant's quotas until the commit. Raises DoesNotExist."""
    asked = select(tenants.c.name).where(tenants.c.name == tenant).with_for_update(key_share=True)
    if transaction.connection.execute(asked).first() is None:
        raise DoesNotExist(tenant)


def _quota(transaction: Transaction, tenant: TenantName, chip: ChipName) -> Quota | None:
    asked = select(quotas).where(quotas.c.tenant == tenant, quotas.c.chip == chip)
    row = transaction.connection.execute(asked).first()
    return None if row is None else Quota(**row._asdict())


def define_chips(transaction: Transaction, chips: Sequence[ChipType], at: datetime, guard: Guard) -> int:
    """Add or change chip types; returns how many really changed. Raises what the guard does."""
    locked = select(chip_types).order_by(chip_types.c.name).with_for_update(key_share=True)
    present = {chip.name: chip for chip in map(chip_of, transaction.connection.execute(locked))}
    wanted = {chip.name: chip for chip in chips}
    for name in wanted:
        guard(present.get(name))
    changed = [chip for name, chip in sorted(wanted.items()) if present.get(name) != chip]
    transaction.insert_or_replace(
        chip_types, [asdict(chip) | {"estimated_fields": WORDS.encode(chip.estimated_fields)} for chip in changed]
    )
    for chip in changed:
        transaction.add(Draft(at, ChipDefined(chip)))
        before = present.get(chip.name)
        transaction.audit(Act("chip", chip.name, None, at, None if before is None else asdict(before), asdict(chip)))
    return len(changed)


def register_cluster(transaction: Transaction, cluster: Cluster, at: datetime) -> None:
    """Add a cluster, or write what it can do now where that differs. Raises AlreadyExists where it has another kind."""
    row = transaction.connection.execute(select(clusters).where(clusters.c.name == cluster.name)).first()
    present = cluster_of(row) if row is not None else None
    if present is not None and present.kind != cluster.kind:
        raise AlreadyExists(f"{cluster.name} is a cluster of kind {present.kind}")
    if present != cluster:
        transaction.insert_or_replace(clusters, [asdict(cluster)])
        transaction.add(Draft(at, ClusterSeen(cluster)))
