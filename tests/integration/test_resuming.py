"""The whole way of a training that dies: a real server, a real gang, a retry that goes on where it was saved."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders.eventually import eventually
from tests.builders.server import Api, ServerProcess, server_on_the_mixed_cluster

STEPS = 400
TRAINING = {
    "name": "resuming",
    "chips": "h100-sxm",
    "workers": 2,
    "memory_mib": 2048,
    "retries": 1,
    "checkpoint_interval_s": 1,
    "training": {"steps": STEPS},
}
FINAL = ("succeeded", "failed", "cancelled")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server_on_the_mixed_cluster(tmp_path_factory.mktemp("resuming")) as server:
        yield server


@pytest.fixture
def api(server: ServerProcess) -> Iterator[Api]:
    with Api(server.address, server.tenant("resuming")) as connection:
        yield connection


def shown(api: Api, job: str) -> Any:
    return api.want(200, "GET", f"/v1/jobs/{job}")


def ended(api: Api, job: str) -> Any:
    return eventually(
        lambda: found if (found := shown(api, job))["state"] in FINAL else None, within_s=180, what="the job's end"
    )


def output(api: Api, job: str, attempt: int) -> str:
    page = api.want(200, "GET", f"/v1/jobs/{job}/logs?attempt={attempt}")
    return "".join(entry["text"] for entry in page["entries"] if entry["rank"] == 0)


def worker_process(server: ServerProcess, attempt: str, rank: int) -> int:
    """Return the process id of a worker."""
    (record,) = server.data_folder.glob(f"workers/*/workers/{attempt}/{rank}/started")
    fields = dict(field.partition("=")[::2] for field in record.read_text().split("\0"))
    return int(fields["child_pid"])


def test_a_training_whose_worker_is_killed_goes_on_from_its_checkpoint(server: ServerProcess, api: Api) -> None:
    undisturbed = api.want(201, "POST", "/v1/jobs", {**TRAINING, "checkpoint_interval_s": 600})["id"]
    want_loss = ended(api, undisturbed)["progress"]["loss"]

    job = api.want(201, "POST", "/v1/jobs", TRAINING)["id"]
    saved = eventually(
        lambda: found["attempts"][-1]["checkpoint"] if (found := shown(api, job))["attempts"] else None, within_s=120
    )
    assert shown(api, job)["resume"]["is_possible"] is True
    assert re.match(r"a retry goes on from step \d+, which attempt 1 saved", shown(api, job)["resume"]["text"])
    os.kill(worker_process(server, f"{job}-g0-a1", 1), signal.SIGKILL)

    after = ended(api, job)
    assert (after["state"], after["retries_used"]) == ("succeeded", 1), output(api, job, 2)
    found = re.search(r"resuming from step (\d+), saved by attempt 1", output(api, job, 2))
    assert found
    assert int(found[1]) >= saved["step"]
    assert after["progress"]["loss"] == pytest.approx(want_loss, abs=1e-6)
    assert after["attempts"][-1]["heartbeat"]["memory_mib"] > 0
    events = api.want(200, "GET", f"/v1/jobs/{job}")
    assert events["attempts"][0]["stop_reason"] == "worker-failed"


def test_a_training_that_is_cancelled_saves_before_it_ends(server: ServerProcess, api: Api) -> None:
    body = {**TRAINING, "checkpoint_interval_s": 600, "grace_s": 60, "training": {"steps": 1_000_000}}
    job = api.want(201, "POST", "/v1/jobs", body)["id"]
    eventually(lambda: (shown(api, job)["progress"] or {}).get("step", 0) > 1, within_s=120)
    api.want(200, "POST", f"/v1/jobs/{job}/cancel")
    after = ended(api, job)

    assert [worker["exit_code"] for worker in after["attempts"][0]["workers"]] == [143, 143]
    assert "saved step" in output(api, job, 1)
    (folder,) = server.data_folder.glob(f"workers/*/checkpoints/{job}")
    assert [entry.name.startswith("step-") for entry in Path(folder).iterdir()] == [True]
    assert after["attempts"][0]["checkpoint"]["step"] > 0


def test_a_training_that_falls_silent_is_ended_with_a_reason_of_its_own(server: ServerProcess, api: Api) -> None:
    body = {**TRAINING, "retries": 0, "silence_limit_s": 10, "grace_s": 1, "training": {"steps": 1_000_000}}
    job = api.want(201, "POST", "/v1/jobs", body)["id"]
    eventually(lambda: (shown(api, job)["progress"] or {}).get("step", 0) > 1, within_s=120)
    for rank in (0, 1):
        os.kill(worker_process(server, f"{job}-g0-a1", rank), signal.SIGSTOP)
    after = ended(api, job)

    assert (after["state"], after["stop"]["reason"]) == ("failed", "silent")
    assert "its heartbeats stopped" in after["stop"]["text"]
