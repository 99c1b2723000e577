"""What quotas of compute bring: of every rank what it counts as, said once, when it is placed."""

import re
from collections import Counter
from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.versions.migration_0009_inference import make_anew
from scheduler.adapters.database.schema.columns import Number

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_COMPUTE = "compute"
_WHOLE_DEVICE_MILLI = 1_000
_CHIP = "CONSTRAINT fk_queue_usage_chip FOREIGN KEY(chip) REFERENCES chip_types (name)"

_CHIP_TYPES = sa.table("chip_types", *map(sa.column, ("name", "dense_bf16_tflops", "measured_tflops")))
_USAGE = sa.table("queue_usage", *map(sa.column, ("queue", "chip", "devices_milli")))
_RANKS = sa.table("allocations", *map(sa.column, ("attempt_id", "generation", "rank", "compute_milli")))
_KEY = sa.tuple_(_RANKS.c.attempt_id, _RANKS.c.generation, _RANKS.c.rank)
_HELD = sa.text(
    "SELECT allocations.*, jobs.queue FROM allocations JOIN attempts ON attempts.id = allocations.attempt_id "
    "JOIN groups ON groups.id = attempts.group_id JOIN jobs ON jobs.id = groups.job_id "
    "WHERE allocations.held AND allocations.chip IS NOT NULL"
)


def upgrade() -> None:
    """Let what is held count as the catalogue says, and be summed up for each queue as chip types are."""
    op.add_column("allocations", sa.Column("compute_milli", Number, nullable=False, server_default="0"))
    _drop_chips_of_usage()
    connection = op.get_bind()
    sums: Counter[str] = Counter()
    units = {row.name: _units(row) for row in connection.execute(sa.select(_CHIP_TYPES))}
    for row in connection.execute(_HELD).all():
        slots = 0 if row.slots == "[]" else row.slots.count(",") + 1
        devices_milli = row.share_milli or (slots + row.counted) * _WHOLE_DEVICE_MILLI
        milli = devices_milli * units[row.chip]
        sums[row.queue] += milli
        of = sa.tuple_(row.attempt_id, row.generation, row.rank)
        connection.execute(_RANKS.update().where(of == _KEY).values(compute_milli=milli))
    for queue, milli in sorted(sums.items()):
        connection.execute(_USAGE.insert().values(queue=queue, chip=_COMPUTE, devices_milli=milli))


def _units(chip: sa.Row[Any]) -> int:
    """Return what a device counted as until now: as the catalogue says."""
    rate = chip.dense_bf16_tflops if chip.measured_tflops is None else chip.measured_tflops
    return max(1, round(rate or 0))


def downgrade() -> None:
    """Take it back. The change feed is left as it is; an older Medley cannot read the entries of new kinds."""
    op.execute(_USAGE.delete().where(_USAGE.c.chip == _COMPUTE))
    if op.get_bind().dialect.name == "sqlite":
        make_anew("queue_usage", lambda made: f"{made.rstrip().removesuffix(')')}, {_CHIP})")
    else:
        op.create_foreign_key(op.f("fk_queue_usage_chip"), "queue_usage", "chip_types", ["chip"], ["name"])
    op.drop_column("allocations", "compute_milli")


def _drop_chips_of_usage() -> None:
    """Let sums be of something that is no chip type."""
    if op.get_bind().dialect.name == "sqlite":
        make_anew("queue_usage", lambda made: re.sub(rf",\s*{re.escape(_CHIP)}", "", made))
    else:
        op.drop_constraint(op.f("fk_queue_usage_chip"), "queue_usage", type_="foreignkey")
