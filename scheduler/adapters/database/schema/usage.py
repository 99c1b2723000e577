"""Tables of what was used over time: sums per minute, hour and day, of which each pool and tenant has its own.

Sums are thousandths of devices times milliseconds; divided by what a period covers they are averages. Nothing refers
to other tables: what was used stays used when a cluster or a chip type is gone.
"""

from sqlalchemy import CheckConstraint, Column, Float, Integer, Table, Text

from scheduler.adapters.database.schema.columns import Instant, Name, Number, metadata

usage_periods = Table(
    "usage_periods",
    metadata,
    Column("step_s", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, primary_key=True),
    Column("covered_ms", Number, nullable=False),
    CheckConstraint("covered_ms > 0", name="covered_ms"),
)
"""`at` is the beginning; `covered_ms` is how much of the period somebody looked at."""

pool_usage = Table(
    "pool_usage",
    metadata,
    Column("step_s", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, primary_key=True),
    Column("cluster", Name, primary_key=True),
    Column("chip", Name, primary_key=True),
    Column("devices", Number, nullable=False),
    Column("usable", Number, nullable=False),
    CheckConstraint("usable >= 0 AND usable <= devices", name="usable"),
)
"""What there was of one chip type in one cluster."""

tenant_usage = Table(
    "tenant_usage",
    metadata,
    Column("step_s", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, primary_key=True),
    Column("cluster", Name, primary_key=True),
    Column("chip", Name, primary_key=True),
    Column("tenant", Name, primary_key=True),
    Column("allocated", Number, nullable=False),
    Column("busy", Number, nullable=False),
    Column("unreported", Number, nullable=False),
    CheckConstraint("busy >= 0 AND unreported >= 0 AND busy + unreported <= allocated", name="parts"),
)
"""What a tenant held of it, and of that what reported progress, and what runs programs that never report any."""

throughputs = Table(
    "throughputs",
    metadata,
    Column("tenant", Name, primary_key=True),
    Column("family", Name, primary_key=True),
    Column("chip", Name, primary_key=True),
    Column("measured_per_s", Float(53)),
    Column("reports", Number, nullable=False),
    Column("set_per_s", Float(53)),
    Column("version", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    CheckConstraint("reports >= 0 AND version >= 1", name="counts"),
    CheckConstraint("measured_per_s IS NOT NULL OR set_per_s IS NOT NULL", name="known"),
)
"""How fast jobs of a tenant's family are on one device of a chip type: what was measured, and what an operator said."""

profiles = Table(
    "profiles",
    metadata,
    Column("tenant", Name, primary_key=True),
    Column("family", Name, primary_key=True),
    Column("chip", Name, primary_key=True),
    Column("tensor_parallel", Integer, primary_key=True, autoincrement=False),
    Column("micro_batch", Integer, primary_key=True, autoincrement=False),
    Column("measured", Text),
    Column("reports", Number, nullable=False),
    Column("said", Text),
    Column("version", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("times", Text, nullable=False),
    CheckConstraint("tensor_parallel >= 1 AND micro_batch >= 1", name="degrees"),
    CheckConstraint("reports >= 0 AND version >= 1", name="counts"),
    CheckConstraint("measured IS NOT NULL OR said IS NOT NULL", name="known"),
)
"""How long layers of a tenant's family take: measured, said by an operator, and planned with, as documents."""
