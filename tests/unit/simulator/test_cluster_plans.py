from pathlib import Path
from typing import Any

import pytest

from scheduler.adapters.files.inventory_file import Inventory
from scheduler.core.model.node import NodeState
from scheduler.simulator.cluster_plans import ClusterPlan, PlanError
from tests.builders.simulating import catalogue

CLUSTER = """
cluster: sim
node_types:
  fast-8: {devices: {fast: 8}, cpu_cores: 96, memory_gib: 1024}
racks:
  r1: {tenant: alpha, "n-[1-2]": fast-8}
"""
LIVE: dict[str, Any] = {
    "cluster": "east", "name": "n1", "state": "ready", "tenant": None, "labels": {"disk": "ssd"}, "pods": 110,
    "topology": {"node": "n1", "rack": "r1", "zone": "z1", "cluster": "east"}, "cpu_milli": 1_000, "memory_mib": 2_000,
    "devices": [{"chip": "fast", "count": 4, "memory_mib": 81_920, "held": 1}],
}  # fmt: skip


def planned(folder: Path, **changes: Any) -> Inventory:
    path = folder / "cluster.yaml"
    path.write_text(CLUSTER)
    return ClusterPlan(path, **changes).read(catalogue())


def test_added_nodes_are_like_those_there_are_in_a_rack_of_their_own(tmp_path: Path) -> None:
    found = planned(tmp_path, add=("2x8xfast",))
    assert [node.name for node in found.nodes] == ["n-1", "n-2", "added-1-1", "added-1-2"]
    added = found.nodes[-1]
    assert (added.cpu_milli, added.memory_mib, added.tenant) == (96_000, 1024 * 1024, None)
    assert added.topology.domains == (("rack", "added-1"),)


def test_added_nodes_of_another_kind_have_room_for_their_devices(tmp_path: Path) -> None:
    added = planned(tmp_path, add=("1x8xfast", "1x4xslow")).nodes[-1]
    assert (added.name, added.devices[0].chip, added.devices[0].count) == ("added-2-1", "slow", 4)
    assert added.cpu_milli > 0


@pytest.mark.parametrize("name", ["n-2", "sim/n-2"])
def test_a_drained_node_takes_no_work(tmp_path: Path, name: str) -> None:
    states = [node.state for node in planned(tmp_path, drain=(name,)).nodes]
    assert states == [NodeState.READY, NodeState.DRAINED]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"add": ("8xfast",)}, "write NODESxDEVICESxCHIP"),
        ({"add": ("1x8xfats",)}, "did you mean 'fast'"),
        ({"add": ("1x99xfast",)}, "at most 64"),
        ({"add": ("900000x8xfast",)}, "at most 100,000"),
        ({"drain": ("n-3",)}, "no node 'n-3'"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        planned(tmp_path, **changes)


def test_a_live_cluster_is_taken_empty() -> None:
    found = ClusterPlan(live=[LIVE], add=("1x4xfast",)).read(catalogue())
    node, added = found.nodes
    assert found.cluster == "east"
    assert (node.topology.domains, node.labels) == ((("rack", "r1"), ("zone", "z1")), (("disk", "ssd"),))
    assert added.topology.domains == (("rack", "added-1"), ("zone", "added-1"))


def test_of_several_live_clusters_one_has_to_be_chosen() -> None:
    live = [LIVE, {**LIVE, "cluster": "west"}]
    with pytest.raises(PlanError, match="east, west"):
        ClusterPlan(live=live).read(catalogue())
    assert ClusterPlan(live=live, live_cluster="west").read(catalogue()).cluster == "west"
