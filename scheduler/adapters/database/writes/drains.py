"""Operators' wishes about nodes, and what clusters say of the same nodes meanwhile."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from scheduler.adapters.database.reads.nodes import drain_of, read_node
from scheduler.adapters.database.schema.fleet import clusters, node_drains, nodes
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.core.model.access.audit import Act
from scheduler.core.model.change import NodeSeen
from scheduler.core.model.identifiers import ClusterName, NodeId
from scheduler.core.model.node import Drain, Node, NodeState
from scheduler.ports.directory import DoesNotExist
from scheduler.ports.journal import Guard

_SET_STATE = update(nodes).where(nodes.c.id == bindparam("node")).values(state=bindparam("new_state"))
_SET_SEEN = (
    update(node_drains).where(node_drains.c.node_id == bindparam("node")).values(seen_state=bindparam("new_state"))
)
_OF_CLUSTER = (
    select(node_drains.c.node_id, node_drains.c.seen_state)
    .join(nodes, nodes.c.id == node_drains.c.node_id)
    .where(nodes.c.cluster == bindparam("of_cluster"))
)

Seen = Mapping[NodeId, NodeState]
"""The drained nodes of a cluster, each with the state that the cluster gave it last."""


def lock_cluster(transaction: Transaction, cluster: ClusterName) -> None:
    """Let nobody else write the cluster's nodes until the commit. Raises DoesNotExist."""
    asked = select(clusters).where(clusters.c.name == cluster).with_for_update()
    if transaction.connection.execute(asked).first() is None:
        raise DoesNotExist(cluster)


def read_seen(transaction: Transaction, cluster: ClusterName) -> Seen:
    """Return the drained nodes of a cluster that is locked."""
    found = transaction.connection.execute(_OF_CLUSTER, {"of_cluster": cluster})
    return {row.node_id: NodeState(row.seen_state) for row in found}


def as_seen(node: Node, seen: Seen) -> Node:
    """Return a node as its cluster sees it."""
    return replace(node, state=seen[node.id]) if node.id in seen else node


def as_wished(node: Node, seen: Seen) -> Node:
    """Return a node that its cluster sees so as it counts: drained where somebody wished that."""
    return replace(node, state=NodeState.DRAINED) if node.id in seen and node.state is not NodeState.GONE else node


def note_seen(transaction: Transaction, changed: Iterable[Node], seen: Seen) -> None:
    """Keep what a cluster says now of nodes that are drained; undraining brings it back."""
    rows = [{"node": node.id, "new_state": node.state} for node in changed if node.id in seen]
    if rows:
        transaction.connection.execute(_SET_SEEN, rows)


def drain_node(transaction: Transaction, node: NodeId, drain: Drain, guard: Guard) -> None:
    """Write the wish; one that is there is replaced, and asking for the same again changes nothing.

    Raises DoesNotExist, and whatever the guard does.
    """
    found, present = _locked(transaction, node)
    guard(present)
    if present is not None and (present.by, present.note) == (drain.by, drain.note):
        return
    seen = read_seen(transaction, found.cluster).get(node, found.state)
    row = {"node_id": node, **asdict(drain), "seen_state": seen}
    transaction.insert_or_replace(node_drains, [row])
    _tell(transaction, found, as_wished(found, {node: seen}), drain.at)
    _audit(transaction, node, drain.at, present, drain)


def undrain_node(transaction: Transaction, node: NodeId, at: datetime, guard: Guard) -> None:
    """Take the wish back: the node is again what its cluster says. Without effect where nobody wished it.

    Raises DoesNotExist, and whatever the guard does.
    """
    found, present = _locked(transaction, node)
    guard(present)
    if present is None:
        return
    seen = read_seen(transaction, found.cluster)
    transaction.connection.execute(delete(node_drains).where(node_drains.c.node_id == node))
    _tell(transaction, found, as_seen(found, seen), at)
    _audit(transaction, node, at, present, None)


def _locked(transaction: Transaction, node: NodeId) -> tuple[Node, Drain | None]:
    cluster = transaction.connection.execute(select(nodes.c.cluster).where(nodes.c.id == node)).scalar()
    if cluster is None:
        raise DoesNotExist(node)
    lock_cluster(transaction, cluster)
    row = transaction.connection.execute(select(node_drains).where(node_drains.c.node_id == node)).first()
    return read_node(transaction.connection, node), None if row is None else drain_of(row)


def _tell(transaction: Transaction, before: Node, after: Node, at: datetime) -> None:
    if after != before:
        transaction.connection.execute(_SET_STATE, {"node": after.id, "new_state": after.state})
        transaction.add(Draft(at, NodeSeen(after)))


def _audit(transaction: Transaction, node: NodeId, at: datetime, before: Drain | None, after: Drain | None) -> None:
    def told(drain: Drain | None) -> dict[str, object]:
        return {"drain": None if drain is None else asdict(drain)}

    transaction.audit(Act("node", node, None, at, told(before), told(after)))
