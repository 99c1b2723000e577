"""What becomes of a job whose pod fails: each fault in its class, charged as that class is, and nothing left."""

import pytest

from scheduler.core.model.attempt import Attempt
from scheduler.core.model.group import FailureClass, State, StopReason
from scheduler.core.model.node import NodeState
from tests.builders.eventually import eventually
from tests.kubernetes.faults.real import Bed
from tests.kubernetes.faults.world import PATIENCE_S, World, nodes_of
from tests.kubernetes.testbed.api import path_of

FIRST = {"TESTBED_RANK": "1", "TESTBED_ATTEMPT": "a1"}
"""Only rank 1 of the first attempt has the fate that the other variables say."""


def said(attempt: Attempt) -> str:
    """Return what was kept of what the cluster said of its workers."""
    return " ".join(worker.detail or "" for worker in attempt.workers)


def rests(world: World, node: str) -> None:
    """Wait until a node takes nothing new because it failed a start."""

    def does() -> bool:
        found = world.nodes()[node]
        return found.state is NodeState.SUSPECT and "rests after a failed start" in found.note

    eventually(does, within_s=PATIENCE_S, what=f"node {node} to rest")


def test_a_worker_that_is_killed_for_its_memory_costs_a_retry(world: World) -> None:
    fate = {"TESTBED_RUNS_S": "0", "TESTBED_EXIT_CODE": "137", "TESTBED_EXIT_REASON": "OOMKilled"}
    job = world.submit(environment=FIRST | fate)
    view = world.ends(job, StopReason.OUT_OF_MEMORY, FailureClass.PROGRAM, charged=1, attempts=2)
    assert view.state is State.CANCELLED


def test_a_job_that_always_fails_ends_with_its_retries(world: World) -> None:
    job = world.submit(environment={"TESTBED_RUNS_S": "0", "TESTBED_EXIT_CODE": "3"})
    view = world.ends(job, StopReason.WORKER_FAILED, FailureClass.PROGRAM, charged=2, attempts=2)
    assert view.state is State.FAILED


def test_an_image_that_cannot_be_pulled_fails_the_job_after_a_patience(world: World) -> None:
    fate = {"TESTBED_WAIT": "ImagePullBackOff", "TESTBED_MESSAGE": "no such image"}
    job = world.submit(environment=FIRST | fate, image="registry.example/absent:1")
    view = world.ends(job, StopReason.UNSTARTABLE, FailureClass.USER, charged=0, attempts=1)
    assert view.state is State.FAILED
    assert "ImagePullBackOff: no such image" in (view.refusal or "")


def test_an_invalid_image_name_fails_the_job_at_once(world: World) -> None:
    job = world.submit(environment=FIRST | {"TESTBED_WAIT": "InvalidImageName"}, image="registry.example/odd:1")
    view = world.ends(job, StopReason.UNSTARTABLE, FailureClass.USER, charged=0, attempts=1)
    assert view.state is State.FAILED
    assert "InvalidImageName" in (view.refusal or "")


def test_a_container_that_cannot_be_configured_fails_the_job(world: World) -> None:
    job = world.submit(environment=FIRST | {"TESTBED_WAIT": "CreateContainerConfigError"})
    view = world.ends(job, StopReason.UNSTARTABLE, FailureClass.USER, charged=0, attempts=1)
    assert view.state is State.FAILED


@pytest.mark.parametrize("reason", ["OutOfnvidia.com/gpu", "OutOfcpu", "UnexpectedAdmissionError", "NodeAffinity"])
def test_a_node_that_rejects_a_pod_stands_aside_and_the_job_goes_elsewhere(world: World, reason: str) -> None:
    fate = {"TESTBED_REJECT": reason, "TESTBED_MESSAGE": "no room after all"}
    job = world.submit(environment=FIRST | fate, retries=0)
    first = world.stopped(job)
    assert f"{reason}: no room after all" in said(first)
    refusing = nodes_of(first)[1]
    rests(world, refusing)
    second = world.running(job, attempt=2)
    assert refusing not in nodes_of(second)
    world.ends(job, StopReason.NODE_REJECTED, FailureClass.INFRASTRUCTURE, charged=0, attempts=2)


def test_a_pod_evicted_by_its_kubelet_is_disrupted(world: World) -> None:
    job = world.submit(environment=FIRST | {"TESTBED_EVICT": "1"}, retries=0)
    world.ends(job, StopReason.DISRUPTED, FailureClass.DISRUPTED, charged=0, attempts=2)


def test_a_pod_evicted_by_the_api_is_disrupted(world: World, bed: Bed) -> None:
    job = world.submit(retries=0)
    world.running(job)
    name = bed.pods(rank=1)[0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": bed.namespace}}
    bed.api.create(f"{path_of('pods', name, namespace=bed.namespace)}/eviction", eviction)
    world.ends(job, StopReason.DISRUPTED, FailureClass.DISRUPTED, charged=0, attempts=2)
    assert "viction" in said(world.job(job).attempts[0])


def test_a_pod_deleted_by_somebody_is_disrupted(world: World, bed: Bed) -> None:
    job = world.submit(retries=0)
    world.running(job)
    bed.api.delete(bed.path(bed.pods(rank=0)[0]))
    world.ends(job, StopReason.DISRUPTED, FailureClass.DISRUPTED, charged=0, attempts=2)


def test_a_member_restarted_by_hand_ends_its_gang_and_the_stranger_goes(world: World, bed: Bed) -> None:
    job = world.submit(retries=0)
    world.running(job)
    (old,) = bed.pods(rank=1)
    replacement = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {key: old["metadata"][key] for key in ("name", "labels", "annotations", "ownerReferences")},
        "spec": old["spec"],
    }
    replacement["metadata"]["annotations"].pop("testbed/told", None)
    bed.api.delete(bed.path(old), {"gracePeriodSeconds": 0})
    new = bed.api.create(path_of("pods", namespace=bed.namespace), replacement)
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    eventually(
        lambda: new["metadata"]["uid"] not in {pod["metadata"]["uid"] for pod in bed.pods()},
        within_s=PATIENCE_S,
        what="the end of the stranger",
    )
    world.ends(job, StopReason.DISRUPTED, FailureClass.DISRUPTED, charged=0, attempts=2)


def test_a_pod_that_merely_carries_our_labels_changes_nothing_and_stays(world: World, bed: Bed) -> None:
    job = world.submit(retries=0)
    world.running(job)
    (real,) = bed.pods(rank=0)
    impostor = {
        "metadata": {"name": "impostor"} | {key: real["metadata"][key] for key in ("labels", "annotations")},
        "spec": real["spec"],
    }
    bed.api.create(path_of("pods", namespace=bed.namespace), impostor)
    cancelled = world.submit(name="beside-it")
    world.running(cancelled)
    world.cancel(cancelled)
    world.wait(cancelled, "its end", lambda view: view.state is State.CANCELLED)
    world.cancel(job)
    world.wait(job, "its end", lambda view: view.state is State.CANCELLED)
    eventually(lambda: bed.ours() == ["pods/impostor"], within_s=PATIENCE_S, what="all but the impostor gone")
    assert not bed.pods()[0]["metadata"].get("deletionTimestamp")
    bed.api.delete(bed.path(impostor))
    world.leaves_nothing()
    assert len(world.job(job).attempts) == 1
