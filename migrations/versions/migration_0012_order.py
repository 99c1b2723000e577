"""What the order of the queue brings: what placements rested on, and how fast jobs are on which chip type."""

import sqlalchemy as sa
from alembic import op

from scheduler.adapters.database.schema.columns import Instant, Name, Number

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; of the attempts there are, nobody noted what they rested on."""
    op.add_column("attempts", sa.Column("grounds", sa.Text))
    op.create_table(
        "throughputs",
        sa.Column("tenant", Name, primary_key=True),
        sa.Column("family", Name, primary_key=True),
        sa.Column("chip", Name, primary_key=True),
        sa.Column("measured_per_s", sa.Float(53)),
        sa.Column("reports", Number, nullable=False),
        sa.Column("set_per_s", sa.Float(53)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.CheckConstraint("reports >= 0 AND version >= 1", name="counts"),
        sa.CheckConstraint("measured_per_s IS NOT NULL OR set_per_s IS NOT NULL", name="known"),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("throughputs")
    op.drop_column("attempts", "grounds")
