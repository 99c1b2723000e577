"""Tables of jobs, their groups and attempts, and what attempts hold and report."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    text,
    true,
)

from scheduler.adapters.database.schema.columns import Instant, Name, Number, metadata, one_of
from scheduler.core.model.attempt import WorkerEnd, WorkerPhase
from scheduler.core.model.group import FINAL, HOLDING, State, StopReason
from scheduler.core.model.job import JobKind, Wish
from scheduler.core.model.resources import MAIN_ROLE, WHOLE_DEVICE_MILLI

LIVE = text(one_of("state", [state for state in State if state not in FINAL]))
"""Of jobs and groups that are not final. A statement finds them by their partial index if it says exactly this."""

QUEUED = text(f"state = '{State.QUEUED}'")
"""Of jobs that wait. A statement finds them by their partial index if it says exactly this."""

FINISHED = text("finished_at IS NOT NULL")
"""Of jobs that are final. A statement finds them by their partial indexes if it says exactly this."""

HELD = text("held")
"""Of allocations that are not given back. A statement finds them by their partial index if it says exactly this."""

IN_ARRAY = text("array_id IS NOT NULL")
"""Of jobs of arrays. A statement finds them by their partial index if it says exactly this."""

HOLDING_IN_ARRAY = text(f"array_id IS NOT NULL AND {one_of('state', [state for state in State if state in HOLDING])}")
"""Of jobs of arrays that hold something. A statement finds them by their partial index if it says exactly this."""

OPEN = text("ended_at IS NULL")
"""Of attempts that have not ended: those that hold something."""

jobs = Table(
    "jobs",
    metadata,
    Column("id", Name, primary_key=True),
    Column("tenant", Name, ForeignKey("tenants.name"), nullable=False),
    Column("name", Name, nullable=False),
    Column("kind", Name, nullable=False),
    Column("workers", Integer, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("replicas", Integer, nullable=False, server_default="1"),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("spec", Text, nullable=False),
    Column("submitted_by", Name, nullable=False),
    Column("submitted_at", Instant, nullable=False),
    Column("wish", Name, nullable=False),
    Column("state", Name, nullable=False),
    Column("finished_at", Instant),
    Column("traceparent", Name),
    Column("array_id", Name),
    Column("queue", Name, nullable=False, server_default=""),
    CheckConstraint("workers >= 1", name="workers"),
    CheckConstraint("retries >= 0", name="retries"),
    CheckConstraint("replicas >= 1", name="replicas"),
    CheckConstraint(one_of("kind", JobKind), name="kind"),
    CheckConstraint(one_of("wish", Wish), name="wish"),
    CheckConstraint(one_of("state", State), name="state"),
    CheckConstraint(
        f"(finished_at IS NOT NULL) = ({one_of('state', [state for state in State if state in FINAL])})",
        name="finished",
    ),
    Index(None, "tenant", "id"),
    Index("ix_jobs_queued", "queue", sqlite_where=QUEUED, postgresql_where=QUEUED),
    Index("ix_jobs_live", "tenant", sqlite_where=LIVE, postgresql_where=LIVE),
    Index("ix_jobs_array", "array_id", "state", "id", sqlite_where=IN_ARRAY, postgresql_where=IN_ARRAY),
    Index("ix_jobs_array_holding", "array_id", sqlite_where=HOLDING_IN_ARRAY, postgresql_where=HOLDING_IN_ARRAY),
    Index("ix_jobs_finished", "finished_at", "id", sqlite_where=FINISHED, postgresql_where=FINISHED),
    Index(
        "ix_jobs_finished_of_tenant", "tenant", "finished_at", "id", sqlite_where=FINISHED, postgresql_where=FINISHED
    ),
)
"""`queue` names one that there was when it was submitted; it is removed once none of its jobs is live.

`spec` is the whole specification as JSON; name, kind, workers and retries are kept beside it to be asked for."""

job_chips = Table(
    "job_chips",
    metadata,
    Column("job_id", Name, ForeignKey("jobs.id"), primary_key=True),
    Column("chip", Name, ForeignKey("chip_types.name"), primary_key=True),
    Index(None, "chip", "job_id"),
)
"""The chip types a job accepts."""

job_labels = Table(
    "job_labels",
    metadata,
    Column("job_id", Name, ForeignKey("jobs.id"), primary_key=True),
    Column("key", Name, primary_key=True),
    Column("value", Name, primary_key=True),
    Index(None, "key", "value", "job_id"),
)

groups = Table(
    "groups",
    metadata,
    Column("id", Name, primary_key=True),
    Column("job_id", Name, ForeignKey("jobs.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", Name, nullable=False),
    Column("version", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("stop_reason", Name),
    Column("stop_detail", Text),
    Column("not_before", Instant),
    Column("preemptions", Integer, nullable=False, server_default="0"),
    CheckConstraint("position >= 0", name="position"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("failures >= 0 AND failures <= attempts", name="failures"),
    CheckConstraint(one_of("state", State), name="state"),
    CheckConstraint(one_of("stop_reason", StopReason), name="stop_reason"),
    Index(None, "job_id", "position", unique=True),
    Index("ix_groups_live", "job_id", sqlite_where=LIVE, postgresql_where=LIVE),
)
"""`stop_detail` is what the cluster said about the latest stop."""

attempts = Table(
    "attempts",
    metadata,
    Column("id", Name, primary_key=True),
    Column("group_id", Name, ForeignKey("groups.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("called", Integer, nullable=False, server_default="1"),
    Column("met", Integer, nullable=False, server_default="1"),
    Column("resized_at", Instant),
    Column("given_to", Text),
    Column("state", Name, nullable=False),
    Column("stop_reason", Name),
    Column("notes", Text, nullable=False),
    Column("grounds", Text),
    Column("remarks", Integer, nullable=False, server_default="0"),
    Column("eviction", Text),
    Column("stop_by", Instant),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("placed_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    CheckConstraint("number >= 1", name="number"),
    CheckConstraint("generation >= 1", name="generation"),
    CheckConstraint("met >= 1 AND called >= met AND generation >= called", name="resizing"),
    CheckConstraint(one_of("state", State), name="state"),
    CheckConstraint(one_of("stop_reason", StopReason), name="stop_reason"),
    CheckConstraint(
        f"(ended_at IS NULL) = ({one_of('state', [state for state in State if state in HOLDING])})", name="ended"
    ),
    Index(None, "group_id", "number", unique=True),
    Index(None, "ended_at"),
    Index("uq_attempts_one_live", "group_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
)
"""At most one attempt of a group has not ended; only such a one holds anything. `remarks` counts those in the feed.

`eviction` says as JSON for whom it was stopped, where it was for another gang, and `given_to` for whom its latest
generation has fewer workers; `grounds` what its placement rested on; `stop_by` when it is stopped if others then need
the room that it overtook on.
"""

allocations = Table(
    "allocations",
    metadata,
    Column("attempt_id", Name, ForeignKey("attempts.id"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("node_id", Name, ForeignKey("nodes.id"), nullable=False),
    Column("chip", Name, ForeignKey("chip_types.name")),
    Column("slots", Text, nullable=False),
    Column("cpu_milli", Number, nullable=False),
    Column("memory_mib", Number, nullable=False),
    Column("counted", Integer, nullable=False, server_default="0"),
    Column("share_milli", Integer, nullable=False, server_default="0"),
    Column("share_memory_mib", Integer, nullable=False, server_default="0"),
    Column("pods", Integer, nullable=False, server_default="1"),
    Column("role", Name, nullable=False, server_default=MAIN_ROLE),
    Column("since", Integer, nullable=False, server_default="1"),
    Column("number", Integer),
    Column("compute_milli", Number, nullable=False, server_default="0"),
    Column("taken_at", Instant),
    Column("given_at", Instant),
    Column("held", Boolean, nullable=False, server_default=true()),
    CheckConstraint("rank >= 0", name="rank"),
    CheckConstraint("since >= 1 AND since <= generation AND (number IS NULL OR number >= 0)", name="worker"),
    CheckConstraint("cpu_milli >= 0 AND memory_mib >= 0 AND counted >= 0 AND pods >= 1", name="amounts"),
    CheckConstraint("chip IS NOT NULL OR (slots = '[]' AND counted = 0 AND share_milli = 0)", name="chip"),
    CheckConstraint(
        f"share_milli >= 0 AND share_milli < {WHOLE_DEVICE_MILLI} AND share_memory_mib >= 0 "
        "AND (share_milli > 0 OR share_memory_mib = 0) AND (share_milli = 0 OR counted = 0)",
        name="share",
    ),
    Index("ix_allocations_held", "node_id", sqlite_where=HELD, postgresql_where=HELD),
    Index("uq_allocations_one_held", "attempt_id", "rank", unique=True, sqlite_where=HELD, postgresql_where=HELD),
)
"""What ranks hold or held. `held` until it is given back: what an attempt took is given back exactly, and once.

With each generation there is a row for each of its ranks. What a rank keeps is held by the latest of its rows, and what
is too many by the row that it was taken with, until its worker is proven gone: of a rank no two rows are held. A row
counts from `taken_at` until `given_at`, or, where there is none, from its attempt's beginning or until its end.
"""

workers = Table(
    "workers",
    metadata,
    Column("attempt_id", Name, ForeignKey("attempts.id"), primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("phase", Name, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("exit_code", Integer),
    Column("end", Name),
    Column("detail", Text),
    Column("address", Name),
    CheckConstraint("rank >= 0", name="rank"),
    CheckConstraint(one_of("phase", WorkerPhase), name="phase"),
    CheckConstraint(one_of('"end"', WorkerEnd), name="end"),
)

progress = Table(
    "progress",
    metadata,
    Column("attempt_id", Name, ForeignKey("attempts.id"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("step", Number, primary_key=True),
    Column("steps", Number, nullable=False),
    Column("loss", Float(53)),
    Column("tokens_per_s", Float(53), nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "attempt_id", "at"),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("attempt_id", Name, ForeignKey("attempts.id"), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("beats", Number, nullable=False),
    Column("reports", Number, nullable=False),
    Column("at", Instant, nullable=False),
    Column("memory_mib", Number),
    Column("device_memory_mib", Number),
    Column("checkpoint_step", Number),
    Column("checkpoint_at", Instant),
    CheckConstraint("beats >= 1 AND reports >= 0", name="counts"),
    CheckConstraint("(checkpoint_step IS NULL) = (checkpoint_at IS NULL)", name="checkpoint"),
)
"""The latest that was heard of each attempt; one row, written over by each heartbeat that is kept."""

rendezvous = Table(
    "rendezvous",
    metadata,
    Column("attempt_id", Name, ForeignKey("attempts.id"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("address", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("tenant", Name, primary_key=True),
    Column("key", Name, primary_key=True),
    Column("body_sha256", Name, nullable=False),
    Column("job_id", Name, nullable=False),
    Column("created_at", Instant, nullable=False),
    ForeignKeyConstraint(["tenant"], ["tenants.name"]),
    ForeignKeyConstraint(["job_id"], ["jobs.id"]),
)
