"""What Kubernetes brings: how workers end there, why, what is said of them, and notes about nodes.

On SQLite a changed check means a new table and a copy of the rows; the tables as they were are those of revision 0001.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.versions.migration_0001_first_schema import tables as first_tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OLD_REASONS = ("preempted", "start-refused", "lost", "worker-failed", "out-of-memory", "time-limit", "cancelled")
_REASONS = (
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
_OLD_ENDS = ("exited", "stopped", "time-limit", "memory-limit", "lost")
_ENDS = (*_OLD_ENDS, "rejected", "disrupted", "unstartable")


def upgrade() -> None:
    """Add the columns and let the checks admit the new words."""
    op.add_column("nodes", sa.Column("note", sa.Text, nullable=False, server_default=""))
    _admit("groups", "stop_reason", _REASONS)
    _admit("attempts", "stop_reason", _REASONS, sa.Column("remarks", sa.Integer, nullable=False, server_default="0"))
    _admit("workers", "end", _ENDS, sa.Column("detail", sa.Text))


def downgrade() -> None:
    """Take the columns and the new words back: rows get the old word that comes closest.

    The change feed is left as it is; an older Medley cannot read the entries that have the new words.
    """
    for table in ("groups", "attempts"):
        _replace(table, "stop_reason", {"unstartable": "worker-failed", "node-rejected": "lost", "disrupted": "lost"})
    _replace("workers", "end", dict.fromkeys(("rejected", "disrupted", "unstartable"), "lost"))
    op.drop_column("nodes", "note")
    for table, column in (("attempts", "remarks"), ("workers", "detail")):
        op.drop_column(table, column)
    _admit("groups", "stop_reason", _OLD_REASONS)
    _admit("attempts", "stop_reason", _OLD_REASONS)
    _admit("workers", "end", _OLD_ENDS)


def _admit(table: str, column: str, words: Iterable[str], *added: sa.Column[Any]) -> None:
    """Have a check allow exactly these words; a new table is made of the one of revision 0001 and `added`."""
    name = op.f(f"ck_{table}_{column}")
    quoted = '"end"' if column == "end" else column  # a word of SQL
    listed = ", ".join(f"'{word}'" for word in words)
    with op.batch_alter_table(table, copy_from=first_tables.tables[table]) as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, sa.text(f"{quoted} IN ({listed})"))
        for each in added:
            batch.add_column(each)


def _replace(table: str, column: str, words: Mapping[str, str]) -> None:
    for word, old in words.items():
        rows = sa.table(table, sa.column(column))
        op.execute(rows.update().where(rows.c[column] == word).values({column: old}))
