"""Writing what was used: a minute's sums go into that minute, its hour and its day at once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Insert, Table, delete
from sqlalchemy.dialects import postgresql, sqlite

from scheduler.adapters.database.schema.usage import pool_usage, tenant_usage, usage_periods
from scheduler.adapters.database.transaction import Row, Transaction
from scheduler.ports.records.usage import KEPT_S, STEPS_S, UsagePeriod

TABLES = (usage_periods, pool_usage, tenant_usage)


def record_period(transaction: Transaction, period: UsagePeriod, epoch: int) -> bool:
    """Add a period, and drop what is older than it is kept; False, and nothing, for an old epoch."""
    if not transaction.leads(epoch):
        return False
    for step_s in STEPS_S:
        at = period_of(period.at, step_s)
        for table, rows in _rows(period):
            if rows:
                statement = _add(table, transaction.connection.dialect.name)
                transaction.connection.execute(statement, [{"step_s": step_s, "at": at} | row for row in rows])
        for table in TABLES:
            oldest = period.at - timedelta(seconds=KEPT_S[step_s])
            transaction.connection.execute(delete(table).where(table.c.step_s == step_s, table.c.at < oldest))
    return True


def period_of(at: datetime, step_s: int) -> datetime:
    """Return the beginning of the period that a moment lies in."""
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % step_s, UTC)


def _rows(period: UsagePeriod) -> Iterator[tuple[Table, list[Row]]]:
    yield usage_periods, [{"covered_ms": period.covered_ms}]
    yield (
        pool_usage,
        [{"cluster": p.cluster, "chip": p.chip, "devices": p.devices, "usable": p.usable} for p in period.pools],
    )
    yield (
        tenant_usage,
        [
            {
                "cluster": held.cluster,
                "chip": held.chip,
                "tenant": held.tenant,
                "allocated": held.allocated,
                "busy": held.busy,
                "unreported": held.unreported,
            }
            for held in period.tenants
        ],
    )


@cache
def _add(table: Table, dialect: str) -> Insert:
    """Return what inserts a row, or adds its sums to the one that is there."""
    statement: Any = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    sums = {column.name: column + statement.excluded[column.name] for column in table.columns if not column.primary_key}
    found: Insert = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums)
    return found
