"""Reading tenants and quotas."""

from typing import Any

from sqlalchemy import Column, Connection, Select, bindparam, select

from scheduler.adapters.database.schema.people import quota_usage, quotas, tenants
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.tenant import Quota, Tenant
from scheduler.ports.views import TenantUse

_TENANT = select(tenants).where(tenants.c.name == bindparam("tenant"))


def read_tenant(connection: Connection, name: TenantName) -> Tenant | None:
    """Return a tenant, None where there is none."""
    row = connection.execute(_TENANT, {"tenant": name}).first()
    return Tenant(**row._asdict()) if row is not None else None


def read_tenants(connection: Connection, *, after: TenantName | None, limit: int) -> list[Tenant]:
    """Return tenants by name."""
    asked = _page(select(tenants), tenants.c.name, after, limit)
    return [Tenant(**row._asdict()) for row in connection.execute(asked)]


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
