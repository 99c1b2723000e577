"""Reading what was held before: the order of the queue rests on it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.usage import tenant_usage, usage_periods
from scheduler.adapters.database.schema.work import allocations, attempts
from scheduler.adapters.database.usage.accounts import DEVICES_MILLI
from scheduler.core.model.group import FINAL, HOLDING, Group
from scheduler.core.model.identifiers import GroupId
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.queueing.decay import HeldLately
from scheduler.core.queueing.policies.service import NOTHING_PAST, PastUse

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
MOST_DAYS = 60
"""Before that nothing is looked at: with a half-life of a week it counts less than a three-hundredth."""
_MS_PER_S = 1_000

_LATEST = select(func.max(usage_periods.c.at)).where(usage_periods.c.step_s == MINUTE_S)
_HELD = select(
    tenant_usage.c.tenant, tenant_usage.c.chip, tenant_usage.c.at, func.sum(tenant_usage.c.allocated).label("allocated")
).group_by(tenant_usage.c.tenant, tenant_usage.c.chip, tenant_usage.c.at)
_OVER = (
    select(attempts.c.group_id, attempts.c.placed_at, attempts.c.ended_at, func.sum(DEVICES_MILLI).label("milli"))
    .join(
        allocations,
        (allocations.c.attempt_id == attempts.c.id) & (allocations.c.generation == attempts.c.generation),
    )
    .where(attempts.c.group_id.in_(LISTED), attempts.c.ended_at.is_not(None))
    .group_by(attempts.c.id, attempts.c.group_id, attempts.c.placed_at, attempts.c.ended_at)
)


def read_past(connection: Connection, groups: Iterable[Group]) -> PastUse:
    """Return what queues held up to the last minute that was accounted, and what groups held in attempts before."""
    latest = connection.execute(_LATEST).scalar_one()
    again = [group.id for group in groups if group.attempts > (group.state in HOLDING) and group.state not in FINAL]
    attained = _attained(connection, again)
    if latest is None:
        return PastUse(NOTHING_PAST.at, attained)
    at = latest + timedelta(seconds=MINUTE_S)
    midnight = (at - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    lately = [
        *_held(connection, midnight - timedelta(days=MOST_DAYS), midnight, DAY_S),
        *_held(connection, midnight, at, HOUR_S),
    ]
    return PastUse(at, attained, tuple(lately))


def _held(connection: Connection, since: datetime, until: datetime, step_s: int) -> list[HeldLately]:
    table = tenant_usage.c
    asked = _HELD.where(table.step_s == step_s, table.at >= since, table.at < until)
    return [
        HeldLately(row.tenant, row.chip, row.at, float(step_s), int(row.allocated) / _MS_PER_S)
        for row in connection.execute(asked.order_by(table.at, table.tenant, table.chip))
    ]


def _attained(connection: Connection, again: Iterable[GroupId]) -> tuple[tuple[GroupId, float, float], ...]:
    sums: defaultdict[GroupId, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in rows_listed(connection, _OVER, again):
        held_s = max(0.0, (row.ended_at - row.placed_at).total_seconds())
        of = sums[row.group_id]
        of[0] += held_s
        of[1] += held_s * int(row.milli) / WHOLE_DEVICE_MILLI
    return tuple((group, sums[group][0], sums[group][1]) for group in sorted(sums))
