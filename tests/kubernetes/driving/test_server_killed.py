"""A server that is killed again and again while it drives gangs on a real control plane loses and doubles nothing."""

import random
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders.blueprints import RESOURCE
from tests.builders.eventually import eventually
from tests.builders.kubernetes import KNOWN_AS
from tests.builders.server import Api, ServerProcess
from tests.kubernetes.testbed.api import path_of
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape, add_nodes, remove_nodes

KILLS = 8
JOBS = 24
WORKERS = 3
SEED = 20260101
SETTLE_WITHIN_S = 120.0
ENOUGH_NODES = 3


@pytest.fixture
def server(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[ServerProcess]:
    shapes = [NodeShape(f"{namespace}-{number}", {RESOURCE: 8}, labels=KNOWN_AS) for number in range(ENOUGH_NODES)]
    names = add_nodes(control_plane.api, shapes)
    clusters = tmp_path / "clusters.yaml"
    clusters.write_text(
        f"clusters: [{{name: real, kubeconfig: {control_plane.kubeconfig()}, namespace: {namespace},"
        f" chips: [{{chip: h100-sxm, resource: {RESOURCE}, labels: {{}}}}], devices_are_simulated: true}}]\n"
    )
    made = ServerProcess(tmp_path / "data", None, clusters=clusters)
    made.start()
    yield made
    made.kill()
    remove_nodes(control_plane.api, names)


def ours(control_plane: ControlPlane, namespace: str, kind: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = control_plane.api.get(path_of(kind, namespace=namespace))["items"]
    return [one for one in items if "medley/attempt" in one["metadata"].get("labels", {})]


def test_a_server_killed_at_any_moment_starts_every_gang_once_and_leaves_nothing(
    server: ServerProcess, control_plane: ControlPlane, namespace: str
) -> None:
    pause = random.Random(SEED)
    token = server.tenant("demo")
    body = {
        "name": "storm",
        "workers": WORKERS,
        "chips": "h100-sxm",
        "command": ["true"],
        "environment": {"TESTBED_RUNS_S": "1"},
    }
    with Api(server.address, token) as client:
        jobs = [client.want(201, "POST", "/v1/jobs", body)["id"] for _ in range(JOBS)]
    uids: dict[str, set[str]] = {}
    for _ in range(KILLS):
        threading.Event().wait(pause.uniform(0.05, 1.5))
        for pod in ours(control_plane, namespace, "pods"):
            uids.setdefault(pod["metadata"]["name"], set()).add(pod["metadata"]["uid"])
        server.kill()
        server.start()

    def ended() -> list[dict[str, Any]]:
        with Api(server.address, token) as client:
            found = [client.want(200, "GET", f"/v1/jobs/{job}") for job in jobs]
        return found if all(job["state"] == "succeeded" for job in found) else []

    found = eventually(ended, within_s=SETTLE_WITHIN_S, what="the end of all jobs")
    assert {(len(job["attempts"]), job["retries_used"]) for job in found} == {(1, 0)}
    assert all(len(seen) == 1 for seen in uids.values()), "a pod was made twice"

    def is_clean() -> bool:
        return not any(ours(control_plane, namespace, kind) for kind in ("pods", "configmaps", "secrets"))

    eventually(is_clean, within_s=SETTLE_WITHIN_S, what="nothing left over")
    with sqlite3.connect(server.data_folder / "medley.db") as database:
        assert database.execute("SELECT COUNT(*) FROM node_resources WHERE used > 0").fetchone() == (0,)
