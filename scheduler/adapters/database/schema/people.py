"""Tables of tenants, users, tokens and quotas."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, false

from scheduler.adapters.database.schema.columns import Instant, Name, Number, metadata, one_of
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

quotas = Table(
    "quotas",
    metadata,
    Column("tenant", Name, ForeignKey("tenants.name"), primary_key=True),
    Column("chip", Name, ForeignKey("chip_types.name"), primary_key=True),
    Column("devices", Integer, nullable=False),
    CheckConstraint("devices >= 0", name="devices"),
)

quota_usage = Table(
    "quota_usage",
    metadata,
    Column("tenant", Name, ForeignKey("tenants.name"), primary_key=True),
    Column("chip", Name, ForeignKey("chip_types.name"), primary_key=True),
    Column("devices_milli", Number, nullable=False),
    CheckConstraint("devices_milli >= 0", name="devices_milli"),
)
"""What each tenant holds now, in thousandths; a row stays once something was held: one UPDATE guards a quota."""
