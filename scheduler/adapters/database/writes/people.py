"""Writing tenants, users, tokens, quotas, clusters and chip types."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Column, delete, select, update

from scheduler.adapters.database.documents import WORDS
from scheduler.adapters.database.reads.people import token_of
from scheduler.adapters.database.reads.rows import chip_of, cluster_of
from scheduler.adapters.database.schema.fleet import chip_types, clusters
from scheduler.adapters.database.schema.people import quotas, tenants, tokens, users
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.core.model.change import ChipDefined, ClusterSeen, QuotaLifted, QuotaSet, TenantCreated
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.node import Cluster
from scheduler.core.model.tenant import Quota, Tenant, Token, User
from scheduler.ports.directory import AlreadyExists, DoesNotExist


def create_tenant(transaction: Transaction, tenant: Tenant) -> None:
    """Write a tenant. Raises AlreadyExists."""
    if _exists(transaction, tenants.c.name, tenant.name):
        raise AlreadyExists(tenant.name)
    transaction.insert(tenants, [asdict(tenant)])
    transaction.add(Draft(tenant.created_at, TenantCreated(tenant.name), tenant=tenant.name))


def create_user(transaction: Transaction, user: User) -> None:
    """Write a user. Raises AlreadyExists, DoesNotExist (the tenant)."""
    if _exists(transaction, users.c.name, user.name):
        raise AlreadyExists(user.name)
    _must_exist(transaction, tenants.c.name, user.tenant)
    transaction.insert(users, [asdict(user)])


def create_token(transaction: Transaction, token: Token) -> None:
    """Write a token. Raises AlreadyExists (its id or hash), DoesNotExist (its tenant or user)."""
    if _exists(transaction, tokens.c.id, token.id) or _exists(transaction, tokens.c.secret_sha256, token.secret_sha256):
        raise AlreadyExists(token.id)
    _must_exist(transaction, tenants.c.name, token.tenant)
    _must_exist(transaction, users.c.name, token.user)
    transaction.insert(tokens, [asdict(token)])


def revoke_token(transaction: Transaction, *, token_id: str, tenant: TenantName | None, at: datetime) -> Token:
    """Revoke a token; a revoked one keeps its time. Raises DoesNotExist, also for another tenant's."""
    row = transaction.connection.execute(select(tokens).where(tokens.c.id == token_id).with_for_update()).first()
    if row is None or tenant not in (None, row.tenant):
        raise DoesNotExist(token_id)
    token = token_of(row)
    if token.revoked_at is not None:
        return token
    transaction.connection.execute(update(tokens).where(tokens.c.id == token_id).values(revoked_at=at))
    return replace(token, revoked_at=at)


def set_quota(transaction: Transaction, quota: Quota, at: datetime) -> None:
    """Write a quota; without effect where it is so already. Raises DoesNotExist (tenant or chip)."""
    _must_exist(transaction, tenants.c.name, quota.tenant)
    _must_exist(transaction, chip_types.c.name, quota.chip)
    mine = (quotas.c.tenant == quota.tenant, quotas.c.chip == quota.chip)
    present = transaction.connection.execute(select(quotas.c.devices).where(*mine)).scalar()
    if present != quota.devices:
        transaction.insert_or_replace(quotas, [asdict(quota)])
        transaction.add(Draft(at, QuotaSet(quota), tenant=quota.tenant))


def lift_quota(transaction: Transaction, *, tenant: TenantName, chip: ChipName, at: datetime) -> None:
    """Remove a quota. Raises DoesNotExist."""
    removed = delete(quotas).where(quotas.c.tenant == tenant, quotas.c.chip == chip)
    if transaction.connection.execute(removed).rowcount == 0:
        raise DoesNotExist(f"{tenant}/{chip}")
    transaction.add(Draft(at, QuotaLifted(tenant, chip), tenant=tenant))


def define_chips(transaction: Transaction, chips: Sequence[ChipType], at: datetime) -> int:
    """Add or change chip types; returns how many really changed."""
    present = {chip.name: chip for chip in map(chip_of, transaction.connection.execute(select(chip_types)))}
    wanted = {chip.name: chip for chip in chips}
    changed = [chip for name, chip in sorted(wanted.items()) if present.get(name) != chip]
    transaction.insert_or_replace(
        chip_types, [asdict(chip) | {"estimated_fields": WORDS.encode(chip.estimated_fields)} for chip in changed]
    )
    for chip in changed:
        transaction.add(Draft(at, ChipDefined(chip)))
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


def _exists(transaction: Transaction, column: Column[Any], value: str) -> bool:
    return transaction.connection.execute(select(column).where(column == value)).first() is not None


def _must_exist(transaction: Transaction, column: Column[Any], value: str | None) -> None:
    """Raise DoesNotExist unless a row has the value; None refers to nothing and passes."""
    if value is not None and not _exists(transaction, column, value):
        raise DoesNotExist(value)
