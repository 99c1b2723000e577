"""The first schema: tenants, clusters with their nodes, jobs, and the change feed.

The tables are written out here once more, frozen: what they become later is told by later migrations.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from scheduler.adapters.database.schema.columns import NAMING, Instant, Name, Number

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

tables = sa.MetaData(naming_convention=NAMING)

_STOP_REASONS = (
    "stop_reason IN ('preempted', 'start-refused', 'lost', 'worker-failed', 'out-of-memory', 'time-limit', 'cancelled')"
)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


sa.Table(
    "change_counter",
    tables,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("last", Number, nullable=False),
    sa.CheckConstraint("id = 1", name="one_row"),
)
sa.Table(
    "changes",
    tables,
    sa.Column("number", Number, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("tenant", Name),
    sa.Column("job_id", Name),
    sa.Column("kind", Name, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("ix_changes_job_id_number", "job_id", "number", **_where("job_id IS NOT NULL")),
)
sa.Table(
    "chip_types",
    tables,
    sa.Column("name", Name, primary_key=True),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("memory_mib", sa.Integer),
    sa.Column("dense_bf16_tflops", sa.Float(53)),
    sa.Column("measured_tflops", sa.Float(53)),
    sa.Column("memory_bandwidth_gb_s", sa.Float(53)),
    sa.Column("link_bandwidth_gb_s", sa.Float(53)),
    sa.Column("link", sa.Text),
    sa.Column("torch_device", sa.Text, nullable=False),
    sa.Column("collective_library", sa.Text, nullable=False),
    sa.Column("estimated_fields", sa.Text, nullable=False),
)
sa.Table("clusters", tables, sa.Column("name", Name, primary_key=True), sa.Column("kind", Name, nullable=False))
sa.Table(
    "leadership",
    tables,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("epoch", Number, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.CheckConstraint("id = 1", name="one_row"),
)
sa.Table("tenants", tables, sa.Column("name", Name, primary_key=True), sa.Column("created_at", Instant, nullable=False))
sa.Table(
    "jobs",
    tables,
    sa.Column("id", Name, primary_key=True),
    sa.Column("tenant", Name, sa.ForeignKey("tenants.name"), nullable=False),
    sa.Column("name", Name, nullable=False),
    sa.Column("kind", Name, nullable=False),
    sa.Column("workers", sa.Integer, nullable=False),
    sa.Column("retries", sa.Integer, nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("submitted_by", Name, nullable=False),
    sa.Column("submitted_at", Instant, nullable=False),
    sa.Column("wish", Name, nullable=False),
    sa.Column("state", Name, nullable=False),
    sa.Column("finished_at", Instant),
    sa.CheckConstraint("(finished_at IS NOT NULL) = (state IN ('succeeded', 'failed', 'cancelled'))", name="finished"),
    sa.CheckConstraint("kind IN ('training')", name="kind"),
    sa.CheckConstraint("retries >= 0", name="retries"),
    sa.CheckConstraint(
        "state IN ('queued', 'placed', 'starting', 'running', 'stopping', 'succeeded', 'failed', 'cancelled')",
        name="state",
    ),
    sa.CheckConstraint("wish IN ('run', 'stop')", name="wish"),
    sa.CheckConstraint("workers >= 1", name="workers"),
    sa.Index("ix_jobs_live", "tenant", **_where("state IN ('queued', 'placed', 'starting', 'running', 'stopping')")),
    sa.Index("ix_jobs_tenant_id", "tenant", "id"),
)
sa.Table(
    "nodes",
    tables,
    sa.Column("id", Name, primary_key=True),
    sa.Column("cluster", Name, sa.ForeignKey("clusters.name"), nullable=False),
    sa.Column("name", Name, nullable=False),
    sa.Column("cpu_milli", Number, nullable=False),
    sa.Column("memory_mib", Number, nullable=False),
    sa.Column("pods", sa.Integer, nullable=False),
    sa.Column("topology", sa.Text, nullable=False),
    sa.Column("labels", sa.Text, nullable=False),
    sa.Column("state", Name, nullable=False),
    sa.CheckConstraint("state IN ('ready', 'drained', 'gone')", name="state"),
    sa.Index("ix_nodes_cluster_name", "cluster", "name", unique=True),
)
sa.Table(
    "quota_usage",
    tables,
    sa.Column("tenant", Name, sa.ForeignKey("tenants.name"), primary_key=True),
    sa.Column("chip", Name, sa.ForeignKey("chip_types.name"), primary_key=True),
    sa.Column("devices", sa.Integer, nullable=False),
    sa.CheckConstraint("devices >= 0", name="devices"),
)
sa.Table(
    "quotas",
    tables,
    sa.Column("tenant", Name, sa.ForeignKey("tenants.name"), primary_key=True),
    sa.Column("chip", Name, sa.ForeignKey("chip_types.name"), primary_key=True),
    sa.Column("devices", sa.Integer, nullable=False),
    sa.CheckConstraint("devices >= 0", name="devices"),
)
sa.Table(
    "users",
    tables,
    sa.Column("name", Name, primary_key=True),
    sa.Column("tenant", Name, sa.ForeignKey("tenants.name")),
    sa.Column("created_at", Instant, nullable=False),
)
sa.Table(
    "groups",
    tables,
    sa.Column("id", Name, primary_key=True),
    sa.Column("job_id", Name, sa.ForeignKey("jobs.id"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("state", Name, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("stop_reason", Name),
    sa.Column("stop_detail", sa.Text),
    sa.Column("not_before", Instant),
    sa.CheckConstraint("failures >= 0 AND failures <= attempts", name="failures"),
    sa.CheckConstraint("position >= 0", name="position"),
    sa.CheckConstraint(
        "state IN ('queued', 'placed', 'starting', 'running', 'stopping', 'succeeded', 'failed', 'cancelled')",
        name="state",
    ),
    sa.CheckConstraint(_STOP_REASONS, name="stop_reason"),
    sa.CheckConstraint("version >= 1", name="version"),
    sa.Index("ix_groups_job_id_position", "job_id", "position", unique=True),
    sa.Index("ix_groups_live", "job_id", **_where("state IN ('queued', 'placed', 'starting', 'running', 'stopping')")),
)
sa.Table(
    "idempotency_keys",
    tables,
    sa.Column("tenant", Name, sa.ForeignKey("tenants.name"), primary_key=True),
    sa.Column("key", Name, primary_key=True),
    sa.Column("body_sha256", Name, nullable=False),
    sa.Column("job_id", Name, sa.ForeignKey("jobs.id"), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)
sa.Table(
    "job_chips",
    tables,
    sa.Column("job_id", Name, sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("chip", Name, sa.ForeignKey("chip_types.name"), primary_key=True),
    sa.Index("ix_job_chips_chip_job_id", "chip", "job_id"),
)
sa.Table(
    "job_labels",
    tables,
    sa.Column("job_id", Name, sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("key", Name, primary_key=True),
    sa.Column("value", Name, primary_key=True),
    sa.Index("ix_job_labels_key_value_job_id", "key", "value", "job_id"),
)
sa.Table(
    "node_devices",
    tables,
    sa.Column("node_id", Name, sa.ForeignKey("nodes.id"), primary_key=True),
    sa.Column("chip", Name, sa.ForeignKey("chip_types.name"), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("devices", sa.Integer, nullable=False),
    sa.Column("memory_mib", sa.Integer, nullable=False),
    sa.CheckConstraint("devices >= 0", name="devices"),
    sa.Index("ix_node_devices_chip", "chip"),
)
sa.Table(
    "node_resources",
    tables,
    sa.Column("node_id", Name, sa.ForeignKey("nodes.id"), primary_key=True),
    sa.Column("resource", Name, primary_key=True),
    sa.Column("allocatable", Number, nullable=False),
    sa.Column("used", Number, nullable=False),
    sa.CheckConstraint("used >= 0 AND used <= allocatable", name="used"),
)
sa.Table(
    "tokens",
    tables,
    sa.Column("id", Name, primary_key=True),
    sa.Column("name", Name, nullable=False),
    sa.Column("role", Name, nullable=False),
    sa.Column("tenant", Name, sa.ForeignKey("tenants.name")),
    sa.Column("user", Name, sa.ForeignKey("users.name")),
    sa.Column("secret_sha256", Name, nullable=False, unique=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("revoked_at", Instant),
    sa.CheckConstraint("role IN ('viewer', 'submitter', 'tenant-admin', 'operator', 'auditor')", name="role"),
    sa.CheckConstraint("(tenant IS NULL) = (role IN ('operator', 'auditor'))", name="tenant_of_role"),
    sa.Index("ix_tokens_tenant_id", "tenant", "id"),
)
sa.Table(
    "attempts",
    tables,
    sa.Column("id", Name, primary_key=True),
    sa.Column("group_id", Name, sa.ForeignKey("groups.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("state", Name, nullable=False),
    sa.Column("stop_reason", Name),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("placed_at", Instant, nullable=False),
    sa.Column("started_at", Instant),
    sa.Column("ended_at", Instant),
    sa.CheckConstraint("(ended_at IS NULL) = (state IN ('placed', 'starting', 'running', 'stopping'))", name="ended"),
    sa.CheckConstraint("generation >= 1", name="generation"),
    sa.CheckConstraint("number >= 1", name="number"),
    sa.CheckConstraint(
        "state IN ('queued', 'placed', 'starting', 'running', 'stopping', 'succeeded', 'failed', 'cancelled')",
        name="state",
    ),
    sa.CheckConstraint(_STOP_REASONS, name="stop_reason"),
    sa.Index("ix_attempts_group_id_number", "group_id", "number", unique=True),
    sa.Index("uq_attempts_one_live", "group_id", unique=True, **_where("ended_at IS NULL")),
)
sa.Table(
    "allocations",
    tables,
    sa.Column("attempt_id", Name, sa.ForeignKey("attempts.id"), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    sa.Column("node_id", Name, sa.ForeignKey("nodes.id"), nullable=False),
    sa.Column("chip", Name, sa.ForeignKey("chip_types.name"), nullable=False),
    sa.Column("slots", sa.Text, nullable=False),
    sa.Column("cpu_milli", Number, nullable=False),
    sa.Column("memory_mib", Number, nullable=False),
    sa.CheckConstraint("cpu_milli >= 0 AND memory_mib >= 0", name="amounts"),
    sa.CheckConstraint("rank >= 0", name="rank"),
)
sa.Table(
    "device_slots",
    tables,
    sa.Column("node_id", Name, sa.ForeignKey("nodes.id"), primary_key=True),
    sa.Column("slot", sa.Integer, primary_key=True),
    sa.Column("chip", Name, sa.ForeignKey("chip_types.name"), nullable=False),
    sa.Column("used_milli", sa.Integer, nullable=False),
    sa.Column("holder_attempt", Name, sa.ForeignKey("attempts.id")),
    sa.CheckConstraint("(used_milli = 0) = (holder_attempt IS NULL)", name="holder"),
    sa.CheckConstraint("used_milli >= 0 AND used_milli <= 1000", name="used_milli"),
    sa.Index("ix_device_slots_holder_attempt", "holder_attempt", **_where("holder_attempt IS NOT NULL")),
)
sa.Table(
    "progress",
    tables,
    sa.Column("attempt_id", Name, sa.ForeignKey("attempts.id"), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("step", Number, primary_key=True),
    sa.Column("steps", Number, nullable=False),
    sa.Column("loss", sa.Float(53), nullable=False),
    sa.Column("tokens_per_s", sa.Float(53), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_progress_attempt_id_at", "attempt_id", "at"),
)
sa.Table(
    "rendezvous",
    tables,
    sa.Column("attempt_id", Name, sa.ForeignKey("attempts.id"), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
)
sa.Table(
    "workers",
    tables,
    sa.Column("attempt_id", Name, sa.ForeignKey("attempts.id"), primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    sa.Column("phase", Name, nullable=False),
    sa.Column("started_at", Instant),
    sa.Column("ended_at", Instant),
    sa.Column("exit_code", sa.Integer),
    sa.Column("end", Name),
    sa.CheckConstraint("\"end\" IN ('exited', 'stopped', 'time-limit', 'memory-limit', 'lost')", name="end"),
    sa.CheckConstraint("phase IN ('pending', 'running', 'exited', 'lost')", name="phase"),
    sa.CheckConstraint("rank >= 0", name="rank"),
)


def upgrade() -> None:
    """Create the tables, with the one row of those that have one."""
    tables.create_all(op.get_bind(), checkfirst=False)
    op.bulk_insert(tables.tables["change_counter"], [{"id": 1, "last": 0}])
    op.bulk_insert(tables.tables["leadership"], [{"id": 1, "epoch": 0, "holder": ""}])


def downgrade() -> None:
    """Drop the tables with all that is in them."""
    tables.drop_all(op.get_bind(), checkfirst=False)
