"""Tables of what groups that wait were told: room that is kept for them, and when they will start."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from scheduler.adapters.database.schema.columns import Instant, Name, metadata

reservations = Table(
    "reservations",
    metadata,
    Column("group_id", Name, ForeignKey("groups.id"), primary_key=True),
    Column("begins", Instant, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("promise", Text, nullable=False),
)
"""A few rows. `promise` is all of it as JSON: nodes with what is kept there, and the ends that it counts on."""

start_estimates = Table(
    "start_estimates",
    metadata,
    Column("attempt_id", Name, primary_key=True),
    Column("basis", Name, primary_key=True),
    Column("told_at", Instant, nullable=False),
    Column("earliest", Instant, nullable=False),
    Column("latest", Instant, nullable=False),
    Column("placed_at", Instant),
    Index(None, "placed_at"),
    Index(None, "told_at"),
)
"""Of attempts that are to come, which refer to nothing yet. `placed_at` is when they did, null until then."""
