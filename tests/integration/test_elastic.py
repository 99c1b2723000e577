"""The whole way of an elastic training: a real server, real workers, four of them, two, and four again."""

import os
import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders.api import EventReader
from tests.builders.eventually import eventually
from tests.builders.server import ROOT, Api, ServerProcess, strays

TRAINING = {
    "name": "elastic",
    "chips": "h100-sxm",
    "workers": {"min": 2, "max": 4},
    "memory_mib": 2048,
    "grace_s": 60,
    "checkpoint_interval_s": 600,
    "training": {"steps": 1_000_000, "width": 32, "sequence": 32, "batch": 4},
}
FINAL = ("succeeded", "failed", "cancelled")
EVERYTHING = 10_000
CLOSE = 0.5
"""So much the loss of one step may be above that of the one before: each is of a few rows."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    inventory = ROOT / "examples" / "clusters" / "mixed.yaml"
    environment = {**os.environ, "MEDLEY_PREEMPTION_AFTER_S": "1"}
    server = ServerProcess(tmp_path_factory.mktemp("elastic") / "data", inventory, environment=environment)
    server.start()
    yield server
    server.stop()
    assert strays(server.data_folder) == []


@pytest.fixture
def api(server: ServerProcess) -> Iterator[Api]:
    with Api(server.address, server.tenant("elastic")) as connection:
        yield connection


def shown(api: Api, job: str) -> Any:
    return api.want(200, "GET", f"/v1/jobs/{job}")


def latest(api: Api, job: str) -> Any:
    attempts = shown(api, job)["attempts"]
    return attempts[-1] if attempts else {"generation": 0, "workers": [], "is_resizing": True}


def goes_on(api: Api, job: str, generation: int, workers: int) -> Any:
    """Wait until the gang is of a generation, so many workers all run, and it has taken steps."""

    def look() -> Any:
        attempt = latest(api, job)
        running = [one for one in attempt["workers"] if one["phase"] == "running"]
        is_there = (attempt["generation"], len(running), attempt["is_resizing"]) == (generation, workers, False)
        return attempt if is_there else None

    attempt = eventually(look, within_s=120, what=f"generation {generation} with {workers} workers")
    before = (shown(api, job)["progress"] or {}).get("step", 0)
    eventually(lambda: (shown(api, job)["progress"] or {}).get("step", 0) > before, within_s=60)
    return attempt


def scale(api: Api, job: str, workers: int) -> None:
    api.want(200, "PATCH", f"/v1/jobs/{job}", {"workers": workers})


def output(api: Api, job: str, number: int) -> str:
    page = api.want(200, "GET", f"/v1/jobs/{job}/logs?rank={number}")
    return "".join(entry["text"] for entry in page["entries"])


def devices(attempt: Any) -> set[tuple[str, int]]:
    return {(one["node"], slot) for one in attempt["workers"] for slot in one["devices"]}


def reported(api: Api, job: str) -> dict[int, float]:
    """Return the loss by step."""
    items = api.want(200, "GET", f"/v1/jobs/{job}/progress?limit=1000")["items"]
    return {item["step"]: item["loss"] for item in items}


def cancelled(api: Api, job: str) -> Any:
    api.want(200, "POST", f"/v1/jobs/{job}/cancel")
    return eventually(lambda: found if (found := shown(api, job))["state"] in FINAL else None, within_s=120)


def child_of(server: ServerProcess, attempt: str, number: int) -> int:
    (record,) = server.data_folder.glob(f"workers/*/workers/{attempt}/{number}/started")
    fields = dict(field.partition("=")[::2] for field in record.read_text().split("\0"))
    return int(fields["child_pid"])


def test_a_training_goes_from_four_workers_to_two_and_to_four_and_its_loss_goes_on(api: Api) -> None:
    job = api.want(201, "POST", "/v1/jobs", TRAINING)["id"]
    four = goes_on(api, job, 1, 4)
    scale(api, job, 2)
    two = goes_on(api, job, 2, 2)
    assert devices(two) < devices(four)
    scale(api, job, 4)
    again = goes_on(api, job, 3, 4)
    assert [one["number"] for one in again["workers"]] == [0, 1, 4, 5]

    said = output(api, job, 0)
    left = [int(step) for step in re.findall(r"leaving the gang of \d after step (\d+)", said)]
    resumed = [int(step) for step in re.findall(r"resuming from step (\d+), saved by attempt 1", said)]
    assert len(left) == 2
    assert resumed == left, "not a step is lost or taken twice"
    assert re.findall(r"^rank 0 of (\d) on", said, re.MULTILINE) == ["4", "2", "4"]
    losses = reported(api, job)
    for step in left:
        before = losses[max(known for known in losses if known <= step)]
        after = losses[min(known for known in losses if known > step)]
        assert after < before + CLOSE
        assert after < losses[min(losses)] - CLOSE, "it does not begin anew"
    assert "leaves: its gang goes on with 2, as generation 2" in output(api, job, 2)
    assert f"resuming from step {left[1]}" not in output(api, job, 2)

    after = cancelled(api, job)
    assert (after["state"], len(after["attempts"])) == ("cancelled", 1)


def test_a_worker_that_is_killed_on_the_way_costs_no_more_than_what_was_done_since_the_checkpoint(
    server: ServerProcess, api: Api
) -> None:
    body = {**TRAINING, "name": "killed", "checkpoint_interval_s": 1}
    job = api.want(201, "POST", "/v1/jobs", body)["id"]
    goes_on(api, job, 1, 4)
    eventually(lambda: latest(api, job)["checkpoint"], within_s=60)
    os.kill(child_of(server, f"{job}-g0-a1", 1), signal.SIGSTOP)
    scale(api, job, 2)
    eventually(lambda: latest(api, job)["generation"] == 2, within_s=60)
    os.kill(child_of(server, f"{job}-g0-a1", 1), signal.SIGKILL)
    eventually(lambda: len(shown(api, job)["attempts"]) == 2, within_s=120)
    assert shown(api, job)["attempts"][0]["stop_reason"] in ("resize-failed", "worker-failed")
    goes_on(api, job, 1, 2)
    assert re.search(r"resuming from step \d+, saved by attempt 1", output(api, job, 0))
    assert cancelled(api, job)["state"] == "cancelled"


def test_an_urgent_job_gets_workers_of_a_training_which_goes_on_with_the_others(
    server: ServerProcess, api: Api
) -> None:
    body = {**TRAINING, "name": "generous", "chips": "metax-c500-pcie", "workers": {"min": 2, "max": 4}}
    job = api.want(201, "POST", "/v1/jobs", body)["id"]
    four = goes_on(api, job, 1, 4)
    urgent = {"name": "urgent", "chips": "metax-c500-pcie", "workers": 1, "devices_per_worker": 2, "priority": 5}
    name = api.want(201, "POST", "/v1/jobs", {**urgent, "command": ["sh", "-c", "sleep 1"]})["id"]
    two = goes_on(api, job, 2, 2)
    assert devices(two) < devices(four)
    after = eventually(lambda: found if (found := shown(api, name))["state"] in FINAL else None, within_s=120)
    assert after["state"] == "succeeded"
    assert devices(after["attempts"][0]) == devices(four) - devices(two)
    left = [int(step) for step in re.findall(r"leaving the gang of 4 after step (\d+)", output(api, job, 0))]
    assert re.findall(r"resuming from step (\d+), saved by attempt 1", output(api, job, 0)) == [str(left[0])]
    assert cancelled(api, job)["state"] == "cancelled"
    with EventReader(server.address, f"/v1/jobs/{job}/events", server.tenant("elastic")) as reader:
        told = [event.data["data"] for event in reader.read(EVERYTHING) if event.kind == "group-resized"]
    given = told[0]["given_to"]
    assert (given["beneficiary"], given["cause"], given["devices_milli"]) == (name, "priority", 2_000)


def test_a_server_that_is_killed_on_the_way_goes_on_and_who_is_cancelled_on_the_way_leaves_nothing(
    server: ServerProcess,
) -> None:
    token = server.tenant("elastic")
    with Api(server.address, token) as api:
        job = api.want(201, "POST", "/v1/jobs", {**TRAINING, "name": "restarted", "grace_s": 2})["id"]
        goes_on(api, job, 1, 4)
        held_up = child_of(server, f"{job}-g0-a1", 1)
        os.kill(held_up, signal.SIGSTOP)
        scale(api, job, 2)
        eventually(lambda: latest(api, job)["is_resizing"], within_s=60)
    server.kill()
    server.start()
    os.kill(held_up, signal.SIGCONT)
    with Api(server.address, token) as api:
        goes_on(api, job, 2, 2)
        ends_on_the_way(api, job, held_up)


def ends_on_the_way(api: Api, job: str, held_up: int) -> None:
    os.kill(held_up, signal.SIGSTOP)
    scale(api, job, 4)
    eventually(lambda: latest(api, job)["generation"] == 3, within_s=60)
    after = cancelled(api, job)
    assert (after["state"], len(after["attempts"])) == ("cancelled", 1)
    pools = api.want(200, "GET", "/v1/pools")["items"]
    assert sum(pool["devices_held"] for pool in pools) == 0
