"""What people do with jobs and nodes: nodes that are drained."""

import sqlalchemy as sa
from alembic import op

from scheduler.adapters.database.schema.columns import Instant, Name

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STATES = "seen_state IN ('ready', 'degraded', 'suspect', 'drained', 'gone')"


def upgrade() -> None:
    """Add the table; nobody has drained anything yet."""
    op.create_table(
        "node_drains",
        sa.Column("node_id", Name, nullable=False),
        sa.Column("by", Name, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("seen_state", Name, nullable=False),
        sa.PrimaryKeyConstraint("node_id", name="pk_node_drains"),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name="fk_node_drains_node_id_nodes"),
        sa.CheckConstraint(_STATES, name=op.f("ck_node_drains_seen_state")),
    )


def downgrade() -> None:
    """Remove it: nodes are again what their clusters say, from the next time they say it."""
    op.drop_table("node_drains")
