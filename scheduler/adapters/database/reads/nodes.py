"""Reading clusters, chip types and nodes."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, exists, or_, select

from scheduler.adapters.database.documents import FOREIGN_USE, PAIRS
from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.rows import AnyRow, allocation_of, chip_of, cluster_of
from scheduler.adapters.database.reads.sharing import topology_of
from scheduler.adapters.database.schema.fleet import (
    CPU_MILLI,
    MEMORY_MIB,
    PODS,
    chip_types,
    clusters,
    node_devices,
    node_drains,
    node_resources,
    nodes,
)
from scheduler.adapters.database.schema.work import HELD, allocations, attempts, groups, jobs
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import AttemptId, ChipName, ClusterName, JobId, NodeId, TenantName
from scheduler.core.model.node import Cluster, DeviceGroup, Drain, Node, NodeState
from scheduler.ports.views import Holding, NodeView

_PRESENT = or_(
    nodes.c.state != NodeState.GONE,
    exists().where(node_resources.c.node_id == nodes.c.id, node_resources.c.used > 0),
)
_DEVICES = select(node_devices).where(node_devices.c.node_id.in_(LISTED))
_DRAINS = select(node_drains).where(node_drains.c.node_id.in_(LISTED))
_COUNTERS = select(node_resources).where(node_resources.c.node_id.in_(LISTED))
_HELD_DEVICES = (
    select(allocations, jobs.c.tenant, groups.c.job_id)
    .join(attempts, attempts.c.id == allocations.c.attempt_id)
    .join(groups, groups.c.id == attempts.c.group_id)
    .join(jobs, jobs.c.id == groups.c.job_id)
    .where(allocations.c.node_id.in_(LISTED), HELD)
    .order_by(allocations.c.attempt_id, allocations.c.chip)
)


def read_chips(connection: Connection) -> list[ChipType]:
    """Return the catalogue by name."""
    return [chip_of(row) for row in connection.execute(select(chip_types).order_by(chip_types.c.name))]


def read_chip(connection: Connection, name: ChipName) -> ChipType | None:
    """Return one of the catalogue, None where there is none of that name."""
    row = connection.execute(select(chip_types).where(chip_types.c.name == name)).first()
    return None if row is None else chip_of(row)


def read_clusters(connection: Connection) -> list[Cluster]:
    """Return all clusters by name."""
    return [cluster_of(row) for row in connection.execute(select(clusters).order_by(clusters.c.name))]


def read_nodes(connection: Connection, cluster: ClusterName | None) -> list[Node]:
    """Return all nodes by id, those that are gone included; of one cluster, or all."""
    asked, devices = select(nodes).order_by(nodes.c.id), select(node_devices)
    if cluster is not None:
        asked = asked.where(nodes.c.cluster == cluster)
        devices = devices.join(nodes, nodes.c.id == node_devices.c.node_id).where(nodes.c.cluster == cluster)
    groups_of = _by_node(connection.execute(devices))
    return [_node_of(row, groups_of[row.id]) for row in connection.execute(asked)]


def read_node(connection: Connection, node: NodeId) -> Node:
    """Return a node that is there."""
    row = connection.execute(select(nodes).where(nodes.c.id == node)).one()
    return _node_of(row, _by_node(rows_listed(connection, _DEVICES, [node]))[node])


def drain_of(row: AnyRow) -> Drain:
    """Return the wish of a row of `node_drains`."""
    return Drain(by=row.by, at=row.at, note=row.note)


def view_nodes(
    connection: Connection,
    *,
    cluster: ClusterName | None,
    chip: ChipName | None,
    after: NodeId | None,
    limit: int,
    ids: Collection[NodeId] | None = None,
) -> list[NodeView]:
    """Return nodes by id, with who holds what on them; one that is gone while something is held there."""
    asked = select(nodes).where(_PRESENT).order_by(nodes.c.id).limit(limit)
    if cluster is not None:
        asked = asked.where(nodes.c.cluster == cluster)
    if chip is not None:
        asked = asked.where(nodes.c.id.in_(select(node_devices.c.node_id).where(node_devices.c.chip == chip)))
    if ids is not None:
        asked = asked.where(nodes.c.id.in_(sorted(ids)))
    if after is not None:
        asked = asked.where(nodes.c.id > after)
    rows = list(connection.execute(asked))
    found = [row.id for row in rows]
    groups_of = _by_node(rows_listed(connection, _DEVICES, found))
    held = {(row.node_id, row.resource): row.used for row in rows_listed(connection, _COUNTERS, found)}
    holdings = _holdings(connection, found)
    drains = {row.node_id: drain_of(row) for row in rows_listed(connection, _DRAINS, found)}
    return [
        NodeView(
            node=_node_of(row, groups_of[row.id]),
            cpu_milli_held=held[row.id, CPU_MILLI],
            memory_mib_held=held[row.id, MEMORY_MIB],
            holdings=tuple(holdings[row.id]),
            pods_held=held[row.id, PODS],
            drain=drains.get(row.id),
        )
        for row in rows
    ]


def _node_of(row: AnyRow, devices: Iterable[DeviceGroup]) -> Node:
    return Node(
        cluster=row.cluster,
        name=row.name,
        devices=tuple(devices),
        cpu_milli=row.cpu_milli,
        memory_mib=row.memory_mib,
        pods=row.pods,
        topology=topology_of(row.topology),
        labels=PAIRS.decode(row.labels),
        state=NodeState(row.state),
        note=row.note,
        tenant=row.tenant,
        foreign=FOREIGN_USE.decode(row.foreign_use),
    )


def _by_node(rows: Iterable[AnyRow]) -> dict[NodeId, list[DeviceGroup]]:
    devices: dict[NodeId, list[DeviceGroup]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.position):
        devices[row.node_id].append(DeviceGroup(row.chip, row.devices, row.memory_mib))
    return devices


def _holdings(connection: Connection, ids: Iterable[NodeId]) -> dict[NodeId, list[Holding]]:
    """Return who holds devices on nodes, by attempt and chip."""
    ranks_of: dict[tuple[NodeId, AttemptId, ChipName], list[Allocation]] = defaultdict(list)
    holders: dict[AttemptId, tuple[TenantName, JobId]] = {}
    for row in rows_listed(connection, _HELD_DEVICES, ids):
        rank = allocation_of(row)
        if rank.chip is not None and rank.devices_milli:
            ranks_of[rank.node, row.attempt_id, rank.chip].append(rank)
            holders[row.attempt_id] = (row.tenant, row.job_id)
    found: dict[NodeId, list[Holding]] = defaultdict(list)
    for (node, attempt, chip), ranks in ranks_of.items():
        holding = Holding(
            *holders[attempt],
            attempt,
            chip,
            devices=sum(rank.devices for rank in ranks),
            share_milli=sum(rank.share_milli for rank in ranks),
            share_memory_mib=sum(rank.share_memory_mib for rank in ranks),
            slots=tuple(sorted({slot for rank in ranks for slot in rank.slots})),
        )
        found[node].append(holding)
    return found
