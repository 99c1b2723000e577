"""Many nodes that only exist as objects, played by KWOK."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.builders.eventually import eventually
from tests.kubernetes.testbed.api import Api, path_of

CALLS_AT_ONCE = 16
READY_TIMEOUT_S = 120.0
ADDRESSES = [{"type": "InternalIP", "address": "127.0.0.1"}]
NO_KUBELET = {"kubeletEndpoint": {"Port": 1}}
"""Nobody listens there, so that who asks for output is refused at once and does not wait."""
FAKE = {"kwok.x-k8s.io/node": "fake"}
PLAIN = {"cpu": "64", "memory": "512Gi", "ephemeral-storage": "1Ti", "pods": "110"}


@dataclass(frozen=True, slots=True)
class NodeShape:
    """A node to make: its devices by resource name, its labels; the rest has the size of an ordinary server."""

    name: str
    devices: Mapping[str, int | str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()
    resources: Mapping[str, str] = field(default_factory=dict)
    """What differs from PLAIN."""

    def document(self, annotations: Mapping[str, str] = FAKE) -> dict[str, Any]:
        """Return the node's object."""
        devices = {name: str(count) for name, count in self.devices.items()}
        resources = PLAIN | devices | dict(self.resources)
        own = {"kubernetes.io/hostname": self.name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": self.name,
                "labels": own | dict(self.labels),
                "annotations": dict(annotations) | dict(self.annotations),
            },
            "spec": {"taints": [dict(taint) for taint in self.taints]} if self.taints else {},
            "status": {"capacity": resources, "allocatable": resources},
        }


def add_nodes(api: Api, shapes: Iterable[NodeShape]) -> list[str]:
    """Make nodes that KWOK plays, wait until pods can be bound to all of them, and return their names.

    They are made ready and rid of the taint that new nodes get: left to KWOK and the node controller, a thousand take
    ten times as long.
    """
    wanted = list(shapes)

    def add(shape: NodeShape) -> None:
        document = shape.document()
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is ready"}
        times = {"lastHeartbeatTime": at, "lastTransitionTime": at}
        document["status"] |= {"conditions": [ready | times], "addresses": ADDRESSES, "daemonEndpoints": NO_KUBELET}
        api.create(path_of("nodes"), document)
        taints = document["spec"].get("taints")
        api.patch(path_of("nodes", shape.name), {"spec": {"taints": taints}})

    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        list(pool.map(add, wanted))
    names = [shape.name for shape in wanted]
    wait_for_nodes(api, names)
    return names


def wait_for_nodes(api: Api, names: Iterable[str]) -> None:
    """Wait until nodes are ready and rid of the taint that new ones have."""
    missing = set(names)

    def are_ready() -> bool:
        for node in api.get(path_of("nodes"), resourceVersion="0")["items"]:
            if is_ready(node):
                missing.discard(node["metadata"]["name"])
        return not missing

    eventually(are_ready, within_s=READY_TIMEOUT_S, what="all nodes to be ready")


def is_ready(node: Mapping[str, Any]) -> bool:
    """Say whether a node's kubelet is ready and pods may be bound to it."""
    conditions = node.get("status", {}).get("conditions", ())
    taints = node.get("spec", {}).get("taints", ())
    return any((one["type"], one["status"]) == ("Ready", "True") for one in conditions) and not any(
        taint["key"] in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable") for taint in taints
    )


def remove_nodes(api: Api, names: Iterable[str]) -> None:
    """Delete nodes; their pods stay until the pod garbage collector or the test takes them."""
    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        list(pool.map(lambda name: api.delete(path_of("nodes", name)), names))
