"""What arrays bring: which array a job is of."""

import sqlalchemy as sa
from alembic import op

from scheduler.adapters.database.schema.columns import Name

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_IN_ARRAY = sa.text("array_id IS NOT NULL")
_HOLDING = sa.text("array_id IS NOT NULL AND state IN ('placed', 'starting', 'running', 'stopping')")
_INDEXES = (
    ("ix_jobs_array", ["array_id", "state", "id"], _IN_ARRAY),
    ("ix_jobs_array_holding", ["array_id"], _HOLDING),
)


def upgrade() -> None:
    """Add the column and its indexes; no job there is belongs to an array."""
    op.add_column("jobs", sa.Column("array_id", Name))
    for name, columns, where in _INDEXES:
        op.create_index(name, "jobs", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Remove them: members of arrays are jobs like any other."""
    for name, _, _ in _INDEXES:
        op.drop_index(name, "jobs")
    op.drop_column("jobs", "array_id")
