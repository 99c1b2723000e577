"""Nodes and names at the edge of what Kubernetes takes: each is said of, and the rest of the cluster works."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.core.model.group import State
from scheduler.core.model.job import AnyOf
from scheduler.core.model.node import NodeState
from tests.builders.eventually import eventually
from tests.kubernetes.faults.real import Bed, real_bed
from tests.kubernetes.faults.world import PATIENCE_S, World, bad, nodes_of
from tests.kubernetes.testbed.control_plane import ControlPlane

LONGEST_NAMESPACE = 63
LONGEST_NODE = 253
OTHER_CHIP, OTHER_RESOURCE = "mi300x", "amd.com/gpu"


@pytest.fixture
def far(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Bed]:
    """A bed whose namespace has the longest name, with one node that has one, too."""
    namespace = control_plane.make_namespace("n" * LONGEST_NAMESPACE)
    with real_bed(control_plane, namespace, tmp_path, nodes=()) as made:
        host = {"kubernetes.io/hostname": "far", "medley/chip": OTHER_CHIP}
        made.add_node(".".join(["m" * 63] * 4)[:LONGEST_NODE], labels=host)
        made.resize(made.nodes[-1], {OTHER_RESOURCE: "4"})
        yield made
    control_plane.remove_namespace(namespace)


def test_names_at_the_length_limit_run_like_others(far: Bed) -> None:
    world = far.world()
    node = far.nodes[-1]
    assert len(node) == LONGEST_NODE
    job = world.submit(name="j" * 63, workers=4, chips=AnyOf((OTHER_CHIP,)))
    assert set(nodes_of(world.running(job))) == {node}
    world.finish(job)


def note_of(world: World, node: str, words: str) -> str:
    def look() -> str | None:
        found = world.nodes().get(node)
        return found.note if found is not None and words in found.note else None

    return eventually(look, within_s=PATIENCE_S, what=f"{words!r} in the note of {node}")


def test_a_resource_that_nobody_knows_is_named_and_not_offered(bed: Bed) -> None:
    odd = bed.add_node(f"{bed.namespace}-odd", labels={"medley/chip": "no-such-chip"})
    bed.resize(odd, {"example.com/npu": "8"})
    world = bed.world()
    note = note_of(world, odd, "example.com/npu")
    assert "not offered" in note
    assert world.nodes()[odd].devices == ()
    runs_on_the_others(world, odd)


def test_absurd_quantities_and_labels_of_a_node_harm_nobody(bed: Bed) -> None:
    labels = {
        "medley/chip": "",
        "medley/rack": "r" * 63,
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
        "nvidia.com/gpu.count": "banana",
        "nvidia.com/gpu.memory": "0",
        "nvidia.com/gpu.replicas": "9" * 60,
        "amd.com/gpu.vram": "1e309",
        "topology.kubernetes.io/zone": "z.Z_z-0",
        **{f"feature.node.kubernetes.io/f{number}": "true" for number in range(200)},
    }
    odd = bed.add_node(f"{bed.namespace}-odd", labels=labels)
    bed.resize(odd, {"nvidia.com/gpu": "9223372036854775807", "cpu": "9E", "memory": "1m", "pods": "1000000000000"})
    world = bed.world()
    eventually(lambda: odd in world.nodes(), within_s=PATIENCE_S, what="the odd node")
    node = world.nodes()[odd]
    assert len(node.note) <= 200
    assert node.devices == () or node.memory_mib == 0, node
    runs_on_the_others(world, odd)


def runs_on_the_others(world: World, odd: str) -> None:
    """Check that jobs run elsewhere, that the check is content, and that the odd node can go."""
    assert bad(world.check()) == []
    job = world.submit(workers=8, devices=2)
    assert odd not in nodes_of(world.running(job))
    world.finish(job)


def test_a_node_that_is_degraded_is_used_last_and_comes_back(bed: Bed) -> None:
    world = bed.world()
    node = bed.nodes[0]
    bed.resize(node, {"nvidia.com/gpu": "6"}, of="allocatable")
    assert note_of(world, node, "degraded") == "degraded: 6 of 8 nvidia.com/gpu can be used"
    assert world.nodes()[node].state is NodeState.DEGRADED
    job = world.submit(workers=4)
    assert node not in nodes_of(world.running(job))
    assert world.job(job).state is State.RUNNING
    bed.resize(node, {"nvidia.com/gpu": "8"}, of="allocatable")
    eventually(lambda: world.nodes()[node].state is NodeState.READY, within_s=PATIENCE_S, what="the node back in")
    world.finish(job)
