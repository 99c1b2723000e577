"""Reading sums over time."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, literal, select

from scheduler.adapters.database.schema.usage import pool_usage, tenant_usage, usage_periods
from scheduler.core.model.identifiers import TenantName
from scheduler.ports.records.usage import SeriesRow, SeriesRows

POOL = ("devices", "usable")
HELD = ("allocated", "busy", "unreported")


def read_series(
    connection: Connection, since: datetime, until: datetime, *, step_s: int, by: str, tenant: TenantName | None
) -> SeriesRows:
    """Return sums by period and name (ports.records.usage). Raises KeyError where `by` is nothing to name rows by."""

    def within(table: Table) -> ColumnElement[bool]:
        return (table.c.step_s == step_s) & (table.c.at >= since) & (table.c.at < until)

    periods = select(usage_periods.c.at, usage_periods.c.covered_ms).where(within(usage_periods))
    covered = [(row.at, row.covered_ms) for row in connection.execute(periods.order_by(usage_periods.c.at))]
    sums: dict[tuple[datetime, str], dict[str, int]] = {}
    held = within(tenant_usage)
    if tenant is not None:
        held &= tenant_usage.c.tenant == tenant
    for table, where, columns in ((pool_usage, within(pool_usage), POOL), (tenant_usage, held, HELD)):
        name = _NAMES[by](table)
        if name is None:
            continue
        asked = select(table.c.at, name.label("name"), *(func.sum(table.c[column]).label(column) for column in columns))
        for row in connection.execute(asked.where(where).group_by(table.c.at, name)):
            found = sums.setdefault((row.at, row.name), dict.fromkeys((*POOL, *HELD), 0))
            found |= {column: int(getattr(row, column)) for column in columns}
    return SeriesRows(covered, [SeriesRow(at, name, **sums[at, name]) for at, name in sorted(sums)])


_NAMES: Mapping[str, Any] = MappingProxyType(
    {
        "total": lambda table: literal("total"),  # noqa: ARG005 - the same for any table
        "pool": lambda table: table.c.cluster + literal("/") + table.c.chip,
        "cluster": lambda table: table.c.cluster,
        "chip": lambda table: table.c.chip,
        "tenant": lambda table: table.c.tenant if table is tenant_usage else None,
    }
)
