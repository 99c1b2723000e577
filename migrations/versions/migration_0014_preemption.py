"""What preemption brings: how often a group was preempted, and for whom an attempt was stopped."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nobody there is was preempted."""
    op.add_column("groups", sa.Column("preemptions", sa.Integer, nullable=False, server_default="0"))
    op.add_column("attempts", sa.Column("eviction", sa.Text))


def downgrade() -> None:
    """Remove them: attempts stay as preempted as they are, and nobody knows for whom."""
    op.drop_column("attempts", "eviction")
    op.drop_column("groups", "preemptions")
