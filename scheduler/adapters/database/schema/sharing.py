"""Tables of queues, what they are due and may have, and what they hold."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table

from scheduler.adapters.database.schema.columns import Name, Number, metadata
from scheduler.core.model.sharing.queue import MOST_WEIGHT

_CAPS = ("most_waiting", "most_running", "most_running_per_user")

queues = Table(
    "queues",
    metadata,
    Column("name", Name, primary_key=True),
    Column("parent", Name, ForeignKey("queues.name")),
    Column("tenant", Name, ForeignKey("tenants.name")),
    Column("weight", Integer, nullable=False),
    *(Column(cap, Integer) for cap in _CAPS),
    Column("highest_priority", Integer),
    CheckConstraint("parent <> name", name="parent"),
    CheckConstraint(f"weight BETWEEN 1 AND {MOST_WEIGHT}", name="weight"),
    *(CheckConstraint(f"{cap} >= 0", name=cap) for cap in _CAPS),
    Index(None, "parent"),
    Index(None, "tenant"),
)
"""Every tenant has one of its own name. Longer circles than of one are refused by the code, which locks all of it."""

chip_groups = Table("chip_groups", metadata, Column("name", Name, primary_key=True))

chip_group_chips = Table(
    "chip_group_chips",
    metadata,
    Column("chip_group", Name, ForeignKey("chip_groups.name"), primary_key=True),
    Column("chip", Name, ForeignKey("chip_types.name"), primary_key=True),
)

queue_quotas = Table(
    "queue_quotas",
    metadata,
    Column("queue", Name, ForeignKey("queues.name"), primary_key=True),
    Column("resource", Name, primary_key=True),
    Column("guaranteed", Integer, nullable=False),
    Column("limit", Integer),
    Column("borrowing", Integer),
    Column("lending", Integer),
    CheckConstraint("guaranteed >= 0 AND borrowing >= 0", name="amounts"),
    CheckConstraint('"limit" >= guaranteed', name="limit"),
    CheckConstraint("lending BETWEEN 0 AND guaranteed", name="lending"),
)
"""A resource is a chip type, a group of them, or `compute`: the code knows which there are."""

queue_usage = Table(
    "queue_usage",
    metadata,
    Column("queue", Name, ForeignKey("queues.name"), primary_key=True),
    Column("chip", Name, primary_key=True),
    Column("devices_milli", Number, nullable=False),
    CheckConstraint("devices_milli >= 0", name="devices_milli"),
)
"""What the jobs of each queue hold now, in thousandths, without those of queues in it; a row stays once made.

`chip` is a chip type, or `compute`: then it is thousandths of its units."""
