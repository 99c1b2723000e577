"""The capacity that all share: clusters, their nodes, and the chip types these may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.ledger.changes import PutCluster, PutNode, RemoveNode
from scheduler.core.model.change import ChipDefined, ClusterSeen, NodeSeen
from scheduler.core.model.node import NodeState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scheduler.core.deciding.parts.asked.expectations import Expectations
    from scheduler.core.deciding.parts.news import News
    from scheduler.core.deciding.parts.tally import Tally
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.chip import ChipType
    from scheduler.core.model.identifiers import ChipName, ClusterName, NodeId
    from scheduler.core.model.node import Cluster, Node


class Fleet:
    """Clusters and chip types by name; the nodes are on the ledger."""

    def __init__(self, ledger: Ledger, news: News, tally: Tally, expectations: Expectations) -> None:
        self._ledger = ledger
        self._news = news
        self._tally = tally
        self._expectations = expectations
        self._clusters: dict[ClusterName, Cluster] = {}
        self._chips: dict[ChipName, ChipType] = {}
        self._declared: tuple[tuple[int, int], bool] | None = None
        """Whether all nodes are declared, with the changes of the inventory and the clusters that it was said of."""

    @property
    def clusters(self) -> Mapping[ClusterName, Cluster]:
        """All registered clusters, also those that reported no nodes yet."""
        return self._clusters

    @property
    def chips(self) -> Mapping[ChipName, ChipType]:
        """The chip catalogue."""
        return self._chips

    @property
    def has_all_nodes(self) -> bool:
        """Whether every cluster declares its nodes and has done so: what they cannot hold, no cluster will by itself.

        False where a cluster without nodes is registered: it may be about to report them.
        """
        at = (self._ledger.inventory.changes, len(self._clusters))
        if self._declared is None or self._declared[0] != at:
            present = self._ledger.clusters()
            has_all = all(name in self._clusters for name in present) and all(
                cluster.declares_its_nodes and name in present for name, cluster in self._clusters.items()
            )
            self._declared = at, has_all
        return self._declared[1]

    def begin(self, clusters: Iterable[Cluster], nodes: Iterable[Node]) -> None:
        """Take in what there is when a state is made."""
        for cluster in clusters:
            self._put_cluster(cluster)
        self._ledger.add_nodes(self._counted(nodes))

    def define(self, *chips: ChipType) -> None:
        """Add chip types to the catalogue, or let them be other ones."""
        self._chips.update((chip.name, chip) for chip in chips)
        self._expectations.value(self._chips.values())

    def see(self, seen: ClusterSeen | NodeSeen | ChipDefined) -> None:
        """Follow a change."""
        match seen:
            case ClusterSeen(cluster):
                self._put_cluster(cluster)
            case NodeSeen(node):
                self._put_node(node)
                self.forget_if_gone(node.id)
            case ChipDefined(chip):
                self.define(chip)

    def forget_if_gone(self, node: NodeId) -> None:
        """Drop a node that left its cluster once nothing is held on it."""
        if not self._ledger.has_node(node) or self._ledger.is_held(node):
            return
        if self._ledger.node(node).state is NodeState.GONE:
            self._ledger.apply(RemoveNode(node))  # nothing to the tally: one that is GONE counts for nothing

    def _put_cluster(self, cluster: Cluster) -> None:
        self._clusters[cluster.name] = cluster
        self._ledger.apply(PutCluster(cluster))
        self._news.upheaval = self._news.now

    def _put_node(self, node: Node) -> None:
        ledger, news = self._ledger, self._news
        before = ledger.node(node.id) if ledger.has_node(node.id) else None
        clusters = ledger.clusters()
        self._tally.put_node(before, node)
        if before is not None and not node.is_as_large_as(before):
            news.smaller(ledger.kind_of(node.id))
        ledger.apply(PutNode(node))
        news.roomier(ledger.kind_of(node.id))
        if ledger.clusters() != clusters:
            news.upheaval = news.now

    def _counted(self, nodes: Iterable[Node]) -> Iterator[Node]:
        """Yield new nodes, each counted by the tally: one after the other, for they may be read as they are taken."""
        for node in nodes:
            self._tally.put_node(None, node)
            yield node
