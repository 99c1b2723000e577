"""Kubernetes clusters under test, on whichever API server."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scheduler.adapters.files.catalogue_file import shipped_catalogue
from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from scheduler.adapters.kubernetes.transport import Credentials, Transport
from scheduler.adapters.system.clock import SystemClock
from scheduler.core.model.attempt import SeenWorker
from scheduler.core.model.identifiers import AttemptId
from scheduler.ports.clock import Clock
from tests.builders.blueprints import RESOURCE, SECRET, configuration
from tests.builders.cluster import ATTEMPT
from tests.builders.eventually import eventually

PATIENCE_S = 30.0
CATALOGUE = {chip.name: chip for chip in shipped_catalogue()}
KNOWN_AS = {"medley/chip": "h100-sxm"}


def node_document(name: str = "n1", *, devices: int = 8, **metadata: Any) -> dict[str, Any]:
    """Build a ready node with h100-sxm devices, as the API has it."""
    resources = {"cpu": "64", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti", RESOURCE: str(devices)}
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": dict(KNOWN_AS), **metadata},
        "status": {"capacity": resources, "allocatable": resources, "conditions": [ready]},
    }


@dataclass
class Driven:
    """Clusters that were made for a test, closed at its end: one life of Medley each, on the same API server."""

    kubeconfig: Path
    data: Path
    clock: Clock = field(default_factory=SystemClock)
    settings: dict[str, Any] = field(default_factory=dict)
    """What differs in the clusters' configuration."""
    _made: list[KubernetesCluster] = field(default_factory=list)

    def cluster(self, transport: Transport | None = None, **changes: Any) -> KubernetesCluster:
        """Make a cluster, and wait until it knows its nodes and pods."""
        cluster = self.unready(transport, **changes)

        def is_ready() -> bool:
            return all(reflector.is_synced for reflector in cluster._watches.all()) and bool(cluster.inventory())

        eventually(is_ready, within_s=PATIENCE_S, what="the cluster to be known")
        return cluster

    def unready(
        self, transport: Transport | None = None, *, secret: bytes = SECRET, **changes: Any
    ) -> KubernetesCluster:
        """Make a cluster that may never know anything."""
        rules = configuration(**({"kubeconfig": self.kubeconfig} | self.settings | changes))
        cluster = KubernetesCluster(
            rules, secret=secret, catalogue=CATALOGUE, data=self.data, clock=self.clock, transport=transport
        )
        self._made.append(cluster)
        return cluster

    def transport(self) -> Transport:
        """Make a transport to this API server."""
        return Transport(Credentials(self.kubeconfig))

    def close(self) -> None:
        """Close all clusters."""
        for cluster in self._made:
            cluster.close()


def seen(cluster: KubernetesCluster, attempt: AttemptId = ATTEMPT) -> list[SeenWorker]:
    """Return what is seen of an attempt."""
    return [worker for worker in cluster.observe() if worker.key.attempt == attempt]


def wait_seen(
    cluster: KubernetesCluster,
    what: str,
    is_so: Callable[[list[SeenWorker]], bool],
    attempt: AttemptId = ATTEMPT,
) -> list[SeenWorker]:
    """Wait until what is seen of an attempt is so, and return it."""

    def look() -> list[SeenWorker] | None:
        found = seen(cluster, attempt)
        return found if found and is_so(found) else None

    return eventually(look, within_s=PATIENCE_S, what=what)
