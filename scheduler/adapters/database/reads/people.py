"""Reading tenants."""

from typing import Any

from sqlalchemy import Column, Connection, Select, bindparam, select

from scheduler.adapters.database.schema.people import tenants
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.tenant import Tenant

_TENANT = select(tenants).where(tenants.c.name == bindparam("tenant"))


def read_tenant(connection: Connection, name: TenantName) -> Tenant | None:
    """Return a tenant, None where there is none."""
    row = connection.execute(_TENANT, {"tenant": name}).first()
    return Tenant(**row._asdict()) if row is not None else None


def read_tenants(connection: Connection, *, after: TenantName | None, limit: int) -> list[Tenant]:
    """Return tenants by name."""
    asked = _page(select(tenants), tenants.c.name, after, limit)
    return [Tenant(**row._asdict()) for row in connection.execute(asked)]


def _page(asked: Select[Any], key: Column[Any], after: str | None, limit: int) -> Select[Any]:
    later = asked if after is None else asked.where(key > after)
    return later.order_by(key).limit(limit)
