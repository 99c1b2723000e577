"""Nodes that a gang must not use, closed for as long as its place is looked for."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.core.ledger.changes import PutNode
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.node import NodeState
from scheduler.core.model.topology import CLUSTER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.identifiers import ClusterName, NodeId
    from scheduler.core.placement.request import GangRequest


def kept_apart(
    ledger: Ledger, cluster: ClusterName, request: GangRequest, nodes: Iterable[NodeId]
) -> AbstractContextManager[None]:
    """Let a gang see no domain of a cluster that it wants to be apart from, for these nodes stand in it."""
    if request.apart is None:
        return nullcontext()
    return set_aside(ledger, cluster, request.apart.level, nodes)


@contextmanager
def set_aside(ledger: Ledger, cluster: ClusterName, level: str, nodes: Iterable[NodeId]) -> Iterator[None]:
    """Let the domains of a level in which any of these nodes stand take no work until the block ends."""
    with Trial(ledger) as trial:
        for name in sorted(_closed(ledger, cluster, level, nodes)):
            node = ledger.node(name)
            if node.state is not NodeState.GONE:
                trial.apply(PutNode(replace(node, state=NodeState.SUSPECT)))
        yield


def _closed(ledger: Ledger, cluster: ClusterName, level: str, nodes: Iterable[NodeId]) -> set[NodeId]:
    """Return all nodes of the domains in which the nodes stand; a node that is in none of the level stands alone."""
    entries = ledger.inventory.entries
    own = [entries[node] for node in nodes if node in entries and entries[node].leftover.kind.cluster == cluster]
    closed: set[NodeId] = set()
    for entry in own:
        domain = ledger.inventory.root(cluster) if level == CLUSTER else entry.domain.at(level)
        if domain is None:
            closed.add(entry.id)
        elif entry.id not in closed:
            closed.update(_nodes_in(domain))
    return closed


def _nodes_in(domain: Domain) -> Iterator[NodeId]:
    for entry in domain.members:
        yield entry.id
    for child in domain.children.values():
        yield from _nodes_in(child)
