"""What promises bring: the room that is kept for groups that wait."""

import sqlalchemy as sa
from alembic import op

from scheduler.adapters.database.schema.columns import Instant, Name

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; no room is kept until somebody leads."""
    op.create_table(
        "reservations",
        sa.Column("group_id", Name, nullable=False),
        sa.Column("begins", Instant, nullable=False),
        sa.Column("made_at", Instant, nullable=False),
        sa.Column("promise", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_reservations")),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_reservations_group_id")),
    )


def downgrade() -> None:
    """Remove it: an older Medley keeps room in memory alone."""
    op.drop_table("reservations")
