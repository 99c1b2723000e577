"""The whole way of a preemption: a real training makes room for an urgent job, and goes on where it saved itself."""

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders.eventually import eventually
from tests.builders.server import ROOT, Api, ServerProcess

STEPS = 300
TRAINING = {
    "name": "patient",
    "chips": "metax-c500-pcie",
    "workers": 2,
    "devices_per_worker": 2,
    "memory_mib": 2048,
    "grace_s": 60,
    "checkpoint_interval_s": 600,
    "training": {"steps": STEPS},
}
URGENT = {
    "name": "urgent",
    "chips": "metax-c500-pcie",
    "workers": 1,
    "devices_per_worker": 4,
    "priority": 5,
    "command": ["sh", "-c", "sleep 1"],
}
FINAL = ("succeeded", "failed", "cancelled")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("preempting")
    inventory = ROOT / "examples" / "clusters" / "mixed.yaml"
    server = ServerProcess(folder / "data", inventory, environment={**os.environ, "MEDLEY_PREEMPTION_AFTER_S": "1"})
    server.start()
    yield server
    server.stop()


@pytest.fixture
def api(server: ServerProcess) -> Iterator[Api]:
    with Api(server.address, server.tenant("preempting")) as connection:
        yield connection


def shown(api: Api, job: str) -> Any:
    return api.want(200, "GET", f"/v1/jobs/{job}")


def ended(api: Api, job: str) -> Any:
    return eventually(
        lambda: found if (found := shown(api, job))["state"] in FINAL else None, within_s=180, what="the job's end"
    )


def test_a_training_makes_room_for_an_urgent_job_saves_itself_and_goes_on_with_the_same_loss(api: Api) -> None:
    want_loss = ended(api, api.want(201, "POST", "/v1/jobs", TRAINING)["id"])["progress"]["loss"]
    patient = api.want(201, "POST", "/v1/jobs", TRAINING)["id"]
    eventually(lambda: (shown(api, patient)["progress"] or {}).get("step", 0) > 1, within_s=120)
    urgent = api.want(201, "POST", "/v1/jobs", URGENT)["id"]

    assert ended(api, urgent)["state"] == "succeeded"
    after = ended(api, patient)
    first, second = after["attempts"]
    assert (after["state"], after["retries_used"]) == ("succeeded", 0)
    assert first["stop_reason"] == "preempted"
    assert (first["eviction"]["job"], first["eviction"]["cause"]) == (urgent, "priority")
    assert (
        f"stopped for job {urgent} of tenant preempting, which has priority 5 over its 0" in first["eviction"]["text"]
    )
    assert [worker["exit_code"] for worker in first["workers"]] == [143, 143]
    assert second["placed_at"] > first["ended_at"]
    page = api.want(200, "GET", f"/v1/jobs/{patient}/logs?attempt=2")
    said = "".join(entry["text"] for entry in page["entries"] if entry["rank"] == 0)
    assert re.search(r"resuming from step \d+, saved by attempt 1", said)
    assert after["progress"]["loss"] == pytest.approx(want_loss, abs=1e-6)
