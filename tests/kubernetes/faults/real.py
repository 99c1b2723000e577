"""A cluster on the real control plane for one test: nodes that KWOK plays, with logs, and the Medleys on it."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.builders.eventually import eventually
from tests.kubernetes.faults.world import CHIP, PATIENCE_S, RESOURCE, World, entry
from tests.kubernetes.testbed.api import STRATEGIC, Api, Document, path_of
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape, add_nodes, remove_nodes
from tests.kubernetes.testbed.process_kubelet.log_server import LogServer
from tests.kubernetes.testbed.process_kubelet.logs import ContainerLog

DEVICES = 8
OURS = "medley/instance"


@dataclass
class Bed:
    """Its namespace, its nodes, and the Medleys that were made on it."""

    plane: ControlPlane
    namespace: str
    folder: Path
    log_port: int
    nodes: list[str] = field(default_factory=list)
    worlds: list[World] = field(default_factory=list)

    @property
    def api(self) -> Api:
        """The administrator's client."""
        return self.plane.api

    def add_node(self, name: str, *, devices: int = DEVICES, **shape: Any) -> str:
        """Add a node of 8 devices whose logs can be read, and return its name."""
        labels = {"medley/chip": CHIP} | shape.pop("labels", {})
        add_nodes(self.api, [NodeShape(name, {RESOURCE: devices}, labels, **shape)])
        self.nodes.append(name)
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.log_port}},
        }
        self.api.patch(f"{path_of('nodes', name)}/status", {"status": status}, kind=STRATEGIC)
        return name

    def resize(self, node: str, resources: Mapping[str, str], *, of: str = "") -> None:
        """Let a node say that it has so much of these: as capacity and as allocatable, or as one `of` them."""
        amounts = {kind: dict(resources) for kind in ([of] if of else ["capacity", "allocatable"])}
        self.api.patch(f"{path_of('nodes', node)}/status", {"status": amounts}, kind=STRATEGIC)

    def world(self, *, kubeconfig: Path | None = None, **changes: Any) -> World:
        """Start a Medley that drives this cluster, and wait until it knows the nodes."""
        made = self.unready(kubeconfig=kubeconfig, **changes)
        made.start()
        wanted = set(self.nodes)
        eventually(lambda: wanted <= set(made.nodes()), within_s=PATIENCE_S, what="the nodes to be known")
        return made

    def unready(self, *, kubeconfig: Path | None = None, **changes: Any) -> World:
        """Return a Medley that is not started."""
        described = entry(kubeconfig or self.plane.kubeconfig(), self.namespace, **changes)
        made = World(self.folder / f"medley-{len(self.worlds)}", [described], self.ours)
        self.worlds.append(made)
        return made

    def ours(self) -> list[str]:
        """Return the names of all objects of Medley's in the namespace, and of those that it owns."""
        found = []
        for kind in ("pods", "configmaps", "secrets"):
            objects = self.api.get(path_of(kind, namespace=self.namespace), labelSelector=OURS)["items"]
            found += [f"{kind}/{each['metadata']['name']}" for each in objects]
        return found

    def pods(self, *, rank: int | None = None) -> list[Document]:
        """Return Medley's pods, by name; or the one of a rank."""
        selector = OURS if rank is None else f"{OURS},medley/rank={rank}"
        pods: list[Document] = self.api.get(path_of("pods", namespace=self.namespace), labelSelector=selector)["items"]
        return sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))

    def path(self, pod: Document) -> str:
        """Return where a pod is."""
        return path_of("pods", pod["metadata"]["name"], namespace=self.namespace)

    def close(self) -> None:
        """End the Medleys, and take away the nodes and all pods."""
        for world in self.worlds:
            world.close()
        with contextlib.suppress(OSError):
            self.api.delete(path_of("pods", namespace=self.namespace), {"gracePeriodSeconds": 0})
            remove_nodes(self.api, self.nodes)


@contextmanager
def real_bed(plane: ControlPlane, namespace: str, folder: Path, *, nodes: Sequence[str] = ("a", "b")) -> Iterator[Bed]:
    """Make a bed with nodes, named after it and these. KWOK has no logs: here each worker has one line of them."""
    log = ContainerLog()
    log.write(b"it ran\n")
    log.end()
    logs = LogServer(lambda *_: log, plane.authority.server("kwok-kubelet"))
    bed = Bed(plane, namespace, folder, logs.port)
    try:
        for name in nodes:
            bed.add_node(f"{namespace}-{name}")
        yield bed
    finally:
        bed.close()
        logs.close()
