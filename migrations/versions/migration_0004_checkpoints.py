"""What checkpoints bring: heartbeats, two stop reasons of their own, and trainings whose loss is no number.

On SQLite a changed check means a new table and a copy of the rows; the tables as they were are those of revision 0001.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.versions.migration_0001_first_schema import tables as first_tables
from scheduler.adapters.database.schema.columns import Instant, Name, Number

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OLD_REASONS = (
    "preempted",
    "start-refused",
    "worker-failed",
    "out-of-memory",
    "unstartable",
    "lost",
    "node-rejected",
    "disrupted",
    "time-limit",
    "cancelled",
)
_REASONS = ("preempted", "start-refused", "stalled", "silent", *_OLD_REASONS[2:])


def upgrade() -> None:
    """Add the table and let the checks admit the new words."""
    op.create_table(
        "heartbeats",
        sa.Column(
            "attempt_id", Name, sa.ForeignKey("attempts.id", name=op.f("fk_heartbeats_attempt_id")), nullable=False
        ),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("beats", Number, nullable=False),
        sa.Column("reports", Number, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("memory_mib", Number),
        sa.Column("device_memory_mib", Number),
        sa.Column("checkpoint_step", Number),
        sa.Column("checkpoint_at", Instant),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_heartbeats")),
        sa.CheckConstraint("beats >= 1 AND reports >= 0", name=op.f("ck_heartbeats_counts")),
        sa.CheckConstraint(
            "(checkpoint_step IS NULL) = (checkpoint_at IS NULL)", name=op.f("ck_heartbeats_checkpoint")
        ),
    )
    _admit("groups", _REASONS)
    _admit("attempts", _REASONS)
    _let_loss_be_missing(is_nullable=True)


def downgrade() -> None:
    """Take it back: what was heard is forgotten, and rows get the old word that comes closest.

    The change feed is left as it is; an older Medley cannot read the entries that have the new words.
    """
    op.drop_table("heartbeats")
    for table in ("groups", "attempts"):
        rows = sa.table(table, sa.column("stop_reason"))
        of_it = rows.c.stop_reason.in_(("stalled", "silent"))
        op.execute(rows.update().where(of_it).values(stop_reason="worker-failed"))
        _admit(table, _OLD_REASONS)
    op.execute(sa.text("DELETE FROM progress WHERE loss IS NULL"))
    _let_loss_be_missing(is_nullable=False)


def _before(table: str) -> sa.Table:
    """Return a table as it was before this revision, but for the check that changes."""
    copies = sa.MetaData(naming_convention=first_tables.naming_convention)
    for each in first_tables.tables.values():
        each.to_metadata(copies)
    found = copies.tables[table]
    if table == "attempts":
        found.append_column(sa.Column("remarks", sa.Integer, nullable=False, server_default="0"))
    return found


def _admit(table: str, words: Iterable[str]) -> None:
    """Have the check of stop reasons allow exactly these words."""
    name = op.f(f"ck_{table}_stop_reason")
    listed = ", ".join(f"'{word}'" for word in words)
    with op.batch_alter_table(table, copy_from=_before(table)) as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, sa.text(f"stop_reason IN ({listed})"))


def _let_loss_be_missing(*, is_nullable: bool) -> None:
    changed: dict[str, Any] = {"existing_type": sa.Float(53), "nullable": is_nullable}
    with op.batch_alter_table("progress", copy_from=_before("progress")) as batch:
        batch.alter_column("loss", **changed)
