"""What giving way brings: for whom the latest generation of an attempt has fewer workers."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nobody there gave way to anybody."""
    op.add_column("attempts", sa.Column("given_to", sa.Text))


def downgrade() -> None:
    """Remove it: gangs stay as small as they are, and nobody knows for whom.

    The change feed is left as it is; an older Medley cannot read the entries that say so.
    """
    op.drop_column("attempts", "given_to")
