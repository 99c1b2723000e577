"""Files of the openb format as nodes and jobs of the core."""

import gzip
from pathlib import Path

import pytest

from bench.replay.openb import read_trace, variant_of
from scheduler.core.model.node import DeviceGroup
from scheduler.core.model.resources import WorkerShape

NODES = "sn,cpu_milli,memory_mib,gpu,model\nn2,8000,1000,2,T4\nn1,4000,500,1,A10\nn0,4000,500,0,\n"
PODS = """name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec
p4,100,10,0,0,T4
p3,100,10,2,1000,T4|A10|A10
p2,100,10,1,470,
p1,100,10,1,1000,H800
"""
WITHOUT_MEMORY = "name,cpu_milli,num_gpu,gpu_milli\np1,100,8,1000\n"


@pytest.fixture
def nodes(tmp_path: Path) -> Path:
    path = tmp_path / "nodes.csv"
    path.write_text(NODES)
    return path


def packed(folder: Path, text: str) -> Path:
    path = folder / "openb_pod_list_small.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_nodes_without_devices_are_left_out_and_the_others_sorted_by_name(nodes: Path, tmp_path: Path) -> None:
    trace = read_trace(nodes, packed(tmp_path, PODS))
    assert [(node.name, node.devices) for node in trace.nodes] == [
        ("n1", (DeviceGroup("A10", 1, 0),)),
        ("n2", (DeviceGroup("T4", 2, 0),)),
    ]
    assert (trace.chips, trace.capacity_milli) == (("A10", "T4"), 3_000)


def test_a_pod_is_a_job_of_one_worker_with_shares_or_whole_devices_of_types_it_accepts(
    nodes: Path, tmp_path: Path
) -> None:
    pods = read_trace(nodes, packed(tmp_path, PODS)).pods
    assert [pod.name for pod in pods] == ["p1", "p2", "p3", "p4"]
    assert [pod.ask.chips for pod in pods] == [("H800",), ("A10", "T4"), ("A10", "T4"), ()]
    assert [pod.ask.shape for pod in pods] == [
        WorkerShape(1, 100, 10),
        WorkerShape(0, 100, 10, share_milli=470),
        WorkerShape(2, 100, 10),
        WorkerShape(0, 100, 10),
    ]
    assert [(pod.device_milli, pod.devices_milli) for pod in pods] == [(1000, 1000), (470, 470), (1000, 2000), (0, 0)]


def test_a_list_without_memory_and_types_asks_for_neither(nodes: Path, tmp_path: Path) -> None:
    (pod,) = read_trace(nodes, packed(tmp_path, WITHOUT_MEMORY)).pods
    assert (pod.ask.shape, pod.ask.chips) == (WorkerShape(8, 100, 0), ("A10", "T4"))


@pytest.mark.parametrize(
    "pods", ["name,cpu_milli,num_gpu,gpu_milli\np1,100,0,0\n", "name,cpu_milli,num_gpu,gpu_milli\n"]
)
def test_a_list_in_which_nobody_wants_a_device_is_refused(nodes: Path, tmp_path: Path, pods: str) -> None:
    with pytest.raises(ValueError, match="no pod of"):
        read_trace(nodes, packed(tmp_path, pods))


@pytest.mark.parametrize("name", ["openb_pod_list_cpu050.csv.gz", "openb_pod_list_cpu050.csv", "cpu050.csv"])
def test_a_list_is_called_by_what_tells_it_from_others(name: str) -> None:
    assert variant_of(Path("folder", name)) == "cpu050"
