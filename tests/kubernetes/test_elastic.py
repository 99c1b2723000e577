"""An elastic training on a real control plane: pods that really train go from four to two and to four."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders.eventually import eventually
from tests.builders.server import Api, ServerProcess
from tests.kubernetes.testbed.api import path_of
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape
from tests.kubernetes.testbed.process_kubelet import ProcessKubelet
from tests.kubernetes.testbed.processes import free_ports

GPU = "nvidia.com/gpu"
NODE = NodeShape("trains", {GPU: 8}, labels={"medley/chip": "h100-sxm"}, resources={"memory": "256Gi"})
TRAINING = {
    "name": "elastic",
    "chips": "h100-sxm",
    "workers": {"min": 2, "max": 4},
    "memory_mib": 2048,
    "grace_s": 60,
    "checkpoint_interval_s": 600,
    "training": {"steps": 1_000_000, "width": 32, "sequence": 32, "batch": 4},
}
WITHIN_S = 180.0


@pytest.fixture
def server(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server whose only cluster is the control plane, with a node whose pods are processes of this machine."""
    cluster = {
        "name": "east",
        "kubeconfig": str(control_plane.kubeconfig()),
        "namespace": namespace,
        "volumes": {"results": {"nfs": {"server": "files.example", "path": "/results"}}},
        "checkpoints": "results",
        "devices_are_simulated": True,
    }
    clusters = tmp_path / "clusters.yaml"
    clusters.write_text(yaml.safe_dump({"clusters": [cluster]}))
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    environment = {"MEDLEY_API_URL": f"http://{address}"}
    server = ServerProcess(tmp_path / "data", None, listen=address, clusters=clusters, environment=environment)
    serving = control_plane.authority.server("kubelet")
    with ProcessKubelet(control_plane.api, [NODE], tmp_path / "kubelet", serving=serving):
        server.start()
        yield server
        server.stop()


@pytest.fixture
def api(server: ServerProcess) -> Iterator[Api]:
    with Api(server.address, server.tenant("elastic")) as connection:
        yield connection


def shown(api: Api, job: str) -> Any:
    return api.want(200, "GET", f"/v1/jobs/{job}")


def goes_on(api: Api, job: str, generation: int, numbers: list[int]) -> None:
    """Wait until the gang is of a generation with these workers, all of which run, and it has taken steps."""

    def look() -> bool:
        attempts = shown(api, job)["attempts"]
        if not attempts or attempts[-1]["is_resizing"]:
            return False
        running = [one["number"] for one in attempts[-1]["workers"] if one["phase"] == "running"]
        return (attempts[-1]["number"], attempts[-1]["generation"], running) == (1, generation, numbers)

    eventually(look, within_s=WITHIN_S, what=f"generation {generation} with the workers {numbers}")
    before = (shown(api, job)["progress"] or {}).get("step", 0)
    eventually(lambda: (shown(api, job)["progress"] or {}).get("step", 0) > before, within_s=WITHIN_S)


def test_a_training_of_pods_goes_from_four_to_two_and_to_four_and_its_loss_goes_on(
    api: Api, control_plane: ControlPlane, namespace: str
) -> None:
    def devices_used() -> int:
        pods = control_plane.api.get(path_of("pods", namespace=namespace))["items"]
        return sum(pod["status"]["phase"] in ("Pending", "Running") for pod in pods)

    job = api.want(201, "POST", "/v1/jobs", TRAINING)["id"]
    goes_on(api, job, 1, [0, 1, 2, 3])
    api.want(200, "PATCH", f"/v1/jobs/{job}", {"workers": 2})
    goes_on(api, job, 2, [0, 1])
    assert devices_used() == 2
    api.want(200, "PATCH", f"/v1/jobs/{job}", {"workers": 4})
    goes_on(api, job, 3, [0, 1, 4, 5])
    assert devices_used() == 4

    page = api.want(200, "GET", f"/v1/jobs/{job}/logs?rank=0")
    said = "".join(entry["text"] for entry in page["entries"])
    left = re.findall(r"leaving the gang of \d after step (\d+)", said)
    assert len(left) == 2
    assert re.findall(r"resuming from step (\d+), saved by attempt 1", said) == left
    items = api.want(200, "GET", f"/v1/jobs/{job}/progress?limit=1000")["items"]
    losses = {item["step"]: item["loss"] for item in items}
    assert losses[max(losses)] < losses[min(step for step in losses if step > int(left[0]))] + 0.5
    assert all(losses[step] < losses[min(losses)] for step in losses if step > int(left[0]))

    api.want(200, "POST", f"/v1/jobs/{job}/cancel")
    eventually(lambda: shown(api, job)["state"] == "cancelled", within_s=WITHIN_S)
