"""Make the directory's nodes what a cluster says it has."""

import logging

from scheduler.core.model.node import Cluster
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterPort
from scheduler.ports.directory import Directory, InventoryOutcome

logger = logging.getLogger(__name__)


class InventorySync:
    """Records the nodes of one cluster, as often as it is asked to."""

    def __init__(self, directory: Directory, clock: Clock, cluster: ClusterPort, *, kind: str) -> None:
        self._directory = directory
        self._clock = clock
        self._cluster = cluster
        self._kind = kind
        self._held_back: frozenset[str] = frozenset()

    def sync_once(self) -> InventoryOutcome:
        """Register the cluster and record its nodes; without effect where nothing differs.

        Raises ClusterUnavailable, StorageUnavailable, DoesNotExist (a chip), AlreadyExists (a cluster of that name
        and another kind).
        """
        self._directory.register_cluster(Cluster(self._cluster.name, self._kind), self._clock.now())
        outcome = self._directory.record_nodes(self._cluster.name, self._cluster.inventory(), self._clock.now())
        for node in sorted(set(outcome.held_back) - self._held_back):
            logger.warning("%s shrank below what is held on it; it takes nothing new until that is free", node)
        self._held_back = frozenset(outcome.held_back)
        return outcome
