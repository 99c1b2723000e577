"""Tables of tenants, users and tokens."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, false

from scheduler.adapters.database.schema.columns import Instant, Name, metadata, one_of
from scheduler.core.model.tenant import Role

tenants = Table(
    "tenants",
    metadata,
    Column("name", Name, primary_key=True),
    Column("created_at", Instant, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("name", Name, primary_key=True),
    Column("tenant", Name, ForeignKey("tenants.name")),
    Column("created_at", Instant, nullable=False),
    Column("role", Name),
    Column("disabled_at", Instant),
    Column("subject", Name),
    Index("uq_users_subject", "subject", unique=True),
)
"""A role is checked by the code: on SQLite a check could only be added by making anew a table that others refer to."""

tokens = Table(
    "tokens",
    metadata,
    Column("id", Name, primary_key=True),
    Column("name", Name, nullable=False),
    Column("role", Name, nullable=False),
    Column("tenant", Name, ForeignKey("tenants.name")),
    Column("user", Name, ForeignKey("users.name")),
    Column("secret_sha256", Name, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("scope", Text),
    Column("is_login", Boolean, nullable=False, server_default=false()),
    Column("last_used_at", Instant),
    Column("rotations", Integer, nullable=False, server_default="0"),
    Column("rotation_key_sha256", Name),
    Column("old_secret_sha256", Name),
    Column("old_secret_until", Instant),
    CheckConstraint(one_of("role", Role), name="role"),
    CheckConstraint(
        f"(tenant IS NULL) = ({one_of('role', [role for role in Role if role.is_cluster_wide])})", name="tenant_of_role"
    ),
    Index(None, "tenant", "id"),
    Index("uq_tokens_old_secret_sha256", "old_secret_sha256", unique=True),
)
