"""Tables of the audit trail, and of the logins that were used."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text

from scheduler.adapters.database.schema.columns import Instant, Name, Number, metadata, one_of
from scheduler.core.model.access.audit import Outcome

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", Name, nullable=False),
    Column("token_id", Name),
    Column("tenant", Name),
    Column("operation", Name, nullable=False),
    Column("object_kind", Name, nullable=False),
    Column("object_name", Name, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("outcome", Name, nullable=False),
    Column("request_id", Name, nullable=False),
    Column("previous_sha256", Name, nullable=False),
    Column("sha256", Name, nullable=False),
    CheckConstraint(one_of("outcome", Outcome), name="outcome"),
    Index(None, "tenant", "number"),
    Index(None, "actor", "number"),
    Index(None, "object_kind", "object_name", "number"),
    Index(None, "at"),
)
"""It refers to nothing by key: it outlives what it tells of."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", Number, nullable=False),
    Column("sha256", Name, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
"""The newest entry's number and seal: whoever adds an entry locks this row first."""

used_proofs = Table(
    "used_proofs",
    metadata,
    Column("sha256", Name, primary_key=True),
    Column("at", Instant, nullable=False),
    Index(None, "at"),
)
"""What a login was once made with, and no other may be."""
