"""Nodes as the real API server tells of them, through reflectors into the inventory."""

from collections.abc import Iterator

import pytest

from scheduler.adapters.files.catalogue_file import shipped_catalogue
from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration
from scheduler.adapters.kubernetes.decoding import node_view, pod_view
from scheduler.adapters.kubernetes.nodes import Inventory
from scheduler.adapters.kubernetes.reflector import Reflector, Resource
from scheduler.adapters.kubernetes.transport import Credentials, Transport
from scheduler.adapters.kubernetes.views import NodeView, PodView
from scheduler.core.model.node import NO_FOREIGN_USE, ForeignUse, Node, NodeState
from tests.builders.eventually import eventually
from tests.kubernetes.testbed.api import STRATEGIC, Api, path_of
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape, add_nodes, remove_nodes

PATIENCE_S = 60.0
GPU = "nvidia.com/gpu"
H100 = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": "81559"}


class Bench:
    """A cluster's inventory, and hands that change the cluster."""

    def __init__(self, plane: ControlPlane, namespace: str, prefix: str) -> None:
        self.api: Api = plane.api
        self.namespace = namespace
        self.prefix = prefix
        self.names: list[str] = []
        self.transport = Transport(Credentials(plane.kubeconfig()))
        catalogue = {chip.name: chip for chip in shipped_catalogue()}
        self.inventory = Inventory(ClusterConfiguration("real"), catalogue, is_worker=lambda _pod: False)
        self.nodes: Reflector[NodeView] = Reflector(
            self.transport,
            Resource("/api/v1/nodes", what="nodes"),
            view=node_view,
            on_change=self.inventory.node_changed,
        )
        self.pods: Reflector[PodView] = Reflector(
            self.transport, Resource("/api/v1/pods", what="pods"), view=pod_view, on_change=self.inventory.pod_changed
        )
        self.nodes.start()
        self.pods.start()

    def add(self, name: str, shape: NodeShape) -> str:
        added = NodeShape(
            f"{self.prefix}-{name}", shape.devices, shape.labels, shape.annotations, shape.taints, shape.resources
        )
        self.names.extend(add_nodes(self.api, [added]))
        return added.name

    def node(self, name: str) -> Node | None:
        return next((node for node in self.inventory.nodes() if node.name == name), None)

    def becomes(self, name: str, state: NodeState, *, note: str = "") -> Node:
        """Wait until a node is in a state, with a note that contains some text."""

        def look() -> Node | None:
            node = self.node(name)
            return node if node is not None and node.state is state and note in node.note else None

        return eventually(look, within_s=PATIENCE_S, what=f"{state} {note!r}, seen: {self.node(name)}")

    def occupy(self, name: str, node: str, requests: dict[str, str]) -> None:
        """Let somebody's pod run on a node."""
        container = {"name": "c", "image": "busy:1", "resources": {"requests": requests, "limits": requests}}
        spec = {"automountServiceAccountToken": False, "nodeName": node, "containers": [container]}
        self.api.create(path_of("pods", namespace=self.namespace), {"metadata": {"name": name}, "spec": spec})

    def change(self, name: str, spec: dict[str, object]) -> None:
        self.api.patch(path_of("nodes", name), {"spec": spec})

    def close(self) -> None:
        self.nodes.close()
        self.pods.close()
        self.transport.close()
        remove_nodes(self.api, self.names)


@pytest.fixture
def bench(control_plane: ControlPlane, namespace: str) -> Iterator[Bench]:
    bench = Bench(control_plane, namespace, prefix=namespace)
    yield bench
    bench.close()


def test_chips_topology_and_room_are_read_from_a_node(bench: Bench) -> None:
    labels = H100 | {"topology.kubernetes.io/zone": "z1", "medley/rack": "r7"}

    name = bench.add("a", NodeShape("", {GPU: 8, "cambricon.com/mlu": 4}, labels | {"medley/chip": "mlu590"}))

    node = bench.becomes(name, NodeState.READY)
    assert [(group.chip, group.count) for group in node.devices] == [("h100-sxm", 8), ("mlu590", 4)]
    assert (node.cpu_milli, node.memory_mib, node.pods) == (64_000, 524_288, 110)
    assert node.topology.domains == (("rack", "z1/r7"), ("zone", "z1"))
    assert bench.inventory.resource(name, "mlu590") == "cambricon.com/mlu"


def test_a_foreign_pods_devices_are_told_until_it_is_gone(bench: Bench) -> None:
    name = bench.add("a", NodeShape("", {GPU: 8}, H100))
    bench.becomes(name, NodeState.READY)

    bench.occupy("theirs", name, {GPU: "3", "cpu": "1500m", "memory": "1Gi"})

    def foreign() -> ForeignUse | None:
        node = bench.node(name)
        return node.foreign if node is not None else None

    want = ForeignUse((("h100-sxm", 3),), cpu_milli=1_500, memory_mib=1_024, pods=1)
    eventually(lambda: foreign() == want, within_s=PATIENCE_S, what=f"the pod to count: {foreign()}")
    node = bench.node(name)
    assert node is not None
    assert (node.devices[0].count, node.cpu_milli, node.memory_mib, node.pods) == (8, 64_000, 524_288, 110)
    bench.api.delete(path_of("pods", "theirs", namespace=bench.namespace))
    eventually(lambda: foreign() == NO_FOREIGN_USE, within_s=PATIENCE_S, what=f"all room again: {foreign()}")


def test_a_labelled_node_belongs_to_its_tenant(bench: Bench) -> None:
    name = bench.add("a", NodeShape("", {GPU: 8}, H100 | {"medley/tenant": "vision"}))

    assert bench.becomes(name, NodeState.READY).tenant == "vision"


def test_a_cordoned_node_takes_nothing_new_until_it_is_uncordoned(bench: Bench) -> None:
    name = bench.add("a", NodeShape("", {GPU: 8}, H100))
    bench.becomes(name, NodeState.READY)

    bench.change(name, {"unschedulable": True})
    bench.becomes(name, NodeState.DRAINED, note="cordoned")

    bench.change(name, {"unschedulable": None})
    bench.becomes(name, NodeState.READY)


def test_a_node_that_stops_being_ready_goes_and_comes_back(bench: Bench) -> None:
    name = bench.add("a", NodeShape("", {GPU: 8}, H100))
    bench.becomes(name, NodeState.READY)

    bench.api.patch(path_of("nodes", name), {"metadata": {"annotations": {"testbed/not-ready": "1"}}})
    bench.becomes(name, NodeState.SUSPECT, note="not ready")

    bench.api.patch(path_of("nodes", name), {"metadata": {"annotations": {"testbed/not-ready": None}}})
    bench.becomes(name, NodeState.READY)


def test_a_node_whose_devices_fail_is_degraded(bench: Bench) -> None:
    name = bench.add("a", NodeShape("", {GPU: 8}, H100))
    bench.becomes(name, NodeState.READY)

    bench.api.patch(f"{path_of('nodes', name)}/status", {"status": {"allocatable": {GPU: "7"}}}, kind=STRATEGIC)

    node = bench.becomes(name, NodeState.DEGRADED, note="degraded: 7 of 8 nvidia.com/gpu")
    assert node.devices[0].count == 7


def test_a_tainted_node_takes_nothing_new(bench: Bench) -> None:
    taint = {"key": "team", "value": "x", "effect": "NoSchedule"}

    name = bench.add("a", NodeShape("", {GPU: 8}, H100, taints=(taint,)))

    bench.becomes(name, NodeState.DRAINED, note="taint team (NoSchedule)")


def test_a_node_that_says_absurd_things_costs_only_what_is_absurd(bench: Bench) -> None:
    absurd = {"cambricon.com/mlu": 1_000_000, "example.com/unknown": 2}

    name = bench.add("a", NodeShape("", {GPU: 8} | absurd, H100 | {"medley/rack": "x" * 63}))

    node = bench.becomes(name, NodeState.READY, note="cambricon.com/mlu not offered: 1,000,000 on one node cannot be")
    assert [group.chip for group in node.devices] == ["h100-sxm"]
    assert node.topology.domain("rack") == "x" * 63


def test_a_deleted_node_is_no_longer_listed(bench: Bench) -> None:
    name = bench.add("a", NodeShape("", {GPU: 8}, H100))
    bench.becomes(name, NodeState.READY)

    remove_nodes(bench.api, [name])

    eventually(lambda: bench.node(name) is None, within_s=PATIENCE_S, what="the node to be gone")
