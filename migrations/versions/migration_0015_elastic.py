"""What elastic jobs bring: attempts of several generations, workers that come later, and a further stop reason."""

import re
from functools import partial

import sqlalchemy as sa
from alembic import op

from migrations.versions.migration_0009_inference import list_words, make_anew, put_before, without
from scheduler.adapters.database.failures import StorageError
from scheduler.adapters.database.schema.columns import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_HELD = sa.text("held")
_ONE_HELD = "uq_allocations_one_held"
_COLUMNS = (
    ("attempts", lambda: sa.Column("called", sa.Integer, nullable=False, server_default="1")),
    ("attempts", lambda: sa.Column("met", sa.Integer, nullable=False, server_default="1")),
    ("attempts", lambda: sa.Column("resized_at", Instant)),
    ("allocations", lambda: sa.Column("since", sa.Integer, nullable=False, server_default="1")),
    ("allocations", lambda: sa.Column("number", sa.Integer)),
    ("allocations", lambda: sa.Column("taken_at", Instant)),
    ("allocations", lambda: sa.Column("given_at", Instant)),
)
_CHECKS = (
    ("attempts", "resizing", "met >= 1 AND called >= met AND generation >= called"),
    ("allocations", "worker", "since >= 1 AND since <= generation AND (number IS NULL OR number >= 0)"),
)
_REASON, _FOLLOWING = "resize-failed", "server-ended"


def upgrade() -> None:
    """Add columns, checks and the index; all attempts there are have one generation, and nobody came later."""
    for table, column in _COLUMNS:
        op.add_column(table, column())
    for table, name, condition in _CHECKS:
        _check(table, name, condition)
    op.create_index(
        _ONE_HELD, "allocations", ["attempt_id", "rank"], unique=True, sqlite_where=_HELD, postgresql_where=_HELD
    )
    for table in ("groups", "attempts"):
        list_words(table, "stop_reason", partial(put_before, word=_REASON, following=_FOLLOWING))


def downgrade() -> None:
    """Take it back, unless gangs run with another size than they began with.

    The change feed is left as it is; an older Medley cannot read the entries of new kinds.
    """
    _refuse_resized()
    for table in ("groups", "attempts"):
        rows = sa.table(table, sa.column("stop_reason"))
        op.execute(rows.update().where(rows.c.stop_reason == _REASON).values(stop_reason="stalled"))
        list_words(table, "stop_reason", partial(without, word=_REASON))
    op.drop_index(_ONE_HELD, "allocations")
    for table, name, condition in _CHECKS:
        _uncheck(table, name, condition)
    for table, column in reversed(_COLUMNS):
        op.drop_column(table, column().name)


def _refuse_resized() -> None:
    resized = op.get_bind().scalar(
        sa.text("SELECT count(*) FROM attempts WHERE generation > 1 AND ended_at IS NULL"),
    )
    if resized:
        raise StorageError(
            "Medley's database cannot be taken back",
            why=f"jobs run with another number of workers than they began with: {resized} of them.",
            next_step="Cancel them and wait until they have ended, then try again.",
        )


def _check(table: str, name: str, condition: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        make_anew(table, lambda made: f"{made.rstrip().removesuffix(')')}, {_text(table, name, condition)})")
    else:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, sa.text(condition))


def _uncheck(table: str, name: str, condition: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        make_anew(table, lambda made: re.sub(rf",\s*{re.escape(_text(table, name, condition))}", "", made))
    else:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")


def _text(table: str, name: str, condition: str) -> str:
    return f"CONSTRAINT ck_{table}_{name} CHECK ({condition})"
