"""What inference jobs bring: their kind, how many replicas are wanted, workers with addresses, further stop reasons.

On SQLite a changed check means a new table and a copy of the rows. The new one is made of the old one's own text, so
that whatever else other revisions did to it stays.
"""

import re
from collections.abc import Callable
from functools import partial

import sqlalchemy as sa
from alembic import op

from scheduler.adapters.database.failures import StorageError
from scheduler.adapters.database.schema.columns import Name

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_REASONS = (("replaced", "start-refused"), ("server-ended", "worker-failed"), ("scaled-down", "cancelled"))
"""New words, each with the one that it is listed before; that one takes its place on the way back."""
_REPLICAS = "CONSTRAINT ck_jobs_replicas CHECK (replicas >= 1)"


def upgrade() -> None:
    """Add the columns and let the checks admit the new words; every job there is has one replica."""
    op.add_column("jobs", sa.Column("replicas", sa.Integer, nullable=False, server_default="1"))
    for table in ("jobs", "attempts"):
        op.add_column(table, sa.Column("revision", sa.Integer, nullable=False, server_default="1"))
    op.add_column("workers", sa.Column("address", Name))
    _check_replicas(is_checked=True)
    list_words("jobs", "kind", lambda words: [*words, "inference"])
    list_words("workers", "phase", partial(put_before, word="unready", following="running"))
    for table in ("groups", "attempts"):
        for word, following in _REASONS:
            list_words(table, "stop_reason", partial(put_before, word=word, following=following))


def downgrade() -> None:
    """Take it back: servers that are over become trainings, and rows get the old word that comes closest.

    The change feed is left as it is; an older Medley cannot read the entries that have the new words.
    """
    _refuse_live_servers()
    old_kind = '\'"kind":"inference"\', \'"kind":"training"\''
    op.execute(
        sa.text(f"UPDATE jobs SET kind = 'training', spec = replace(spec, {old_kind}) WHERE kind = 'inference'")  # noqa: S608
    )
    list_words("jobs", "kind", partial(without, word="inference"))
    op.execute(sa.text("UPDATE workers SET phase = 'running' WHERE phase = 'unready'"))
    list_words("workers", "phase", partial(without, word="unready"))
    for table in ("groups", "attempts"):
        for word, following in _REASONS:
            rows = sa.table(table, sa.column("stop_reason"))
            op.execute(rows.update().where(rows.c.stop_reason == word).values(stop_reason=following))
            list_words(table, "stop_reason", partial(without, word=word))
    _check_replicas(is_checked=False)
    op.drop_column("jobs", "replicas")
    for table in ("jobs", "attempts"):
        op.drop_column(table, "revision")
    op.drop_column("workers", "address")


def _refuse_live_servers() -> None:
    live = op.get_bind().scalar(
        sa.text("SELECT count(*) FROM jobs WHERE kind = 'inference' AND finished_at IS NULL"),
    )
    if live:
        raise StorageError(
            "Medley's database cannot be taken back",
            why=f"inference jobs run, of which an older Medley knows nothing: {live} of them.",
            next_step="Cancel them and wait until they have ended, then try again.",
        )


def put_before(words: list[str], word: str, following: str) -> list[str]:
    """Return the words with one more, before the one that follows it."""
    place = words.index(following)
    return [*words[:place], word, *words[place:]]


def without(words: list[str], word: str) -> list[str]:
    """Return the words without one."""
    return [each for each in words if each != word]


def list_words(table: str, column: str, change: Callable[[list[str]], list[str]]) -> None:
    """Have the check of a column's words allow what `change` makes of those that it allows now."""
    name = f"ck_{table}_{column}"
    checks = sa.inspect(op.get_bind()).get_check_constraints(table)
    (present,) = (str(each["sqltext"]) for each in checks if each["name"] == name)
    words = change(re.findall(r"'([a-z-]+)'", present))
    listed = f"{column} IN ({', '.join(repr(word) for word in words)})"
    if op.get_bind().dialect.name == "sqlite":
        make_anew(table, lambda made: made.replace(f"{name} CHECK ({present})", f"{name} CHECK ({listed})"))
    else:
        op.drop_constraint(op.f(name), table, type_="check")
        op.create_check_constraint(op.f(name), table, sa.text(listed))


def _check_replicas(*, is_checked: bool) -> None:
    if op.get_bind().dialect.name == "sqlite":
        if is_checked:
            make_anew("jobs", lambda made: f"{made.rstrip().removesuffix(')')}, {_REPLICAS})")
        else:
            make_anew("jobs", lambda made: re.sub(rf",\s*{re.escape(_REPLICAS)}", "", made))
    elif is_checked:
        op.create_check_constraint(op.f("ck_jobs_replicas"), "jobs", sa.text("replicas >= 1"))
    else:
        op.drop_constraint(op.f("ck_jobs_replicas"), "jobs", type_="check")


def make_anew(table: str, change: Callable[[str], str]) -> None:
    """Make a table of SQLite anew, by what `change` makes of the statement that made it; its rows stay."""
    bind = op.get_bind()
    text_of = sa.text("SELECT sql FROM sqlite_master WHERE type = :kind AND tbl_name = :table AND sql IS NOT NULL")
    (made,) = bind.scalars(text_of, {"kind": "table", "table": table}).all()
    indexes = bind.scalars(text_of, {"kind": "index", "table": table}).all()
    changed = change(made)
    if changed == made:
        raise LookupError(f"the table {table} is not as it was expected: {made}")
    new = f"new_{table}"
    bind.exec_driver_sql(re.sub(rf'^CREATE TABLE "?{table}"?', f'CREATE TABLE "{new}"', changed))
    columns = ", ".join(f'"{each["name"]}"' for each in sa.inspect(bind).get_columns(table))
    bind.exec_driver_sql(f'INSERT INTO "{new}" ({columns}) SELECT {columns} FROM "{table}"')  # noqa: S608 - our names
    bind.exec_driver_sql(f'DROP TABLE "{table}"')
    bind.exec_driver_sql(f'ALTER TABLE "{new}" RENAME TO "{table}"')
    for index in indexes:
        bind.exec_driver_sql(index)
