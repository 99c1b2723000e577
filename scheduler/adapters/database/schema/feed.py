"""Tables of the change feed, of its one counter, and of leadership."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, text

from scheduler.adapters.database.schema.columns import Instant, Name, Number, metadata

changes = Table(
    "changes",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("tenant", Name),
    Column("job_id", Name),
    Column("kind", Name, nullable=False),
    Column("body", Text, nullable=False),
    Index(
        None,
        "job_id",
        "number",
        sqlite_where=text("job_id IS NOT NULL"),
        postgresql_where=text("job_id IS NOT NULL"),
    ),
)
"""The feed refers to nothing by key: it outlives what it tells of."""

change_counter = Table(
    "change_counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", Number, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

leadership = Table(
    "leadership",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Number, nullable=False),
    Column("holder", Text, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
