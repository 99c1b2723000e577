"""What becomes of jobs whose node goes away, by an accident or by an administrator."""

import pytest

from scheduler.adapters.kubernetes.driving import verdicts
from scheduler.adapters.kubernetes.nodes import health
from scheduler.core.model.group import FailureClass, State, StopReason
from scheduler.core.model.node import NodeState
from scheduler.loops import steps
from tests.builders.eventually import eventually
from tests.kubernetes.faults.real import DEVICES, Bed
from tests.kubernetes.faults.simulated import Simulated
from tests.kubernetes.faults.world import PATIENCE_S, World, nodes_of
from tests.kubernetes.manifests import kubectl
from tests.kubernetes.testbed.api import path_of

HEARTBEATS = 20
COLLECTED_S = 120.0
"""The pod garbage collector waits 40 s for a node to come back, and looks each 20 s."""


def test_a_drain_goes_through_and_the_job_goes_on_elsewhere(world: World, bed: Bed) -> None:
    job = world.submit(retries=0)
    (node,) = set(nodes_of(world.running(job)))
    config = bed.plane.kubeconfig()
    kubectl("drain", node, "--delete-emptydir-data", "--timeout=60s", kubeconfig=config)
    second = world.running(job, attempt=2)
    assert node not in nodes_of(second)
    assert (world.nodes()[node].state, world.nodes()[node].note) == (NodeState.DRAINED, "cordoned")
    world.ends(job, StopReason.DISRUPTED, FailureClass.DISRUPTED, charged=0, attempts=2)
    kubectl("uncordon", node, kubeconfig=config)
    eventually(lambda: world.nodes()[node].state is NodeState.READY, within_s=PATIENCE_S, what="the node back in")


def test_a_cordon_leaves_what_runs_and_takes_nothing_new(world: World, bed: Bed) -> None:
    job = world.submit()
    (node,) = set(nodes_of(world.running(job)))
    kubectl("cordon", node, kubeconfig=bed.plane.kubeconfig())
    eventually(lambda: world.nodes()[node].note == "cordoned", within_s=PATIENCE_S, what="the cordon")
    other = world.submit()
    assert node not in nodes_of(world.running(other))
    assert world.job(job).state is State.RUNNING
    view = world.finish(job, other)
    assert (len(view.attempts), view.groups[0].failures) == (1, 0)


def test_a_pod_that_stays_terminating_on_a_dead_node_holds_its_devices_and_not_its_job(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdicts, "ABANDONED_AFTER_S", 3)
    monkeypatch.setattr(health, "READY_AGAIN_S", 1.0)
    monkeypatch.setattr(steps, "NODES_INTERVAL_S", 1.0)
    world = bed.world(node_loss_tolerated_s=1)
    job = world.submit(devices=2, retries=0, environment={"TESTBED_STUCK": "1", "TESTBED_ATTEMPT": "a1"})
    (node,) = set(nodes_of(world.running(job)))
    path = path_of("nodes", node)
    bed.api.patch(path, {"metadata": {"annotations": {"testbed/not-ready": "1"}}})
    second = world.running(job, attempt=2)
    assert node not in nodes_of(second)
    first = world.stopped(job)
    assert all("cannot be removed before the node is back" in (worker.detail or "") for worker in first.workers)

    bed.api.patch(path, {"metadata": {"annotations": {"testbed/not-ready": None}}})
    eventually(lambda: world.nodes()[node].state is NodeState.READY, within_s=PATIENCE_S, what="the node back in")
    stuck = [pod for pod in bed.pods() if pod["metadata"].get("deletionTimestamp")]
    assert len(stuck) == 2
    assert sum(group.count for group in world.nodes()[node].devices) == DEVICES
    assert sum(count for _, count in world.nodes()[node].foreign.devices) == 2 * 2
    for pod in stuck:  # the kubelet that is back lets go of them
        bed.api.delete(bed.path(pod), {"gracePeriodSeconds": 0})
    eventually(
        lambda: world.nodes()[node].foreign.devices == (),
        within_s=PATIENCE_S,
        what="its devices back",
    )
    world.ends(job, StopReason.DISRUPTED, FailureClass.DISRUPTED, charged=0, attempts=2)


def test_a_node_that_is_deleted_disrupts_its_jobs(world: World, bed: Bed) -> None:
    job = world.submit(retries=0)
    (node,) = set(nodes_of(world.running(job)))
    bed.api.delete(path_of("nodes", node))
    world.wait(job, "the job elsewhere", lambda view: len(view.attempts) == 2, within_s=COLLECTED_S)
    assert node not in nodes_of(world.running(job, attempt=2))
    world.ends(job, StopReason.DISRUPTED, FailureClass.DISRUPTED, charged=0, attempts=2)


def test_a_change_of_a_node_is_a_hint_and_its_heartbeat_is_none(fake: Simulated) -> None:
    world = fake.start()
    cluster = world.driven()
    hints: list[int] = []
    cluster.listen(lambda: hints.append(1))
    for beat in range(HEARTBEATS):
        fake.api.patch("nodes", "a", {"metadata": {"annotations": {"example.com/heartbeat": str(beat)}}})
    fake.api.patch("nodes", "b", {"spec": {"unschedulable": True}})
    eventually(lambda: hints, within_s=PATIENCE_S, what="a hint")
    assert len(hints) < HEARTBEATS
    eventually(lambda: world.nodes()["b"].note == "cordoned", within_s=PATIENCE_S, what="the cordon")
