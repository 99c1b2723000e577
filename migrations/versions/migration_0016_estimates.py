"""What starts rest on: who overtook on room that is kept, and how right estimates of starts were."""

import sqlalchemy as sa
from alembic import op

from scheduler.adapters.database.schema.columns import Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: who runs took nothing that is kept."""
    op.add_column("attempts", sa.Column("stop_by", Instant))


def downgrade() -> None:
    """Remove it: who overtook runs on."""
    op.drop_column("attempts", "stop_by")
