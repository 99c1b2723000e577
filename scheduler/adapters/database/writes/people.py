"""Writing tenants, clusters and chip types."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select

from scheduler.adapters.database.documents import WORDS
from scheduler.adapters.database.queues.tree_writes import add_own_queue
from scheduler.adapters.database.reads.rows import chip_of, cluster_of
from scheduler.adapters.database.schema.fleet import chip_types, clusters
from scheduler.adapters.database.schema.people import tenants
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.core.model.access.audit import Act
from scheduler.core.model.change import ChipDefined, ClusterSeen, TenantCreated
from scheduler.core.model.chip import ChipType
from scheduler.core.model.node import Cluster
from scheduler.core.model.tenant import Tenant
from scheduler.ports.directory import AlreadyExists
from scheduler.ports.journal import Guard


def create_tenant(transaction: Transaction, tenant: Tenant) -> None:
    """Write a tenant with its queue. Raises AlreadyExists, also where a queue has its name."""
    if transaction.has(tenants.c.name, tenant.name):
        raise AlreadyExists(tenant.name)
    transaction.insert(tenants, [asdict(tenant)])
    transaction.add(Draft(tenant.created_at, TenantCreated(tenant.name), tenant=tenant.name))
    add_own_queue(transaction, tenant.name, tenant.created_at)
    transaction.audit(Act("tenant", tenant.name, tenant.name, tenant.created_at, None, asdict(tenant)))


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
