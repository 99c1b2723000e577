"""Table of the room that is kept for groups that wait."""

from sqlalchemy import Column, ForeignKey, Table, Text

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
