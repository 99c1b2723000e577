"""What was used over time, the trace that a job belongs to, and finding what ended within a span of time."""

import sqlalchemy as sa
from alembic import op

from scheduler.adapters.database.schema.columns import Instant, Name, Number

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_FINISHED = sa.text("finished_at IS NOT NULL")
_OF_FINISHED = {
    "ix_jobs_finished": ["finished_at", "id"],
    "ix_jobs_finished_of_tenant": ["tenant", "finished_at", "id"],
}


def upgrade() -> None:
    """Add the tables, the column and the indexes."""
    op.create_table(
        "usage_periods",
        *_period(),
        sa.Column("covered_ms", Number, nullable=False),
        sa.CheckConstraint("covered_ms > 0", name="covered_ms"),
    )
    op.create_table(
        "pool_usage",
        *_period(),
        sa.Column("cluster", Name, primary_key=True),
        sa.Column("chip", Name, primary_key=True),
        sa.Column("devices", Number, nullable=False),
        sa.Column("usable", Number, nullable=False),
        sa.CheckConstraint("usable >= 0 AND usable <= devices", name="usable"),
    )
    op.create_table(
        "tenant_usage",
        *_period(),
        sa.Column("cluster", Name, primary_key=True),
        sa.Column("chip", Name, primary_key=True),
        sa.Column("tenant", Name, primary_key=True),
        sa.Column("allocated", Number, nullable=False),
        sa.Column("busy", Number, nullable=False),
        sa.Column("unreported", Number, nullable=False),
        sa.CheckConstraint("busy >= 0 AND unreported >= 0 AND busy + unreported <= allocated", name="parts"),
    )
    op.add_column("jobs", sa.Column("traceparent", Name))
    op.create_index("ix_attempts_ended_at", "attempts", ["ended_at"])
    for name, columns in _OF_FINISHED.items():
        op.create_index(name, "jobs", columns, sqlite_where=_FINISHED, postgresql_where=_FINISHED)


def downgrade() -> None:
    """Take them back, with what was counted."""
    for name in _OF_FINISHED:
        op.drop_index(name, table_name="jobs")
    op.drop_index("ix_attempts_ended_at", table_name="attempts")
    op.drop_column("jobs", "traceparent")
    for table in ("tenant_usage", "pool_usage", "usage_periods"):
        op.drop_table(table)


def _period() -> tuple[sa.Column[int], sa.Column[object]]:
    return (
        sa.Column("step_s", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", Instant, primary_key=True),
    )
