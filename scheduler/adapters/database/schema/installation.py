"""The one row that says which Medley a database belongs to."""

from sqlalchemy import CheckConstraint, Column, Integer, Table, Text

from scheduler.adapters.database.schema.columns import metadata

installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("secret_fingerprint", Text, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
