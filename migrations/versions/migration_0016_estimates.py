"""What starts rest on: who overtook on room that is kept, and how right estimates of starts were."""

import sqlalchemy as sa
from alembic import op

from scheduler.adapters.database.schema.columns import Instant, Name

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: who runs took nothing that is kept; and the table: nobody was told anything yet."""
    op.add_column("attempts", sa.Column("stop_by", Instant))
    op.create_table(
        "start_estimates",
        sa.Column("attempt_id", Name, nullable=False),
        sa.Column("basis", Name, nullable=False),
        sa.Column("told_at", Instant, nullable=False),
        sa.Column("earliest", Instant, nullable=False),
        sa.Column("latest", Instant, nullable=False),
        sa.Column("placed_at", Instant),
        sa.PrimaryKeyConstraint("attempt_id", "basis", name=op.f("pk_start_estimates")),
    )
    op.create_index(op.f("ix_start_estimates_placed_at"), "start_estimates", ["placed_at"])
    op.create_index(op.f("ix_start_estimates_told_at"), "start_estimates", ["told_at"])


def downgrade() -> None:
    """Remove them: who overtook runs on, and what was told is forgotten."""
    op.drop_table("start_estimates")
    op.drop_column("attempts", "stop_by")
