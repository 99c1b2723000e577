"""What queues bring: the tree of them, what each is due and may have, groups of chip types, and where a job waits.

Every tenant has a queue of its own name from now on; what was its quota is that queue's limit.
"""

import sqlalchemy as sa
from alembic import op

from scheduler.adapters.database.schema.columns import Name, Number

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_QUEUED = sa.text("state = 'queued'")
_CAPS = ("most_waiting", "most_running", "most_running_per_user")


def upgrade() -> None:
    """Add the tables, and fill them with what follows from tenants, quotas and what is held."""
    _add_queues()
    _add_quotas()
    op.create_table(
        "queue_usage",
        sa.Column("queue", Name, sa.ForeignKey("queues.name"), primary_key=True),
        sa.Column("chip", Name, sa.ForeignKey("chip_types.name"), primary_key=True),
        sa.Column("devices_milli", Number, nullable=False),
        sa.CheckConstraint("devices_milli >= 0", name="devices_milli"),
    )
    op.add_column("jobs", sa.Column("queue", Name, nullable=False, server_default=""))
    op.create_index("ix_jobs_queued", "jobs", ["queue"], sqlite_where=_QUEUED, postgresql_where=_QUEUED)
    op.execute(sa.text("INSERT INTO queues (name, tenant, weight) SELECT name, name, 1 FROM tenants"))
    op.execute(
        sa.text(
            'INSERT INTO queue_quotas (queue, resource, guaranteed, "limit") '
            "SELECT tenant, chip, 0, devices FROM quotas"
        )
    )
    op.execute(
        sa.text(
            "INSERT INTO queue_usage (queue, chip, devices_milli) SELECT tenant, chip, devices_milli FROM quota_usage"
        )
    )
    op.execute(sa.text("UPDATE jobs SET queue = tenant"))
    op.drop_table("quotas")
    op.drop_table("quota_usage")


def downgrade() -> None:
    """Take it back: of what queues may have, the limits on chip types of tenants' own queues are left."""
    op.create_table(
        "quotas",
        *_purse(),
        sa.Column("devices", sa.Integer, nullable=False),
        sa.CheckConstraint("devices >= 0", name="devices"),
    )
    op.create_table(
        "quota_usage",
        *_purse(),
        sa.Column("devices_milli", Number, nullable=False),
        sa.CheckConstraint("devices_milli >= 0", name="devices_milli"),
    )
    op.execute(
        sa.text(
            'INSERT INTO quotas (tenant, chip, devices) SELECT q.queue, q.resource, q."limit" FROM queue_quotas q '
            "JOIN tenants ON tenants.name = q.queue JOIN chip_types ON chip_types.name = q.resource "
            'WHERE q."limit" IS NOT NULL'
        )
    )
    op.execute(
        sa.text(
            "INSERT INTO quota_usage (tenant, chip, devices_milli) SELECT queues.tenant, u.chip, SUM(u.devices_milli) "
            "FROM queue_usage u JOIN queues ON queues.name = u.queue GROUP BY queues.tenant, u.chip"
        )
    )
    # whoever reads a specification then knows of no queues; all of a tenant's jobs are in its own when they come back
    jobs = sa.table("jobs", *(sa.column(name, sa.Text) for name in ("spec", "queue", "tenant")))
    named = sa.literal('"queue":"') + jobs.c.queue + sa.literal('"')
    unnamed = sa.func.replace(jobs.c.spec, named, '"queue":null')
    op.execute(jobs.update().where(jobs.c.queue != jobs.c.tenant).values(spec=unnamed))
    op.drop_index("ix_jobs_queued", table_name="jobs")
    op.drop_column("jobs", "queue")
    for table in ("queue_usage", "queue_quotas", "chip_group_chips", "chip_groups", "queues"):
        op.drop_table(table)


def _add_queues() -> None:
    op.create_table(
        "queues",
        sa.Column("name", Name, primary_key=True),
        sa.Column("parent", Name, sa.ForeignKey("queues.name")),
        sa.Column("tenant", Name, sa.ForeignKey("tenants.name")),
        sa.Column("weight", sa.Integer, nullable=False),
        *(sa.Column(cap, sa.Integer) for cap in _CAPS),
        sa.Column("highest_priority", sa.Integer),
        sa.CheckConstraint("parent <> name", name="parent"),
        sa.CheckConstraint("weight BETWEEN 1 AND 1000", name="weight"),
        *(sa.CheckConstraint(f"{cap} >= 0", name=cap) for cap in _CAPS),
    )
    op.create_index("ix_queues_parent", "queues", ["parent"])
    op.create_index("ix_queues_tenant", "queues", ["tenant"])


def _add_quotas() -> None:
    op.create_table("chip_groups", sa.Column("name", Name, primary_key=True))
    op.create_table(
        "chip_group_chips",
        sa.Column("chip_group", Name, sa.ForeignKey("chip_groups.name"), primary_key=True),
        sa.Column("chip", Name, sa.ForeignKey("chip_types.name"), primary_key=True),
    )
    op.create_table(
        "queue_quotas",
        sa.Column("queue", Name, sa.ForeignKey("queues.name"), primary_key=True),
        sa.Column("resource", Name, primary_key=True),
        sa.Column("guaranteed", sa.Integer, nullable=False),
        sa.Column("limit", sa.Integer),
        sa.Column("borrowing", sa.Integer),
        sa.Column("lending", sa.Integer),
        sa.CheckConstraint("guaranteed >= 0 AND borrowing >= 0", name="amounts"),
        sa.CheckConstraint('"limit" >= guaranteed', name="limit"),
        sa.CheckConstraint("lending BETWEEN 0 AND guaranteed", name="lending"),
    )


def _purse() -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("tenant", Name, sa.ForeignKey("tenants.name"), primary_key=True),
        sa.Column("chip", Name, sa.ForeignKey("chip_types.name"), primary_key=True),
    )
