"""Medley installed by kubectl on a real node, through what an ordinary day brings, to its end: tests in this order."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.eventually import eventually
from tests.kubernetes.end_to_end.installation import Installation
from tests.kubernetes.end_to_end.real_node import RealNode
from tests.kubernetes.testbed.api import path_of
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape, add_nodes, remove_nodes

TRAINING = """
name: first
chips: {h100-sxm: 2, mlu370-x8: 2}
cpu_milli: 400
memory_mib: 1024
retries: 1
grace_s: 5
training: {steps: 500}
"""
SLEEPER = """
name: sleeper
workers: 2
chips: [h100-sxm, mlu370-x8]
cpu_milli: 100
memory_mib: 64
grace_s: 5
command: [sleep, "3600"]
"""
OURS = "app.kubernetes.io/part-of=medley"
KINDS = (
    "namespaces,clusterroles,clusterrolebindings,roles,rolebindings,deployments,services,configmaps,secrets,pods,pv,pvc"
)
LOSS_BAR = 3.0
"""The reference training falls below this from about 5.5; see runtime/README.md."""
START_WITHIN_S = 180.0
TRAINING_WITHIN_S = 400.0
GONE_WITHIN_S = 90.0


@pytest.fixture(scope="module")
def installed(plane: ControlPlane, node: RealNode) -> Iterator[Installation]:
    others = add_nodes(plane.api, [NodeShape(f"amd-{number}", {"amd.com/gpu": 8}) for number in range(3)])
    installation = Installation(plane, node)
    installation.install()
    yield installation
    installation.uninstall()
    remove_nodes(plane.api, others)


@pytest.mark.timeout(1200)
def test_a_training_outlives_a_killed_worker_and_a_restart_of_medley_and_nothing_is_left(
    installed: Installation, node: RealNode, tmp_path: Path
) -> None:
    installed.become_submitter("vision")
    job = installed.medley("submit", "-", "-o", "name", stdin=TRAINING).strip()
    with installed.following(job, tmp_path / "log") as reader:
        wait_for_step(tmp_path / "log", attempts=1)
        node.kill_container(installed.pods_of(job)[2])
        wait_for_step(tmp_path / "log", attempts=2)
        delete_medley_in_mid_run(installed, job)
        ended = installed.wait_for_state(job, "succeeded", "failed", "cancelled", within_s=TRAINING_WITHIN_S)
        assert ended["state"] == "succeeded", (ended, (tmp_path / "log").read_text())
        assert reader.wait(60) == 0
    first, second = ended["attempts"]
    assert first["stop_reason"] == "worker-failed"
    assert ended["retries_used"] == 1
    assert [worker["chip"] for worker in second["workers"]] == ["h100-sxm", "h100-sxm", "mlu370-x8", "mlu370-x8"]
    assert {worker["node"] for worker in second["workers"]} == {f"kubernetes/{node.name}"}
    log = (tmp_path / "log").read_text()
    losses = [float(found) for found in re.findall(r"loss (\d+\.\d+)", log)]
    assert losses[0] > 5.0, log
    assert losses[-1] < LOSS_BAR, log
    assert len(set(re.findall(r"weights sha256=([0-9a-f]+)", log))) == 1, "all ranks must end with identical weights"
    nothing_is_left_of(installed, job)


@pytest.mark.timeout(600)
def test_a_cancelled_job_leaves_nothing_in_the_cluster(installed: Installation, node: RealNode) -> None:
    installed.become_submitter("sound")
    job = installed.medley("submit", "-", "-o", "name", stdin=SLEEPER).strip()
    installed.wait_for_state(job, "running", within_s=START_WITHIN_S)
    assert all(node.processes_of(pod) for pod in installed.pods_of(job))
    installed.medley("cancel", job)
    installed.wait_for_state(job, "cancelled", within_s=GONE_WITHIN_S)
    nothing_is_left_of(installed, job)


@pytest.mark.timeout(600)
def test_uninstalled_it_leaves_nothing_in_the_cluster_and_on_the_node(installed: Installation, node: RealNode) -> None:
    installed.become_submitter("text")
    job = installed.medley("submit", "-", "-o", "name", stdin=SLEEPER).strip()
    installed.wait_for_state(job, "running", within_s=START_WITHIN_S)
    installed.uninstall()
    assert installed.kubectl("get", KINDS, "--all-namespaces", "--selector", OURS, "-o", "name") == ""
    pods = installed.plane.api.get(path_of("pods"))["items"]
    assert [pod["metadata"]["name"] for pod in pods if pod["spec"].get("nodeName") == node.name] == []
    eventually(lambda: not node.processes(), within_s=GONE_WITHIN_S, what="no process to be left of any pod")


def delete_medley_in_mid_run(installed: Installation, job: str) -> None:
    (before,) = installed.own_pods()
    workers = [pod["metadata"]["uid"] for pod in installed.pods_of(job)]
    installed.plane.api.delete(path_of("pods", before["metadata"]["name"], namespace="medley"))

    def is_back() -> bool:
        pods = installed.own_pods()
        is_new = [pod["metadata"]["uid"] for pod in pods] != [before["metadata"]["uid"]]
        ready = [one["ready"] for pod in pods for one in pod["status"].get("containerStatuses", ())]
        return len(pods) == 1 and is_new and ready == [True]

    eventually(is_back, within_s=START_WITHIN_S, what="Medley's new pod to be ready")
    assert [pod["metadata"]["uid"] for pod in installed.pods_of(job)] == workers, "the workers were not adopted"


def wait_for_step(log: Path, *, attempts: int) -> None:
    """Wait until the log that is followed shows that so many attempts have begun to train."""
    eventually(
        lambda: log.read_text().count("step 1/") == attempts,
        within_s=START_WITHIN_S,
        what=f"the first step of attempt {attempts} in {log}",
    )


def nothing_is_left_of(installed: Installation, job: str) -> None:
    def left() -> list[str]:
        found: list[str] = []
        for kind in ("pods", "configmaps", "secrets"):
            listed = installed.plane.api.get(path_of(kind, namespace="medley-jobs"))["items"]
            found += [item["metadata"]["name"] for item in listed]
        return [name for name in found if name.startswith(job)]

    eventually(lambda: not left(), within_s=GONE_WITHIN_S, what=f"nothing to be left of {job}")
