"""Which nodes are meant by what people suppose."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.core.model.asking.suppositions import MOST_NODES, NothingSupposed, TooMuchSupposed, UnknownSubject
from scheduler.core.model.identifiers import node_id
from scheduler.core.model.node import NO_FOREIGN_USE, TAKES_WORK, Node, NodeState, pool_name
from scheduler.core.model.topology import Topology

if TYPE_CHECKING:
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.asking.suppositions import AddNodes, DrainNodes

ADDED = "supposed"
"""How added nodes, and the domains that they stand in, are named."""


def nodes_to_drain(ledger: Ledger, drain: DrainNodes) -> list[Node]:
    """Return the nodes that would be drained and are not, by id.

    Raises UnknownSubject, TooMuchSupposed, NothingSupposed.
    """
    if len(drain.nodes) > MOST_NODES:
        raise _too_many(len(drain.nodes))
    meant = [_named(ledger, name) for name in drain.nodes] if drain.nodes else _described(ledger, drain)
    found = {node.id: node for node in meant if node.state in TAKES_WORK}
    if not found:
        raise NothingSupposed("no node would be drained: none of those that are meant takes work")
    return [found[name] for name in sorted(found)]


def nodes_to_add(ledger: Ledger, add: AddNodes, number: int) -> list[Node]:
    """Return the nodes that would be added, in a domain of their own on each level.

    `number` tells them from those of another supposition. Raises UnknownSubject, TooMuchSupposed.
    """
    if not 0 < add.count <= MOST_NODES:
        raise TooMuchSupposed(f"{add.count:,} nodes cannot be added; 1 to {MOST_NODES:,} are tried at once")
    model = ledger.inventory.node(_model(ledger, add))
    place = Topology(tuple((level, f"{ADDED}-{number}") for level, _ in model.topology.domains))
    bare = replace(model, state=NodeState.READY, note="", topology=place, foreign=NO_FOREIGN_USE)
    return [replace(bare, name=f"{ADDED}-{number}-{one}") for one in range(1, add.count + 1)]


def _named(ledger: Ledger, name: str) -> Node:
    if ledger.has_node(name):
        return ledger.node(name)
    found = [full for cluster in ledger.clusters() if ledger.has_node(full := node_id(cluster, name))]
    if len(found) > 1:
        raise UnknownSubject(f"several clusters have a node {name}: {', '.join(found)}; name one of these")
    if not found:
        raise UnknownSubject(f"there is no node {name}")
    return ledger.node(found[0])


def _described(ledger: Ledger, drain: DrainNodes) -> list[Node]:
    """Return the nodes that are described and take work, those with least held on them first, as many as counted."""
    entries = _entries(ledger, drain.like)
    if drain.where is not None:
        entries = [entry for entry in entries if _stands(entry, *drain.where)]
        if not entries:
            raise UnknownSubject(f"there is no such node with {drain.where[0]} {drain.where[1]}")
    found = [entry for entry in entries if entry.leftover.kind.takes_work]
    if drain.count is not None and drain.count > len(found):
        raise UnknownSubject(f"{drain.count:,} nodes were to be drained, and {len(found):,} of those take work")
    if drain.count is not None:
        found = sorted(found, key=lambda entry: (_held_devices(entry), entry.id))[: drain.count]
    if len(found) > MOST_NODES:
        raise _too_many(len(found))
    return [ledger.inventory.node(entry) for entry in found]


def _too_many(nodes: int) -> TooMuchSupposed:
    return TooMuchSupposed(f"{nodes:,} nodes would be drained; at most {MOST_NODES:,} are tried at once")


def _held_devices(entry: NodeEntry) -> int:
    return sum(entry.leftover.kind.empty.free) - sum(entry.leftover.free)


def _stands(entry: NodeEntry, name: str, value: str) -> bool:
    topology = entry.domain.topology
    is_there = topology is not None and topology.domain(name) == value
    return is_there or (name, value) in entry.leftover.kind.labels


def _entries(ledger: Ledger, like: str | None) -> list[NodeEntry]:
    """Return the nodes that did not leave their clusters, of a pool or with a chip type, by id. Raises UnknownSubject.

    Nodes are told apart by their kind, of which there are few.
    """
    entries = ledger.inventory.entries
    known: dict[NodeKind, bool] = {}
    found: list[NodeEntry] = []
    for name in sorted(entries):
        kind = entries[name].leftover.kind
        fits = known.get(kind)
        if fits is None:
            fits = known[kind] = not kind.is_gone and (like is None or _is_like(kind, like))
        if fits:
            found.append(entries[name])
    if not found:
        what = "node" if like is None else f"pool {like}" if "/" in like else f"node with chip type {like}"
        raise UnknownSubject(f"there is no {what}")
    return found


def _is_like(kind: NodeKind, like: str) -> bool:
    """Say whether nodes of a kind are of a pool, or have a chip type."""
    if "/" not in like:
        return any(group.chip == like for group in kind.devices)
    return any(pool_name(kind.cluster, group) == like for group in kind.devices)


def _model(ledger: Ledger, add: AddNodes) -> NodeEntry:
    """Return a node that an added one is like: one of the kind that most of those have that are meant."""
    alone = [
        entry
        for entry in _entries(ledger, add.like)
        if len(entry.leftover.kind.devices) == 1 and entry.leftover.kind.tenant is None
        if add.cluster in (None, entry.leftover.kind.cluster)
    ]
    if not alone:
        where = "" if add.cluster is None else f" in cluster {add.cluster}"
        raise UnknownSubject(f"there is no node with {add.like} alone{where} that an added one could be like")
    counts = Counter(_shape(entry) for entry in alone)
    most = max(counts.values())
    return next(entry for entry in alone if counts[_shape(entry)] == most)


def _shape(entry: NodeEntry) -> tuple[object, ...]:
    kind = entry.leftover.kind
    return kind.cluster, kind.devices, kind.cpu_milli, kind.memory_mib, kind.pods
