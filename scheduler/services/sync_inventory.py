"""Make the directory's nodes what a cluster says it has."""

import logging
import threading

from scheduler.core.model.node import Cluster, Node
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterPort, ClusterUnavailable
from scheduler.ports.directory import Directory, InventoryOutcome

logger = logging.getLogger(__name__)

SILENCE_S = 60.0
"""A cluster that does not answer for so long gets no new work."""
SILENCE_NOTE = "the cluster does not answer"


def describe(cluster: ClusterPort, kind: str) -> Cluster:
    """Return what the directory is to know of a cluster, from what it claims."""
    claims = cluster.claims
    return Cluster(cluster.name, kind, binds_devices=claims.binds_devices, enforces_shares=claims.enforces_shares)


class InventorySync:
    """Records the nodes of one cluster, as often as it is asked to."""

    def __init__(self, directory: Directory, clock: Clock, cluster: ClusterPort, *, kind: str) -> None:
        self._directory = directory
        self._clock = clock
        self._cluster = cluster
        self._kind = kind
        self._held_back: frozenset[str] = frozenset()
        self._recorded: list[Node] | None = None
        """None where the recorded nodes are not those that the cluster told of."""
        self._silent_since_s: float | None = None
        self._is_suspect = False
        self._hinted = threading.Event()
        self._leave = cluster.listen(self._hinted.set)

    def has_news(self) -> bool:
        """Say whether the cluster gave a hint and has other nodes than were last recorded. Raises ClusterUnavailable.

        Cheap where nothing changed: the database is not asked.
        """
        if not self._hinted.is_set():
            return False
        self._hinted.clear()
        return self._look() != self._recorded

    def sync_once(self) -> InventoryOutcome:
        """Register the cluster and record its nodes; without effect where nothing differs.

        One that does not answer for 60 s has its nodes suspected, as whoever recorded them last knew them, until it
        does.

        Raises ClusterUnavailable, StorageUnavailable, DoesNotExist (a chip), AlreadyExists (a cluster of that name
        and another kind).
        """
        self._directory.register_cluster(describe(self._cluster, self._kind), self._clock.now())
        nodes = self._look()
        outcome = self._directory.record_nodes(self._cluster.name, nodes, self._clock.now())
        self._recorded = nodes
        for node in sorted(set(outcome.held_back) - self._held_back):
            logger.warning("%s shrank below what is held on it; it takes nothing new until that is free", node)
        self._held_back = frozenset(outcome.held_back)
        return outcome

    def _look(self) -> list[Node]:
        try:
            nodes = self._cluster.inventory()
        except ClusterUnavailable:
            self._note_silence()
            raise
        self._silent_since_s, self._is_suspect = None, False
        return nodes

    def _note_silence(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._silent_since_s is None:
            self._silent_since_s = now_s
        if self._is_suspect or now_s - self._silent_since_s < SILENCE_S:
            return
        self._recorded = None
        suspected = self._directory.suspect_nodes(self._cluster.name, SILENCE_NOTE, self._clock.now())
        self._is_suspect = True
        logger.warning("cluster %s does not answer: its nodes (%d) take nothing new", self._cluster.name, suspected)

    def close(self) -> None:
        """Listen no longer."""
        self._leave()
