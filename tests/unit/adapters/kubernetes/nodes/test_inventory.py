from collections.abc import Callable
from dataclasses import replace

import pytest

from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration, TopologyLevel
from scheduler.adapters.kubernetes.configuration.pools import PoolTemplate, Toleration
from scheduler.adapters.kubernetes.nodes import Inventory
from scheduler.adapters.kubernetes.views import NodeView, PodView, Taint
from scheduler.core.model.node import NO_FOREIGN_USE, ForeignUse, Node, NodeState
from scheduler.core.model.topology import Topology
from tests.builders.pace import quiet_s
from tests.unit.adapters.kubernetes.nodes.views import CATALOGUE, condition, node_view, pod_view

T4 = {"nvidia.com/gpu.product": "Tesla-T4"}
GPU = "nvidia.com/gpu"
FULL = condition("DiskPressure", message="full")
UNREACHABLE = "node.kubernetes.io/unreachable"
CORDON = "node.kubernetes.io/unschedulable"


class Bench:
    """An inventory with a clock that a test turns."""

    def __init__(
        self,
        configuration: ClusterConfiguration | None = None,
        is_worker: Callable[[PodView], bool] = lambda _pod: False,
    ) -> None:
        self.now_s = 1000.0
        self.inventory = Inventory(
            configuration or ClusterConfiguration("test"),
            CATALOGUE,
            is_worker=is_worker,
            monotonic=lambda: self.now_s,
        )

    def see(self, view: NodeView) -> Node:
        """Let the reflector tell of a node, and return what it is now."""
        self.inventory.node_changed(None, view)
        return self.node(view.name)

    def node(self, name: str = "n1") -> Node:
        return next(node for node in self.inventory.nodes() if node.name == name)

    def run(self, *pods: PodView) -> None:
        for pod in pods:
            self.inventory.pod_changed(None, pod)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def foreign(bench: Bench) -> tuple[int, int]:
    """Return how many devices and pods of others a node has."""
    use = bench.node().foreign
    return use.devices_of("t4"), use.pods


def gpus(count: int = 8, name: str = "n1", **more: object) -> NodeView:
    return node_view(name, devices={GPU: count}, labels=T4, **more)  # type: ignore[arg-type]


def test_a_free_node_offers_what_it_can_allocate(bench: Bench) -> None:
    node = bench.see(gpus(allocatable={"cpu": 63_000, "memory": 500_000}))

    assert (node.cluster, node.name, node.state, node.note) == ("test", "n1", NodeState.READY, "")
    assert [(group.chip, group.count, group.memory_mib) for group in node.devices] == [("t4", 8, 16_384)]
    assert (node.cpu_milli, node.memory_mib, node.pods) == (63_000, 500_000, 110)
    assert bench.inventory.resource("n1", "t4") == GPU
    assert bench.inventory.resource("n1", "h20") is None
    assert bench.inventory.resource("elsewhere", "t4") is None


def test_other_peoples_pods_are_told_beside_what_the_node_has(bench: Bench) -> None:
    bench.see(gpus())

    bench.run(pod_view("a", requests={GPU: 2, "cpu": 4000, "memory": 1024}), pod_view("b", requests={"cpu": 500}))

    node = bench.node()
    assert (node.devices[0].count, node.cpu_milli, node.memory_mib, node.pods) == (8, 64_000, 524_288, 110)
    assert node.foreign == ForeignUse((("t4", 2),), cpu_milli=4_500, memory_mib=1_024, pods=2)


def test_other_peoples_devices_are_told_by_chip_type(bench: Bench) -> None:
    view = node_view(devices={GPU: 4, "cambricon.com/mlu": 8}, labels=T4 | {"medley/chip": "mlu590"})
    bench.see(view)

    bench.run(pod_view("a", requests={"cambricon.com/mlu": 3, "nvidia.com/mig-1g.10gb": 1}))

    assert bench.node().foreign.devices == (("mlu590", 3),)


def test_our_own_workers_are_nobody_elses() -> None:
    bench = Bench(is_worker=lambda pod: pod.name == "ours")
    bench.see(gpus())

    bench.run(pod_view("ours", requests={GPU: 8}), pod_view("theirs", requests={GPU: 1}))

    assert foreign(bench) == (1, 1)


def test_a_pod_of_ours_that_was_given_up_counts_once_it_is_touched() -> None:
    ours = {"p1"}
    bench = Bench(is_worker=lambda pod: pod.name in ours)
    bench.see(gpus())
    bench.run(pod_view("p1", requests={GPU: 3}))
    assert bench.node().foreign == NO_FOREIGN_USE

    ours.clear()
    bench.inventory.touch("n1")

    assert foreign(bench) == (3, 1)


def test_a_pod_that_is_over_or_gone_gives_back_what_it_had(bench: Bench) -> None:
    bench.see(gpus())
    one, two = pod_view("a", requests={GPU: 2}), pod_view("b", requests={GPU: 3})
    bench.run(one, two)
    assert foreign(bench) == (5, 2)

    bench.inventory.pod_changed(one, replace(one, phase="Succeeded"))
    assert foreign(bench) == (3, 1)

    bench.inventory.pod_changed(two, None)
    assert bench.node().foreign == NO_FOREIGN_USE


def test_a_pod_being_deleted_holds_until_it_is_gone(bench: Bench) -> None:
    bench.see(gpus())
    pod = pod_view("a", requests={GPU: 2})
    bench.run(pod)

    bench.inventory.pod_changed(pod, replace(pod, reason="Terminating", version=pod.version + 1))

    assert foreign(bench) == (2, 1)


def test_a_pod_that_waits_for_a_node_counts_nowhere_until_it_is_bound(bench: Bench) -> None:
    bench.see(gpus())
    waiting = pod_view("a", node="", requests={GPU: 2}, phase="Pending")
    bench.run(waiting)
    assert bench.node().foreign == NO_FOREIGN_USE

    bench.inventory.pod_changed(waiting, replace(waiting, node="n1"))

    assert foreign(bench) == (2, 1)


def test_what_is_overbooked_is_all_that_there_is_and_not_more(bench: Bench) -> None:
    bench.see(gpus(2))

    bench.run(pod_view("a", requests={GPU: 4, "cpu": 1_000_000, "memory": 1_000_000}))

    assert bench.node().foreign == ForeignUse((("t4", 2),), cpu_milli=64_000, memory_mib=524_288, pods=1)


def test_pods_seen_before_their_node_count(bench: Bench) -> None:
    bench.run(pod_view("a", requests={GPU: 2}))

    assert bench.see(gpus()).foreign.devices == (("t4", 2),)


def test_a_node_that_is_not_ready_is_out_at_once_and_back_after_ten_seconds(bench: Bench) -> None:
    bench.see(gpus())
    down = bench.see(gpus(conditions=(condition("Ready", "Unknown", message="Kubelet stopped posting node status."),)))
    assert (down.state, down.note) == (NodeState.SUSPECT, "not ready: Kubelet stopped posting node status.")

    assert bench.see(gpus()).state is NodeState.SUSPECT
    bench.now_s += 9.9
    assert bench.node().state is NodeState.SUSPECT
    bench.now_s += 0.1
    assert (bench.node().state, bench.node().note) == (NodeState.READY, "")


def test_a_node_that_flaps_stays_out(bench: Bench) -> None:
    bench.see(gpus())
    for _ in range(5):
        bench.see(gpus(conditions=(condition("Ready", "False"),)))
        bench.see(gpus())
        bench.now_s += 8

    assert bench.node().state is NodeState.SUSPECT


def test_a_new_node_is_in_as_soon_as_it_is_ready(bench: Bench) -> None:
    assert "has not reported yet" in bench.see(gpus(conditions=())).note

    assert bench.see(gpus()).state is NodeState.READY


def test_a_node_made_anew_under_the_same_name_is_a_new_node(bench: Bench) -> None:
    bench.see(gpus())
    bench.see(gpus(conditions=(), uid="second"))

    assert bench.see(gpus(uid="second")).state is NodeState.READY


@pytest.mark.parametrize(
    ("view", "want_state", "want_note"),
    [
        (replace(gpus(), is_cordoned=True), NodeState.DRAINED, "cordoned"),
        (gpus(conditions=(condition("Ready"), FULL)), NodeState.SUSPECT, "DiskPressure: full"),
        (gpus(conditions=(condition("Ready"), condition("KernelDeadlock"))), NodeState.SUSPECT, "KernelDeadlock"),
        (gpus(taints=(Taint("team", "x", "NoSchedule"),)), NodeState.DRAINED, "taint team (NoSchedule)"),
        (gpus(taints=(Taint("team", "x", "NoExecute"),)), NodeState.DRAINED, "taint team (NoExecute)"),
        (gpus(taints=(Taint(UNREACHABLE, "", "NoExecute"),)), NodeState.SUSPECT, f"taint {UNREACHABLE} (NoExecute)"),
        (gpus(taints=(Taint(CORDON, "", "NoSchedule"),)), NodeState.DRAINED, f"taint {CORDON} (NoSchedule)"),
        (gpus(allocatable={GPU: 7}), NodeState.DEGRADED, "degraded: 7 of 8 nvidia.com/gpu can be used"),
    ],
)
def test_a_node_with_a_fault_says_why(bench: Bench, view: NodeView, want_state: NodeState, want_note: str) -> None:
    node = bench.see(view)

    assert (node.state, node.note) == (want_state, want_note)
    assert bench.see(gpus()).state is NodeState.READY


def test_an_operators_wish_stands_above_what_was_concluded_and_all_of_it_is_told(bench: Bench) -> None:
    view = gpus(allocatable={GPU: 7}, conditions=(condition("Ready"), FULL))

    suspect, drained = bench.see(view), bench.see(replace(view, is_cordoned=True))

    degraded = "degraded: 7 of 8 nvidia.com/gpu can be used"
    assert (suspect.state, suspect.note) == (NodeState.SUSPECT, f"DiskPressure: full; {degraded}")
    assert (drained.state, drained.note) == (NodeState.DRAINED, f"DiskPressure: full; cordoned; {degraded}")


def test_a_degraded_node_has_the_devices_that_can_be_used(bench: Bench) -> None:
    assert bench.see(gpus(allocatable={GPU: 7})).devices[0].count == 7


@pytest.mark.parametrize(
    "view",
    [
        gpus(conditions=(condition("Ready"), condition("KernelDeadlock", "False"))),
        gpus(conditions=(condition("Ready"), condition("DiskPressure", "Unknown"))),
        gpus(conditions=(condition("Ready"), condition("SomebodysOwnCheck"))),
        gpus(taints=(Taint("team", "x", "PreferNoSchedule"),)),
        gpus(taints=(Taint(GPU, "present", "NoSchedule"),)),
    ],
)
def test_what_is_no_fault_keeps_no_work_away(bench: Bench, view: NodeView) -> None:
    assert bench.see(view).state is NodeState.READY


def test_a_pools_tolerations_let_work_onto_tainted_nodes() -> None:
    pool = PoolTemplate("tainted", chips=("t4",), tolerations=(Toleration("team", "x"),))
    bench = Bench(ClusterConfiguration("test", pools=(pool,)))

    assert bench.see(gpus(taints=(Taint("team", "x", "NoSchedule"),))).state is NodeState.READY
    assert bench.see(gpus(taints=(Taint("team", "y", "NoSchedule"),))).state is NodeState.DRAINED


def test_a_node_without_devices_takes_work_where_the_pool_of_its_labels_tolerates_its_taints() -> None:
    pool = PoolTemplate("cpus", labels=(("kind", "cpu"),), tolerations=(Toleration("team", "x"),))
    bench = Bench(ClusterConfiguration("test", pools=(pool,)))
    taints = (Taint("team", "x", "NoSchedule"),)

    assert bench.see(node_view("a", labels={"kind": "cpu"}, taints=taints)).state is NodeState.READY
    assert bench.see(node_view("b", taints=taints)).state is NodeState.DRAINED


def test_a_pod_without_devices_puts_up_with_what_those_with_devices_put_up_with_and_no_more() -> None:
    pool = PoolTemplate("tainted", chips=("t4",), tolerations=(Toleration("team", "x"), Toleration("other")))
    bench = Bench(ClusterConfiguration("test", pools=(pool,)))
    for_device = Taint(GPU, "present", "NoSchedule")

    bench.see(gpus(name="plain"))
    bench.see(gpus(name="tainted", taints=(for_device, Taint("team", "x", "NoExecute"))))

    assert bench.inventory.tolerations("plain") == ()
    assert bench.inventory.tolerations("tainted") == (Toleration(GPU, effect="NoSchedule"), Toleration("team", "x"))
    assert bench.inventory.tolerations("elsewhere") == ()


def test_a_node_can_belong_to_one_tenant(bench: Bench) -> None:
    assert bench.see(node_view(labels={"medley/tenant": "vision"})).tenant == "vision"
    assert bench.see(node_view(labels={"medley/tenant": ""})).tenant is None
    assert bench.see(gpus()).tenant is None


def test_a_node_rests_after_a_strike_and_comes_back_by_itself(bench: Bench) -> None:
    bench.see(gpus())

    bench.inventory.strike("n1", "its kubelet started nothing for 300 s")

    assert bench.node().state is NodeState.SUSPECT
    assert bench.node().note == "rests after a failed start (1 in a row): its kubelet started nothing for 300 s"
    bench.now_s += 60
    assert bench.node().state is NodeState.READY


def test_a_good_start_takes_strikes_back_and_ends_no_rest(bench: Bench) -> None:
    bench.see(gpus())
    bench.inventory.strike("n1", "why")

    bench.inventory.forgive("n1")
    assert bench.node().state is NodeState.SUSPECT

    bench.now_s += 60
    bench.inventory.forgive("n1")
    bench.inventory.strike("n1", "why")
    assert "1 in a row" in bench.node().note


def test_notes_name_what_is_not_offered_and_are_bounded(bench: Bench) -> None:
    view = replace(node_view(devices={"cambricon.com/mlu": 8}), unreadable=("cpu=" + "9" * 300,), is_cordoned=True)

    node = bench.see(view)

    assert node.note.startswith("cordoned; cambricon.com/mlu not offered: nothing says which chip")
    assert len(node.note) == 200


def test_an_absurd_quantity_is_told(bench: Bench) -> None:
    assert bench.see(replace(gpus(), unreadable=("cpu=many",))).note == "cannot read 'cpu=many'"


def test_topology_is_named_from_the_smallest_domain_with_those_around_it() -> None:
    levels = (TopologyLevel("zone", "example.com/zone"), TopologyLevel("rack", "example.com/rack"))
    bench = Bench(ClusterConfiguration("test", topology=levels))

    one = bench.see(node_view("a", labels={"example.com/zone": "z1", "example.com/rack": "r1"}))
    other = bench.see(node_view("b", labels={"example.com/zone": "z2", "example.com/rack": "r1"}))
    lacking = bench.see(node_view("c", labels={"example.com/rack": "r1"}))
    absurd = bench.see(node_view("d", labels={"example.com/zone": "z" * 64, "example.com/rack": ""}))

    assert one.topology == Topology((("rack", "z1/r1"), ("zone", "z1")))
    assert other.topology.domain("rack") == "z2/r1"
    assert lacking.topology == Topology((("rack", "r1"),))
    assert absurd.topology == Topology()


def test_only_labels_that_jobs_can_ask_for_are_kept() -> None:
    bench = Bench(ClusterConfiguration("test", node_labels=("example.com/fabric", "example.com/empty")))
    labels = {
        "kubernetes.io/arch": "arm64",
        "kubernetes.io/hostname": "n1",
        "feature.node.kubernetes.io/x": "1",
        "medley/rack": "r1",
        "example.com/fabric": "infiniband",
        "example.com/empty": "",
    }

    want = (("example.com/fabric", "infiniband"), ("kubernetes.io/arch", "arm64"))
    assert bench.see(node_view(labels=labels)).labels == want


def test_alike_nodes_of_one_rack_differ_in_nothing_but_their_names(bench: Bench) -> None:
    alike = [
        bench.see(node_view(name, devices={GPU: 8}, labels=T4 | {"kubernetes.io/hostname": name, "medley/rack": "r1"}))
        for name in ("n1", "n2")
    ]

    assert replace(alike[1], name="n1") == alike[0]


def test_nodes_are_listed_by_name_and_the_gone_are_missing(bench: Bench) -> None:
    for name in ("b", "c", "a"):
        bench.see(gpus(name=name))

    bench.inventory.node_changed(gpus(name="b"), None)

    assert [node.name for node in bench.inventory.nodes()] == ["a", "c"]
    assert bench.inventory.view("b") is None


def test_the_same_list_comes_back_until_something_changes(bench: Bench) -> None:
    bench.see(gpus())
    before = bench.inventory.nodes()

    bench.inventory.node_changed(None, gpus())  # a heartbeat
    assert bench.inventory.nodes() is before

    bench.see(replace(gpus(), is_cordoned=True))
    assert bench.inventory.nodes() is not before
    assert before[0].state is NodeState.READY


def test_thousands_of_nodes_cost_nothing_while_they_stay_as_they_are(bench: Bench) -> None:
    for number in range(5000):
        bench.inventory.node_changed(None, gpus(name=f"n{number}"))
        bench.run(*(pod_view(f"p{number}-{i}", node=f"n{number}", requests={GPU: 1}) for i in range(2)))
    assert len(bench.inventory.nodes()) == 5000

    assert quiet_s(bench.inventory.nodes, runs=3) < 0.05
