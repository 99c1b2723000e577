"""What the ledger brings: shares of devices, counted devices, foreign use, tenants' own nodes, workers without devices.

On SQLite a changed check means a new table and a copy of the rows; the tables as they were are those of revision 0001.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.versions.migration_0001_first_schema import tables as first_tables
from scheduler.adapters.database.failures import StorageError
from scheduler.adapters.database.schema.columns import Name, Number

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WHOLE = 1000
_SHARED = "used_milli > 0 AND holder_attempt IS NULL"
_OLD_HOLDER = "(used_milli = 0) = (holder_attempt IS NULL)"
_OLD_STATE = "state IN ('ready', 'drained', 'gone')"
_CHECKS: dict[str, dict[str, str]] = {
    "nodes": {"state": "state IN ('ready', 'degraded', 'suspect', 'drained', 'gone')"},
    "allocations": {
        "amounts": "cpu_milli >= 0 AND memory_mib >= 0 AND counted >= 0 AND pods >= 1",
        "chip": "chip IS NOT NULL OR (slots = '[]' AND counted = 0 AND share_milli = 0)",
        "share": "share_milli >= 0 AND share_milli < 1000 AND share_memory_mib >= 0 "
        "AND (share_milli > 0 OR share_memory_mib = 0) AND (share_milli = 0 OR counted = 0)",
    },
    "device_slots": {
        "holder": "holder_attempt IS NULL OR used_milli = 1000",
        "used_memory_mib": "used_memory_mib >= 0 AND used_memory_mib <= memory_mib",
        "memory_of_shares": "used_memory_mib = 0 OR (used_milli > 0 AND holder_attempt IS NULL)",
    },
}
"""The checks that are new or differ, as they are after the upgrade."""
_REPLACED = {"nodes": ["state"], "allocations": ["amounts"], "device_slots": ["holder"]}

_FORGET_FOREIGN_USE = (
    (
        "UPDATE node_resources SET allocatable = (SELECT cpu_milli FROM nodes WHERE id = node_id) "
        "WHERE resource = 'cpu_milli'"
    ),
    (
        "UPDATE node_resources SET allocatable = (SELECT memory_mib FROM nodes WHERE id = node_id) "
        "WHERE resource = 'memory_mib'"
    ),
    ("UPDATE node_resources SET allocatable = (SELECT pods FROM nodes WHERE id = node_id) WHERE resource = 'pods'"),
    (
        "UPDATE node_resources SET allocatable = (SELECT devices * 1000 FROM node_devices "
        "WHERE node_devices.node_id = node_resources.node_id AND resource = 'devices_milli/' || chip) "
        "WHERE resource LIKE 'devices_milli/%'"
    ),
)
"""Let nodes offer all that they have, as an older Medley takes it to be."""


def upgrade() -> None:
    """Add the columns, let the checks admit what is new, and count quotas' use in thousandths of devices."""
    for column in ("binds_devices", "enforces_shares"):
        op.add_column("clusters", sa.Column(column, sa.Boolean, nullable=False, server_default=sa.true()))
    op.execute(sa.text("UPDATE clusters SET binds_devices = false, enforces_shares = false WHERE kind = 'kubernetes'"))
    _change(
        "nodes",
        sa.Column("tenant", Name),
        sa.Column("foreign_use", sa.Text, nullable=False, server_default="{}"),
    )
    _change(
        "allocations",
        _count("counted"),
        _count("share_milli"),
        _count("share_memory_mib"),
        _count("pods", "1"),
        sa.Column("role", Name, nullable=False, server_default="worker"),
        sa.Column("held", sa.Boolean, nullable=False, server_default=sa.true()),
    )
    op.execute(
        sa.text(
            "UPDATE allocations SET held = false WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE ended_at IS NULL "
            "AND attempts.id = allocations.attempt_id AND attempts.generation = allocations.generation)"
        )
    )
    held = sa.text("held")
    op.create_index("ix_allocations_held", "allocations", ["node_id"], sqlite_where=held, postgresql_where=held)
    _change("device_slots", _count("used_memory_mib"), _count("memory_mib"))
    op.execute(
        sa.text(
            "UPDATE device_slots SET memory_mib = COALESCE((SELECT memory_mib FROM node_devices "
            "WHERE node_devices.node_id = device_slots.node_id AND node_devices.chip = device_slots.chip), 0)"
        )
    )
    shared = sa.text(_SHARED)
    op.create_index("ix_device_slots_shared", "device_slots", ["node_id"], sqlite_where=shared, postgresql_where=shared)
    _remake_quota_usage("devices", "devices_milli", Number, lambda devices: devices * _WHOLE)


def downgrade() -> None:
    """Take it back; what somebody else uses is then free again, and allocations without a chip type are forgotten.

    Raises StorageError where a job runs that an older Medley could not end: one that holds a share, devices without
    slots, no devices, or a node for itself.
    """
    _refuse_what_cannot_go_back()
    op.execute(sa.text("DELETE FROM allocations WHERE chip IS NULL"))
    op.execute(sa.text("UPDATE nodes SET state = 'ready' WHERE state = 'degraded'"))
    op.execute(sa.text("UPDATE nodes SET state = 'drained' WHERE state = 'suspect'"))
    for statement in _FORGET_FOREIGN_USE:
        op.execute(sa.text(statement))
    _remake_quota_usage("devices_milli", "devices", sa.Integer, lambda milli: milli // _WHOLE)
    op.drop_index("ix_allocations_held", table_name="allocations")
    op.drop_index("ix_device_slots_shared", table_name="device_slots")
    _change_back("nodes", ["tenant", "foreign_use"], {"state": _OLD_STATE})
    _change_back(
        "allocations",
        ["counted", "share_milli", "share_memory_mib", "pods", "role", "held"],
        {"amounts": "cpu_milli >= 0 AND memory_mib >= 0"},
    )
    _change_back("device_slots", ["used_memory_mib", "memory_mib"], {"holder": _OLD_HOLDER})
    for column in ("binds_devices", "enforces_shares"):
        op.drop_column("clusters", column)


def _count(name: str, default: str = "0") -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=default)


def _before(table: str) -> sa.Table:
    """Return a table as it was before this revision."""
    copies = sa.MetaData(naming_convention=first_tables.naming_convention)
    for each in first_tables.tables.values():
        each.to_metadata(copies)
    found = copies.tables[table]
    if table == "nodes":
        found.append_column(sa.Column("note", sa.Text, nullable=False, server_default=""))
    return found


def _change(table: str, *added: sa.Column[Any]) -> None:
    """Add columns to a table and put its new checks in force."""
    with op.batch_alter_table(table, copy_from=_before(table)) as batch:
        for name in _REPLACED[table]:
            batch.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        for column in added:
            batch.add_column(column)
        if table == "allocations":
            batch.alter_column("chip", existing_type=Name, nullable=True)
        for name, condition in _CHECKS[table].items():
            batch.create_check_constraint(op.f(f"ck_{table}_{name}"), sa.text(condition))


def _change_back(table: str, columns: list[str], checks: dict[str, str]) -> None:
    """Make a table what it was before."""
    if op.get_bind().dialect.name == "sqlite":
        # Made anew as it was, the table takes over the columns that it had.
        with op.batch_alter_table(table, copy_from=_before(table), recreate="always"):
            return
    for name in _CHECKS[table]:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    for column in columns:
        op.drop_column(table, column)
    for name, condition in checks.items():
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, sa.text(condition))
    if table == "allocations":
        op.alter_column(table, "chip", nullable=False)


def _remake_quota_usage(old: str, new: str, kind: Any, amount: Callable[[int], int]) -> None:
    """Make the table anew with its amounts in another unit: it has one row per tenant and chip type at most."""
    used = sa.table("quota_usage", sa.column("tenant"), sa.column("chip"), sa.column(old))
    rows = op.get_bind().execute(sa.select(used)).all()
    kept = [{"tenant": tenant, "chip": chip, new: amount(devices)} for tenant, chip, devices in rows]
    op.drop_table("quota_usage")
    made = op.create_table(
        "quota_usage",
        sa.Column("tenant", Name, sa.ForeignKey("tenants.name", name="fk_quota_usage_tenant"), nullable=False),
        sa.Column("chip", Name, sa.ForeignKey("chip_types.name", name="fk_quota_usage_chip"), nullable=False),
        sa.Column(new, kind, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "chip", name="pk_quota_usage"),
        sa.CheckConstraint(f"{new} >= 0", name=op.f(f"ck_quota_usage_{new}")),
    )
    op.bulk_insert(made, kept)


def _refuse_what_cannot_go_back() -> None:
    asked = sa.text(
        "SELECT count(*) FROM allocations WHERE held AND (chip IS NULL OR counted > 0 OR share_milli > 0 OR pods > 1)"
    )
    held = op.get_bind().execute(asked).scalar_one()
    if held:
        raise StorageError(
            "Medley's database cannot go back to an older schema",
            why=f"workers hold what an older Medley knows nothing of: {held} of them.",
            next_step="Cancel the jobs that hold shares, counted devices or whole nodes, and wait for their end.",
        )
