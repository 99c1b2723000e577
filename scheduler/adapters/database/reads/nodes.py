"""Reading clusters, chip types, nodes and pools."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, Integer, case, cast, exists, func, literal, or_, select

from scheduler.adapters.database.documents import PAIRS, TOPOLOGY
from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.rows import AnyRow, chip_of
from scheduler.adapters.database.schema.fleet import (
    CPU_MILLI,
    DEVICES_MILLI,
    MEMORY_MIB,
    chip_types,
    clusters,
    device_slots,
    node_devices,
    node_resources,
    nodes,
)
from scheduler.adapters.database.schema.work import attempts, groups, jobs
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName, ClusterName, NodeId
from scheduler.core.model.node import Cluster, DeviceGroup, Node, NodeState, Pool
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.ports.views import Holding, NodeView

_PRESENT = or_(
    nodes.c.state != NodeState.GONE,
    exists().where(node_resources.c.node_id == nodes.c.id, node_resources.c.used > 0),
)
_DEVICES = select(node_devices).where(node_devices.c.node_id.in_(LISTED))
_COUNTERS = select(node_resources).where(node_resources.c.node_id.in_(LISTED))
_HOLDING = (device_slots.c.node_id, jobs.c.tenant, groups.c.job_id, device_slots.c.holder_attempt, device_slots.c.chip)
_HOLDINGS = (
    select(*_HOLDING, func.count().label("devices"))
    .select_from(device_slots)
    .join(attempts, attempts.c.id == device_slots.c.holder_attempt)
    .join(groups, groups.c.id == attempts.c.group_id)
    .join(jobs, jobs.c.id == groups.c.job_id)
    .where(device_slots.c.node_id.in_(LISTED))
    .group_by(*_HOLDING)
    .order_by(device_slots.c.holder_attempt, device_slots.c.chip)
)


def read_chips(connection: Connection) -> list[ChipType]:
    """Return the catalogue by name."""
    return [chip_of(row) for row in connection.execute(select(chip_types).order_by(chip_types.c.name))]


def read_clusters(connection: Connection) -> list[Cluster]:
    """Return all clusters by name."""
    rows = connection.execute(select(clusters).order_by(clusters.c.name))
    return [Cluster(row.name, row.kind) for row in rows]


def read_nodes(connection: Connection, cluster: ClusterName | None) -> list[Node]:
    """Return all nodes by id, those that are gone included; of one cluster, or all."""
    asked, devices = select(nodes).order_by(nodes.c.id), select(node_devices)
    if cluster is not None:
        asked = asked.where(nodes.c.cluster == cluster)
        devices = devices.join(nodes, nodes.c.id == node_devices.c.node_id).where(nodes.c.cluster == cluster)
    groups_of = _by_node(connection.execute(devices))
    return [_node_of(row, groups_of[row.id]) for row in connection.execute(asked)]


def view_nodes(
    connection: Connection, *, cluster: ClusterName | None, chip: ChipName | None, after: NodeId | None, limit: int
) -> list[NodeView]:
    """Return nodes by id, with who holds what on them; one that is gone while something is held there."""
    asked = select(nodes).where(_PRESENT).order_by(nodes.c.id).limit(limit)
    if cluster is not None:
        asked = asked.where(nodes.c.cluster == cluster)
    if chip is not None:
        asked = asked.where(nodes.c.id.in_(select(node_devices.c.node_id).where(node_devices.c.chip == chip)))
    if after is not None:
        asked = asked.where(nodes.c.id > after)
    rows = list(connection.execute(asked))
    ids = [row.id for row in rows]
    groups_of = _by_node(rows_listed(connection, _DEVICES, ids))
    held = {(row.node_id, row.resource): row.used for row in rows_listed(connection, _COUNTERS, ids)}
    holdings = _holdings(connection, ids)
    return [
        NodeView(
            node=_node_of(row, groups_of[row.id]),
            cpu_milli_held=held[row.id, CPU_MILLI],
            memory_mib_held=held[row.id, MEMORY_MIB],
            holdings=tuple(holdings[row.id]),
        )
        for row in rows
    ]


def read_pools(connection: Connection) -> list[Pool]:
    """Return all pools by name, counted by the database; of a node that is gone, what is held there still counts."""
    held = cast(node_resources.c.used / WHOLE_DEVICE_MILLI, Integer)
    is_gone = nodes.c.state == NodeState.GONE
    present = case((is_gone, 0), else_=1)
    devices = case((is_gone, held), else_=node_devices.c.devices)
    drained = case((nodes.c.state == NodeState.DRAINED, node_devices.c.devices - held), else_=0)
    key = (nodes.c.cluster, node_devices.c.chip, node_devices.c.memory_mib, node_devices.c.devices)
    counter = (node_resources.c.node_id == nodes.c.id) & (
        node_resources.c.resource == literal(DEVICES_MILLI) + node_devices.c.chip
    )
    sums = (func.sum(present), func.sum(devices), func.sum(held), func.sum(drained))
    asked = (
        select(*key, *sums)
        .select_from(nodes)
        .join(node_devices, node_devices.c.node_id == nodes.c.id)
        .join(node_resources, counter)
        .where(or_(nodes.c.state != NodeState.GONE, held > 0))
        .group_by(*key)
    )
    pools = [Pool(*row[:4], *(int(number) for number in row[4:])) for row in connection.execute(asked)]
    return sorted(pools, key=lambda pool: pool.name)


def _node_of(row: AnyRow, devices: Iterable[DeviceGroup]) -> Node:
    return Node(
        cluster=row.cluster,
        name=row.name,
        devices=tuple(devices),
        cpu_milli=row.cpu_milli,
        memory_mib=row.memory_mib,
        pods=row.pods,
        topology=TOPOLOGY.decode(row.topology),
        labels=PAIRS.decode(row.labels),
        state=NodeState(row.state),
        note=row.note,
    )


def _by_node(rows: Iterable[AnyRow]) -> dict[NodeId, list[DeviceGroup]]:
    devices: dict[NodeId, list[DeviceGroup]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.position):
        devices[row.node_id].append(DeviceGroup(row.chip, row.devices, row.memory_mib))
    return devices


def _holdings(connection: Connection, ids: Iterable[NodeId]) -> dict[NodeId, list[Holding]]:
    """Return who holds devices on nodes, by attempt and chip."""
    found: dict[NodeId, list[Holding]] = defaultdict(list)
    for row in rows_listed(connection, _HOLDINGS, ids):
        found[row.node_id].append(Holding(row.tenant, row.job_id, row.holder_attempt, row.chip, row.devices))
    return found
