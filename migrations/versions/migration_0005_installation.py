"""Several processes: which server secret a database belongs to, so that two cannot work with different ones."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table with its one row; the next server that starts writes the fingerprint."""
    table = op.create_table(
        "installation",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("secret_fingerprint", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_one_row")),
    )
    op.bulk_insert(table, [{"id": 1, "secret_fingerprint": ""}])


def downgrade() -> None:
    """Remove it."""
    op.drop_table("installation")
