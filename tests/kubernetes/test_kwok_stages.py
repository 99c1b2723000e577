"""The fates that KWOK plays, told by annotations or by variables of the pod's container."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.builders.eventually import eventually
from tests.kubernetes.testbed.api import Document, path_of
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape, add_nodes, is_ready, remove_nodes

PATIENCE_S = 30.0
Run = Callable[..., Document]


@pytest.fixture
def node(control_plane: ControlPlane, namespace: str) -> Iterator[str]:
    names = add_nodes(control_plane.api, [NodeShape(f"{namespace}-node", {"nvidia.com/gpu": 8})])
    yield names[0]
    remove_nodes(control_plane.api, names)


@pytest.fixture
def run(control_plane: ControlPlane, namespace: str, node: str) -> Run:
    """Run a pod and wait until its status is as wanted."""
    pods = path_of("pods", namespace=namespace)

    def run_pod(
        until: Callable[[Document], Any],
        *,
        notes: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
        **variables: str,
    ) -> Document:
        environment = [{"name": name, "value": value} for name, value in variables.items()]
        spec = {"nodeName": node, "containers": [{"name": "main", "image": "busy", "env": environment}]}
        metadata = {"name": "p", "annotations": notes or {}, "labels": labels or {}}
        control_plane.api.create(pods, {"metadata": metadata, "spec": spec})

        def look() -> Document | None:
            status: Document = control_plane.api.get(f"{pods}/p")["status"]
            return status if until(status) else None

        return eventually(look, within_s=PATIENCE_S, what="the status")

    return run_pod


def is_in(phase: str) -> Callable[[Document], bool]:
    return lambda status: status["phase"] == phase


def state(status: Document) -> Document:
    found: Document = status.get("containerStatuses", [{"state": {}}])[0]["state"]
    return found


def test_a_pod_runs_until_somebody_ends_it(run: Run, control_plane: ControlPlane, namespace: str) -> None:
    assert "running" in state(run(is_in("Running")))
    path = path_of("pods", "p", namespace=namespace)
    control_plane.api.delete(path)
    eventually(lambda: control_plane.api.find(path) is None, within_s=PATIENCE_S, what="the end of the pod")


def test_a_pod_completes_after_its_time(run: Run) -> None:
    ended = state(run(is_in("Succeeded"), TESTBED_RUNS_S="1"))["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (0, "Completed")
    assert ended["startedAt"] < ended["finishedAt"]


def test_a_pod_fails_as_it_is_told(run: Run) -> None:
    notes = {"testbed/runs-s": "0", "testbed/exit-code": "137", "testbed/exit-reason": "OOMKilled"}
    status = run(is_in("Failed"), notes=notes)
    ended = state(status)["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


@pytest.mark.parametrize("reason", ["OutOfcpu", "UnexpectedAdmissionError", "NodeAffinity"])
def test_a_pod_is_rejected(run: Run, reason: str) -> None:
    status = run(is_in("Failed"), TESTBED_REJECT=reason, TESTBED_MESSAGE="no: way")
    assert (status["reason"], status["message"], state(status)) == (reason, "no: way", {})


def test_a_pod_waits_for_its_image(run: Run) -> None:
    status = run(lambda status: state(status).get("waiting"), TESTBED_WAIT="ImagePullBackOff")
    assert (status["phase"], state(status)["waiting"]["reason"]) == ("Pending", "ImagePullBackOff")


def test_a_pod_is_evicted(run: Run) -> None:
    status = run(is_in("Failed"), TESTBED_EVICT="1")
    conditions = {one["type"]: one.get("reason") for one in status["conditions"]}
    assert (status["reason"], conditions["DisruptionTarget"]) == ("Evicted", "TerminationByKubelet")


@pytest.mark.parametrize(
    ("labels", "want_phase"),
    [
        ({"medley/rank": "1", "medley/attempt": "j-g0-a1"}, "Failed"),
        ({"medley/rank": "0", "medley/attempt": "j-g0-a1"}, "Running"),
        ({"medley/rank": "1", "medley/attempt": "j-g0-a2"}, "Running"),
    ],
)
def test_a_fate_is_one_members_of_one_attempt(run: Run, labels: dict[str, str], want_phase: str) -> None:
    narrowed = {"TESTBED_RANK": "1", "TESTBED_ATTEMPT": "-a1"}
    assert run(is_in(want_phase), labels=labels, TESTBED_REJECT="OutOfcpu", **narrowed)


def test_the_object_of_a_stuck_pod_stays(run: Run, control_plane: ControlPlane, namespace: str) -> None:
    run(is_in("Running"), notes={"testbed/stuck": "1"})
    path = path_of("pods", "p", namespace=namespace)
    control_plane.api.delete(path, {"gracePeriodSeconds": 1})
    control_plane.api.patch(path, {"metadata": {"annotations": {"testbed/ends-s": "0"}}})
    assert "deletionTimestamp" in control_plane.api.get(path)["metadata"]
    control_plane.api.patch(path, {"metadata": {"annotations": {"testbed/stuck": None}}})
    eventually(lambda: control_plane.api.find(path) is None, within_s=PATIENCE_S, what="the end of the pod")


def test_a_node_says_that_it_is_not_ready(control_plane: ControlPlane, node: str) -> None:
    path = path_of("nodes", node)
    control_plane.api.patch(path, {"metadata": {"annotations": {"testbed/not-ready": "1"}}})
    eventually(lambda: not is_ready(control_plane.api.get(path)), within_s=PATIENCE_S, what="a node that is not ready")
    control_plane.api.patch(path, {"metadata": {"annotations": {"testbed/not-ready": None}}})
    eventually(lambda: is_ready(control_plane.api.get(path)), within_s=PATIENCE_S, what="a node that is ready")
