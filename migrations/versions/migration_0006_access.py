"""What access brings: tokens with a scope and a second secret, users with a role, logins, and the audit trail."""

import sqlalchemy as sa
from alembic import op

from scheduler.adapters.database.schema.columns import Instant, Name, Number

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NO_SEAL = "0" * 64
_OF_USERS = ("role", "disabled_at", "subject")
_OF_TOKENS = (
    "scope",
    "is_login",
    "last_used_at",
    "rotations",
    "rotation_key_sha256",
    "old_secret_sha256",
    "old_secret_until",
)


def upgrade() -> None:
    """Add columns and tables; every token and user goes on as before."""
    op.add_column("users", sa.Column("role", Name))
    op.add_column("users", sa.Column("disabled_at", Instant))
    op.add_column("users", sa.Column("subject", Name))
    op.create_index("uq_users_subject", "users", ["subject"], unique=True)
    op.add_column("tokens", sa.Column("scope", sa.Text))
    op.add_column("tokens", sa.Column("is_login", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("tokens", sa.Column("last_used_at", Instant))
    op.add_column("tokens", sa.Column("rotations", sa.Integer, nullable=False, server_default="0"))
    op.add_column("tokens", sa.Column("rotation_key_sha256", Name))
    op.add_column("tokens", sa.Column("old_secret_sha256", Name))
    op.add_column("tokens", sa.Column("old_secret_until", Instant))
    op.create_index("uq_tokens_old_secret_sha256", "tokens", ["old_secret_sha256"], unique=True)
    _create_audit_trail()
    op.create_table(
        "used_proofs",
        sa.Column("sha256", Name, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_used_proofs"),
    )
    op.create_index("ix_used_proofs_at", "used_proofs", ["at"])


def _create_audit_trail() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("number", Number, nullable=False, autoincrement=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor", Name, nullable=False),
        sa.Column("token_id", Name),
        sa.Column("tenant", Name),
        sa.Column("operation", Name, nullable=False),
        sa.Column("object_kind", Name, nullable=False),
        sa.Column("object_name", Name, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("outcome", Name, nullable=False),
        sa.Column("request_id", Name, nullable=False),
        sa.Column("previous_sha256", Name, nullable=False),
        sa.Column("sha256", Name, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_entries"),
        sa.CheckConstraint("outcome IN ('done', 'denied')", name=op.f("ck_audit_entries_outcome")),
    )
    for columns in (["tenant", "number"], ["actor", "number"], ["object_kind", "object_name", "number"], ["at"]):
        op.create_index(f"ix_audit_entries_{'_'.join(columns)}", "audit_entries", columns)
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("last", Number, nullable=False),
        sa.Column("sha256", Name, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one_row")),
    )
    op.bulk_insert(head, [{"id": 1, "last": 0, "sha256": _NO_SEAL}])


def downgrade() -> None:
    """Take it back. Narrowed tokens and those of disabled users are revoked first: they would open more than before."""
    op.execute(
        sa.text(
            "UPDATE tokens SET revoked_at = created_at WHERE revoked_at IS NULL AND (scope IS NOT NULL OR is_login "
            'OR EXISTS (SELECT 1 FROM users WHERE users.name = tokens."user" AND '
            "(users.disabled_at IS NOT NULL OR users.role IS NOT NULL)))"
        )
    )
    for table in ("used_proofs", "audit_head", "audit_entries"):
        op.drop_table(table)
    op.drop_index("uq_tokens_old_secret_sha256", table_name="tokens")
    op.drop_index("uq_users_subject", table_name="users")
    for table, columns in (("tokens", _OF_TOKENS), ("users", _OF_USERS)):
        for column in columns:
            op.drop_column(table, column)
