"""Counting what pools of alike nodes have, and what is held of it."""

from sqlalchemy import Connection, case, func, literal, or_, select

from scheduler.adapters.database.schema.fleet import (
    DEVICES_MILLI,
    SHARED,
    device_slots,
    node_devices,
    node_resources,
    nodes,
)
from scheduler.core.model.node import TAKES_WORK, NodeState, Pool
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

_SHARES = (
    select(
        device_slots.c.node_id,
        device_slots.c.chip,
        func.sum(device_slots.c.used_milli).label("milli"),
        func.count().label("devices"),
    )
    .where(SHARED)
    .group_by(device_slots.c.node_id, device_slots.c.chip)
    .subquery()
)
_COUNTER = (node_resources.c.node_id == nodes.c.id) & (
    node_resources.c.resource == literal(DEVICES_MILLI) + node_devices.c.chip
)
_HELD = (node_resources.c.used - func.coalesce(_SHARES.c.milli, 0)) // WHOLE_DEVICE_MILLI + func.coalesce(
    _SHARES.c.devices, 0
)
_IS_GONE = nodes.c.state == NodeState.GONE
_FOREIGN = case((_IS_GONE, 0), else_=node_devices.c.devices - node_resources.c.allocatable // WHOLE_DEVICE_MILLI)
_TAKES_NOTHING = nodes.c.state.not_in(sorted({*TAKES_WORK, NodeState.GONE}))
_KEY = (nodes.c.cluster, node_devices.c.chip, node_devices.c.memory_mib, node_devices.c.devices)
_POOLS = (
    select(
        *_KEY,
        func.sum(case((_IS_GONE, 0), else_=1)).label("nodes"),
        func.sum(case((_IS_GONE, _HELD), else_=node_devices.c.devices)).label("devices"),
        func.sum(_HELD).label("held"),
        func.sum(case((_TAKES_NOTHING, node_devices.c.devices - _HELD - _FOREIGN), else_=0)).label("drained"),
        func.sum(_FOREIGN).label("foreign"),
    )
    .select_from(nodes)
    .join(node_devices, node_devices.c.node_id == nodes.c.id)
    .join(node_resources, _COUNTER)
    .outerjoin(_SHARES, (_SHARES.c.node_id == nodes.c.id) & (_SHARES.c.chip == node_devices.c.chip))
    .where(or_(nodes.c.state != NodeState.GONE, node_resources.c.used > 0))
    .group_by(*_KEY)
)


def read_pools(connection: Connection) -> list[Pool]:
    """Return all pools by name, counted by the database; of a node that is gone, what is held there still counts."""
    pools = [Pool(*row[:4], *(int(number) for number in row[4:])) for row in connection.execute(_POOLS)]
    return sorted(pools, key=lambda pool: pool.name)
