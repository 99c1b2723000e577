"""What plans of training bring: how long layers of models take on which chip type."""

import sqlalchemy as sa
from alembic import op

from scheduler.adapters.database.schema.columns import Instant, Name, Number

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "profiles",
        sa.Column("tenant", Name, primary_key=True),
        sa.Column("family", Name, primary_key=True),
        sa.Column("chip", Name, primary_key=True),
        sa.Column("tensor_parallel", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("micro_batch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("measured", sa.Text),
        sa.Column("reports", Number, nullable=False),
        sa.Column("said", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("times", sa.Text, nullable=False),
        sa.CheckConstraint("tensor_parallel >= 1 AND micro_batch >= 1", name="degrees"),
        sa.CheckConstraint("reports >= 0 AND version >= 1", name="counts"),
        sa.CheckConstraint("measured IS NOT NULL OR said IS NOT NULL", name="known"),
    )


def downgrade() -> None:
    """Remove it. The change feed is left as it is; an older Medley cannot read the entries of new kinds."""
    op.drop_table("profiles")
