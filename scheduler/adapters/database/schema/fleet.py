"""Tables of clusters, chip types, nodes and the guarded counters of what nodes have."""

from sqlalchemy import Boolean, CheckConstraint, Column, Float, ForeignKey, Index, Integer, Table, Text, text, true

from scheduler.adapters.database.schema.columns import Instant, Name, Number, metadata, one_of
from scheduler.core.model.node import NodeState
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

CPU_MILLI = "cpu_milli"
MEMORY_MIB = "memory_mib"
PODS = "pods"
DEVICES_MILLI = "devices_milli/"
"""Resources of a node; the last is followed by the chip's name."""

_HELD_WHOLE = text("holder_attempt IS NOT NULL")
SHARED = text("used_milli > 0 AND holder_attempt IS NULL")
"""Of slots. A statement finds them by their partial index if it says exactly this."""

clusters = Table(
    "clusters",
    metadata,
    Column("name", Name, primary_key=True),
    Column("kind", Name, nullable=False),
    Column("binds_devices", Boolean, nullable=False, server_default=true()),
    Column("enforces_shares", Boolean, nullable=False, server_default=true()),
)

chip_types = Table(
    "chip_types",
    metadata,
    Column("name", Name, primary_key=True),
    Column("vendor", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("memory_mib", Integer),
    Column("dense_bf16_tflops", Float(53)),
    Column("measured_tflops", Float(53)),
    Column("memory_bandwidth_gb_s", Float(53)),
    Column("link_bandwidth_gb_s", Float(53)),
    Column("link", Text),
    Column("torch_device", Text, nullable=False),
    Column("collective_library", Text, nullable=False),
    Column("estimated_fields", Text, nullable=False),
)

nodes = Table(
    "nodes",
    metadata,
    Column("id", Name, primary_key=True),
    Column("cluster", Name, ForeignKey("clusters.name"), nullable=False),
    Column("name", Name, nullable=False),
    Column("cpu_milli", Number, nullable=False),
    Column("memory_mib", Number, nullable=False),
    Column("pods", Integer, nullable=False),
    Column("topology", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("state", Name, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("tenant", Name),
    Column("foreign_use", Text, nullable=False, server_default="{}"),
    CheckConstraint(one_of("state", NodeState), name="state"),
    Index(None, "cluster", "name", unique=True),
)
"""`tenant` refers to no row: a node may be kept for a tenant that is yet to be created."""

node_drains = Table(
    "node_drains",
    metadata,
    Column("node_id", Name, ForeignKey("nodes.id"), primary_key=True),
    Column("by", Name, nullable=False),
    Column("at", Instant, nullable=False),
    Column("note", Text, nullable=False),
    Column("seen_state", Name, nullable=False),
    CheckConstraint(one_of("seen_state", NodeState), name="seen_state"),
)
"""The nodes that operators drained: `nodes.state` is what counts, `seen_state` what the cluster said last."""

node_devices = Table(
    "node_devices",
    metadata,
    Column("node_id", Name, ForeignKey("nodes.id"), primary_key=True),
    Column("chip", Name, ForeignKey("chip_types.name"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("devices", Integer, nullable=False),
    Column("memory_mib", Integer, nullable=False),
    CheckConstraint("devices >= 0", name="devices"),
    Index(None, "chip"),
)
"""The device groups of a node; `position` is their order, which numbers the slots."""

node_resources = Table(
    "node_resources",
    metadata,
    Column("node_id", Name, ForeignKey("nodes.id"), primary_key=True),
    Column("resource", Name, primary_key=True),
    Column("allocatable", Number, nullable=False),
    Column("used", Number, nullable=False),
    CheckConstraint("used >= 0 AND used <= allocatable", name="used"),
)
"""One guarded counter per node and resource: no write, however wrong, can give more than there is.

`allocatable` is what the node has less what somebody else than Medley uses of it.
"""

device_slots = Table(
    "device_slots",
    metadata,
    Column("node_id", Name, ForeignKey("nodes.id"), primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("chip", Name, ForeignKey("chip_types.name"), nullable=False),
    Column("used_milli", Integer, nullable=False),
    Column("holder_attempt", Name, ForeignKey("attempts.id")),
    Column("used_memory_mib", Integer, nullable=False, server_default="0"),
    Column("memory_mib", Integer, nullable=False, server_default="0"),
    CheckConstraint(f"used_milli >= 0 AND used_milli <= {WHOLE_DEVICE_MILLI}", name="used_milli"),
    CheckConstraint(f"holder_attempt IS NULL OR used_milli = {WHOLE_DEVICE_MILLI}", name="holder"),
    CheckConstraint("used_memory_mib >= 0 AND used_memory_mib <= memory_mib", name="used_memory_mib"),
    CheckConstraint("used_memory_mib = 0 OR (used_milli > 0 AND holder_attempt IS NULL)", name="memory_of_shares"),
    Index(None, "holder_attempt", sqlite_where=_HELD_WHOLE, postgresql_where=_HELD_WHOLE),
    Index("ix_device_slots_shared", "node_id", sqlite_where=SHARED, postgresql_where=SHARED),
)
"""One row per device: `holder_attempt` holds it whole, or shares of it are held, which add up to `used_milli`.

`used_memory_mib` is the memory of the shares; who holds these is in `allocations`.
"""
