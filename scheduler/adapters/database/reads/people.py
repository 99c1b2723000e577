"""Reading tenants, users, tokens and quotas."""

from typing import Any

from sqlalchemy import Column, Connection, Select, bindparam, select

from scheduler.adapters.database.reads.rows import AnyRow
from scheduler.adapters.database.schema.people import quota_usage, quotas, tenants, tokens, users
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.tenant import Quota, Role, Tenant, Token, User
from scheduler.ports.views import TenantUse

_TENANT = select(tenants).where(tenants.c.name == bindparam("tenant"))
_TOKEN_BY_SECRET = select(tokens).where(tokens.c.secret_sha256 == bindparam("secret_sha256"))


def token_of(row: AnyRow) -> Token:
    """Return the token of a row of `tokens`."""
    return Token(**{**row._asdict(), "role": Role(row.role)})


def read_tenant(connection: Connection, name: TenantName) -> Tenant | None:
    """Return a tenant, None where there is none."""
    row = connection.execute(_TENANT, {"tenant": name}).first()
    return Tenant(**row._asdict()) if row is not None else None


def read_tenants(connection: Connection, *, after: TenantName | None, limit: int) -> list[Tenant]:
    """Return tenants by name."""
    asked = _page(select(tenants), tenants.c.name, after, limit)
    return [Tenant(**row._asdict()) for row in connection.execute(asked)]


def read_users(connection: Connection, *, tenant: TenantName | None, after: str | None, limit: int) -> list[User]:
    """Return users by name; of one tenant, or all."""
    asked = _page(_of_tenant(select(users), users.c.tenant, tenant), users.c.name, after, limit)
    return [User(**row._asdict()) for row in connection.execute(asked)]


def read_tokens(connection: Connection, *, tenant: TenantName | None, after: str | None, limit: int) -> list[Token]:
    """Return tokens by id; of one tenant, or all."""
    asked = _page(_of_tenant(select(tokens), tokens.c.tenant, tenant), tokens.c.id, after, limit)
    return [token_of(row) for row in connection.execute(asked)]


def read_token(connection: Connection, secret_sha256: str) -> Token | None:
    """Return the token with that hash."""
    row = connection.execute(_TOKEN_BY_SECRET, {"secret_sha256": secret_sha256}).first()
    return token_of(row) if row is not None else None


def read_quotas(connection: Connection, tenant: TenantName | None) -> list[Quota]:
    """Return quotas by tenant and chip name; of one tenant, or all."""
    asked = _of_tenant(select(quotas), quotas.c.tenant, tenant).order_by(quotas.c.tenant, quotas.c.chip)
    return [Quota(**row._asdict()) for row in connection.execute(asked)]


def read_use(connection: Connection, tenant: TenantName | None) -> list[TenantUse]:
    """Return what tenants hold now, by tenant and chip name; of one tenant, or all."""
    asked = _of_tenant(select(quota_usage).where(quota_usage.c.devices_milli > 0), quota_usage.c.tenant, tenant)
    ordered = asked.order_by(quota_usage.c.tenant, quota_usage.c.chip)
    return [TenantUse(**row._asdict()) for row in connection.execute(ordered)]


def _of_tenant(asked: Select[Any], column: Column[Any], tenant: TenantName | None) -> Select[Any]:
    return asked if tenant is None else asked.where(column == tenant)


def _page(asked: Select[Any], key: Column[Any], after: str | None, limit: int) -> Select[Any]:
    later = asked if after is None else asked.where(key > after)
    return later.order_by(key).limit(limit)
