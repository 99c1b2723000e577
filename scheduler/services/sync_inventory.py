"""Make the directory's nodes what a cluster says it has."""

import logging

from scheduler.core.model.node import Cluster
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterPort
from scheduler.ports.directory import Directory, InventoryOutcome

logger = logging.getLogger(__name__)


def sync_inventory(directory: Directory, clock: Clock, cluster: ClusterPort, *, kind: str) -> InventoryOutcome:
    """Register the cluster and record its nodes. Raises ClusterUnavailable, DoesNotExist (a chip), AlreadyExists."""
    directory.register_cluster(Cluster(cluster.name, kind), clock.now())
    outcome = directory.record_nodes(cluster.name, cluster.inventory(), clock.now())
    for node in outcome.held_back:
        logger.warning("%s shrank below what is held on it; it is drained until that is free", node)
    return outcome
