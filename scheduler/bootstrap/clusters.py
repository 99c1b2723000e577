"""The clusters as each role has them: driven by the leader, asked about by the others."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, overload

from scheduler.adapters.files.inventory_file import read_inventory
from scheduler.adapters.local.cluster import CLAIMS, LocalCluster
from scheduler.adapters.relay.cluster import RelayedCluster, SchedulerAddress
from scheduler.bootstrap.foundation import Foundation
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ClusterName
from scheduler.core.model.job import Job
from scheduler.core.model.node import KUBERNETES_KIND, LOCAL_KIND, Cluster, Node
from scheduler.ports.cluster import ClusterPort, ClusterReader, objection_by_claims
from scheduler.services.access.process_secrets import process_token
from scheduler.services.follow_changes import FollowedState
from scheduler.services.sync_inventory import describe
from scheduler.settings import Settings, process_environment, require_runtime

if TYPE_CHECKING:
    from scheduler.adapters.kubernetes.cluster import KubernetesCluster
    from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DrivenCluster:
    """A cluster and what drives it."""

    port: ClusterPort
    kind: str

    @property
    def is_required(self) -> bool:
        """Whether the server is of no use without it: one far cluster that does not answer leaves the others usable."""
        return self.kind == LOCAL_KIND


class RelayedClusters(Sequence[ClusterReader]):
    """All clusters that the database knows, as a process has them that drives none. For threads."""

    def __init__(self, followed: FollowedState, make: Callable[[Cluster], ClusterReader]) -> None:
        self._followed = followed
        self._make = make
        self._known: dict[Cluster, ClusterReader] = {}
        self._present: tuple[ClusterReader, ...] = ()
        self.refresh()

    def refresh(self) -> None:
        """Take in which clusters the followed state has now; whoever looks meanwhile sees those of before."""
        with self._followed.hold() as state:
            clusters = tuple(state.clusters.values())
        self._known = {cluster: self._known.get(cluster) or self._make(cluster) for cluster in clusters}
        self._present = tuple(self._known.values())

    def __len__(self) -> int:
        return len(self._present)

    def __iter__(self) -> Iterator[ClusterReader]:
        return iter(self._present)

    @overload
    def __getitem__(self, index: int) -> ClusterReader: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ClusterReader]: ...
    def __getitem__(self, index: int | slice) -> ClusterReader | Sequence[ClusterReader]:
        return self._present[index]


def relayed_clusters(foundation: Foundation, followed: FollowedState) -> RelayedClusters:
    """Return the clusters for an API process. Raises FileError for a faulty file of clusters."""
    settings = foundation.settings
    scheduler = SchedulerAddress(settings.scheduler_url, process_token(foundation.secret))
    offered = {each.name: each for each in _configurations(settings, foundation.storage.directory.chips())}

    def make(cluster: Cluster) -> ClusterReader:
        configuration = offered.get(cluster.name)

        def keeps_checkpoints(job: Job) -> bool | None:
            if cluster.kind == LOCAL_KIND:
                return True
            return None if configuration is None else configuration.checkpoint_class(job.tenant) is not None

        return RelayedCluster(cluster.name, scheduler, _objection(cluster, configuration), keeps_checkpoints)

    return RelayedClusters(followed, make)


def _objection(cluster: Cluster, configuration: "ClusterConfiguration | None") -> Callable[[Job], str | None]:
    if cluster.kind == LOCAL_KIND:
        return partial(objection_by_claims, cluster.name, CLAIMS)
    if configuration is None:
        logger.warning(
            "cluster %s is not configured here: jobs that it would never run are accepted, and fail as they start;"
            " start this process with the scheduler's --cluster and --clusters",
            cluster.name,
        )
        return lambda _: None
    from scheduler.adapters.kubernetes.cluster import objection_of  # noqa: PLC0415 - only where there is one

    return partial(objection_of, configuration)


def driven_clusters(foundation: Foundation) -> list[DrivenCluster]:
    """Return all clusters to drive. What the database knows besides has no nodes from now on."""
    clusters = [DrivenCluster(cluster, LOCAL_KIND) for cluster in _local_clusters(foundation)]
    clusters += [DrivenCluster(cluster, KUBERNETES_KIND) for cluster in _kubernetes_clusters(foundation)]
    directory = foundation.storage.directory
    for cluster in clusters:
        directory.register_cluster(describe(cluster.port, cluster.kind), foundation.clock.now())
    driven = {cluster.port.name for cluster in clusters}
    for known in directory.clusters():
        if known.name not in driven:
            logger.warning(
                "cluster %s is not configured any more: it takes nothing, and its workers are unseen", known.name
            )
            directory.record_nodes(known.name, (), foundation.clock.now())
    return clusters


def _kubernetes_clusters(foundation: Foundation) -> "list[KubernetesCluster]":
    settings = foundation.settings
    chips = foundation.storage.directory.chips()
    configurations = _configurations(settings, chips)
    if not configurations:
        return []
    from scheduler.adapters.kubernetes.cluster import KubernetesCluster  # noqa: PLC0415 - only where there is one

    catalogue = {chip.name: chip for chip in chips}
    return [
        KubernetesCluster(
            configuration,
            secret=foundation.secret,
            catalogue=catalogue,
            data=settings.data_folder.resolve() / "kubernetes",
            clock=foundation.clock,
            api_url=settings.api_url or f"http://{settings.address}",
        )
        for configuration in configurations
    ]


def _configurations(settings: Settings, chips: Sequence[ChipType]) -> "Sequence[ClusterConfiguration]":
    if settings.cluster != KUBERNETES_KIND:
        return []
    from scheduler.adapters.kubernetes.configuration.cluster import default_configuration  # noqa: PLC0415 - as above
    from scheduler.adapters.kubernetes.configuration.clusters_file import read_clusters  # noqa: PLC0415 - as above

    if settings.clusters is not None:
        return read_clusters(settings.clusters, chips)
    return [replace(default_configuration(), kubeconfig=settings.kubeconfig)]


def _local_clusters(foundation: Foundation) -> list[LocalCluster]:
    """Return every local cluster the database knows; one that no inventory declares any more has no nodes.

    It is driven all the same, so that what still runs there is seen to its end.
    """
    settings, directory = foundation.settings, foundation.storage.directory
    declared: dict[ClusterName, Sequence[Node]] = {
        cluster.name: () for cluster in directory.clusters() if cluster.kind == LOCAL_KIND
    }
    if settings.inventory is not None:
        inventory = read_inventory(settings.inventory, directory.chips())
        declared[inventory.cluster] = inventory.nodes
    if declared:
        require_runtime(settings.runtime_python)
    return [
        LocalCluster(
            name,
            nodes,
            settings.data_folder.resolve() / "workers" / name,
            runtime_command=(str(settings.runtime_python), "-m", "medley_runtime"),
            server_environment=process_environment(),
        )
        for name, nodes in sorted(declared.items())
    ]
