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


def domains_kept_apart(ledger: Ledger, cluster: ClusterName, request: GangRequest, nodes: Iterable[NodeId]) -> int:
    """Return how many domains of a cluster a gang keeps apart from; a node that is in none of the level counts as one.

    They are those that `kept_apart` closes for the same nodes.
    """
    return 0 if request.apart is None else len(_stood_in(ledger, cluster, request.apart.level, nodes))


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
    closed: set[NodeId] = set()
    for place in _stood_in(ledger, cluster, level, nodes):
        closed.update([place] if isinstance(place, str) else [entry.id for entry in place.nodes()])
    return closed


def _stood_in(ledger: Ledger, cluster: ClusterName, level: str, nodes: Iterable[NodeId]) -> dict[Domain | NodeId, None]:
    """Return the domains in which the nodes stand; a node that is in none of the level stands alone."""
    entries, root = ledger.inventory.entries, ledger.inventory.root(cluster)
    own = [entries[node] for node in nodes if node in entries and entries[node].leftover.kind.cluster == cluster]
    return {(root if level == CLUSTER else entry.domain.at(level)) or entry.id: None for entry in own}
