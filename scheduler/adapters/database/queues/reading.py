"""Reading queues, their quotas, and what they hold."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.rows import AnyRow
from scheduler.adapters.database.schema.sharing import chip_group_chips, queue_quotas, queue_usage, queues
from scheduler.adapters.database.usage.profiles import read_profiles
from scheduler.adapters.database.usage.throughputs import read_throughputs
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.measuring.layers import layer_speed_of
from scheduler.core.model.measuring.throughput import speed_of
from scheduler.core.model.sharing.queue import COMPUTE, ChipGroup, Queue, QueueCaps, QueueName, QueueQuota, Shares
from scheduler.ports.views import TenantUse

_ABOVE = select(queues).where(queues.c.name.in_(LISTED)).cte("above", recursive=True)
_ABOVE = _ABOVE.union(select(queues).join(_ABOVE, queues.c.name == _ABOVE.c.parent))
_PATHS = select(_ABOVE)
_BELOW = select(queues.c.name.label("top"), queues.c.name).where(queues.c.name.in_(LISTED)).cte("below", recursive=True)
_BELOW = _BELOW.union_all(select(_BELOW.c.top, queues.c.name).join(_BELOW, queues.c.parent == _BELOW.c.name))
_WITHIN = select(_BELOW.c.top, _BELOW.c.name)
_HELD_WITHIN = (
    select(_BELOW.c.top, queue_usage.c.chip, func.sum(queue_usage.c.devices_milli).label("devices_milli"))
    .join(_BELOW, _BELOW.c.name == queue_usage.c.queue)
    .group_by(_BELOW.c.top, queue_usage.c.chip)
)
_QUOTAS = select(queue_quotas)


def queue_of(row: AnyRow) -> Queue:
    """Return the queue of a row."""
    caps = QueueCaps(row.most_waiting, row.most_running, row.most_running_per_user, row.highest_priority)
    return Queue(row.name, row.parent, row.tenant, row.weight, caps)


def read_queue(connection: Connection, name: QueueName) -> Queue | None:
    """Return a queue, None where there is none of that name."""
    row = connection.execute(select(queues).where(queues.c.name == name)).first()
    return None if row is None else queue_of(row)


def read_queues(connection: Connection, *, after: QueueName | None = None, limit: int | None = None) -> list[Queue]:
    """Return queues by name, those after one."""
    asked = select(queues).order_by(queues.c.name).limit(limit)
    asked = asked if after is None else asked.where(queues.c.name > after)
    return [queue_of(row) for row in connection.execute(asked)]


def lock_queues(connection: Connection) -> dict[QueueName, Queue]:
    """Return all queues by name; nobody else writes any of them, or its quotas, until the transaction ends."""
    asked = select(queues).order_by(queues.c.name).with_for_update(key_share=True)
    return {row.name: queue_of(row) for row in connection.execute(asked)}


def read_paths(connection: Connection, names: Iterable[QueueName]) -> list[Queue]:
    """Return queues with all that they are in, each once, in no order."""
    found = {row.name: queue_of(row) for row in rows_listed(connection, _PATHS, sorted(set(names)))}
    return list(found.values())


def read_within(connection: Connection, names: Iterable[QueueName]) -> dict[QueueName, list[QueueName]]:
    """Return of each queue it and all that is in it."""
    within: dict[QueueName, list[QueueName]] = defaultdict(list)
    for row in rows_listed(connection, _WITHIN, sorted(set(names))):
        within[row.top].append(row.name)
    return dict(within)


def read_held(connection: Connection, names: Iterable[QueueName]) -> dict[QueueName, dict[ChipName, int]]:
    """Return what queues hold with all that is in them, in thousandths of devices by chip type."""
    held: dict[QueueName, dict[ChipName, int]] = defaultdict(dict)
    for row in rows_listed(connection, _HELD_WITHIN, sorted(set(names))):
        held[row.top][row.chip] = int(row.devices_milli)
    return dict(held)


def read_quotas(connection: Connection, queue: QueueName | None = None) -> list[QueueQuota]:
    """Return quotas by queue and resource; of one queue, or all."""
    asked = _QUOTAS if queue is None else _QUOTAS.where(queue_quotas.c.queue == queue)
    ordered = asked.order_by(queue_quotas.c.queue, queue_quotas.c.resource)
    return [QueueQuota(**row._asdict()) for row in connection.execute(ordered)]


def read_chip_groups(connection: Connection) -> list[ChipGroup]:
    """Return the groups of chip types by name."""
    chips: dict[str, list[ChipName]] = defaultdict(list)
    asked = select(chip_group_chips).order_by(chip_group_chips.c.chip_group, chip_group_chips.c.chip)
    for row in connection.execute(asked):
        chips[row.chip_group].append(row.chip)
    return [ChipGroup(name, tuple(members)) for name, members in chips.items()]


def read_shares(connection: Connection) -> Shares:
    """Return all that is said of who shares what."""
    speeds = tuple(speed_of(one) for one in read_throughputs(connection, None))
    groups = tuple(read_chip_groups(connection))
    layers = tuple(layer_speed_of(one) for one in read_profiles(connection, None))
    return Shares(tuple(read_queues(connection)), tuple(read_quotas(connection)), groups, speeds, layers)


def read_use(connection: Connection, tenant: TenantName | None) -> list[TenantUse]:
    """Return what tenants hold now, by tenant and chip name; of one tenant, or all."""
    total = func.sum(queue_usage.c.devices_milli)
    asked = (
        select(queues.c.tenant, queue_usage.c.chip, total.label("devices_milli"))
        .join(queues, queues.c.name == queue_usage.c.queue)
        .group_by(queues.c.tenant, queue_usage.c.chip)
        .where(queue_usage.c.chip != COMPUTE)
        .having(total > 0)
        .order_by(queues.c.tenant, queue_usage.c.chip)
    )
    asked = asked if tenant is None else asked.where(queues.c.tenant == tenant)
    return [TenantUse(row.tenant, row.chip, int(row.devices_milli)) for row in connection.execute(asked)]
