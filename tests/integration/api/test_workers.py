"""What workers tell the API and ask of it."""

import threading

import pytest
from starlette.testclient import TestClient

from scheduler.core.model.tenant import Role
from tests.builders.api import ApiWorld
from tests.builders.eventually import eventually


@pytest.fixture
def attempt(world: ApiWorld) -> str:
    job = world.submit()
    world.step()
    return f"{job}-g0-a1"


@pytest.fixture
def worker(world: ApiWorld, attempt: str) -> TestClient:
    return world.bearer(world.context.attempt_tokens.mint(attempt, 1))


def test_rank_0_registers_and_the_others_find_it(worker: TestClient, attempt: str) -> None:
    path = f"/v1/attempts/{attempt}/rendezvous"
    answer = worker.get(f"{path}?generation=1")
    assert (answer.status_code, answer.json()["code"]) == (404, "rendezvous-not-ready")
    assert worker.put(path, json={"generation": 1, "address": "127.0.0.1:41234"}).status_code == 204
    assert worker.get(f"{path}?generation=1").json() == {"address": "127.0.0.1:41234"}
    assert worker.put(path, json={"generation": 1, "address": "[::1]:5"}).status_code == 204
    assert worker.get(f"{path}?generation=1").json() == {"address": "[::1]:5"}


def test_a_rank_that_waits_is_answered_when_rank_0_registers(worker: TestClient, attempt: str) -> None:
    path = f"/v1/attempts/{attempt}/rendezvous"
    found: list[int] = []
    waiting = threading.Thread(target=lambda: found.append(worker.get(f"{path}?generation=1&wait_s=20").status_code))
    waiting.start()
    worker.put(path, json={"generation": 1, "address": "127.0.0.1:41234"})
    waiting.join(20)
    assert found == [200]


def test_a_rank_that_waits_is_told_when_its_attempt_ends(world: ApiWorld, worker: TestClient, attempt: str) -> None:
    path = f"/v1/attempts/{attempt}/rendezvous"
    found: list[int] = []
    waiting = threading.Thread(target=lambda: found.append(worker.get(f"{path}?generation=1&wait_s=2").status_code))
    waiting.start()
    job = attempt.partition("-")[0]
    world.client().post(f"/v1/jobs/{job}/cancel")
    for _ in range(3):
        world.step()
    waiting.join(20)
    assert found == [409]


def test_progress_is_kept(world: ApiWorld, worker: TestClient, attempt: str) -> None:
    report = {"generation": 1, "step": 10, "steps": 60, "loss": 2.31, "tokens_per_s": 51234.0}
    assert worker.post(f"/v1/attempts/{attempt}/progress", json=report).status_code == 204
    shown = world.client().get(f"/v1/jobs/{attempt.partition('-')[0]}").json()["progress"]
    assert {**shown, "generation": 1, "at": None} == {**report, "at": None}


@pytest.mark.parametrize(
    ("change", "want_pointer"),
    [
        ({"loss": "nan"}, "/loss"),
        ({"loss": 1e300}, "/loss"),
        ({"step": -1}, "/step"),
        ({"steps": 10**12}, "/steps"),
        ({"tokens_per_s": -1.0}, "/tokens_per_s"),
        ({"generation": 0}, "/generation"),
        ({"at": "2026-01-01"}, "/at"),
    ],
)
def test_a_senseless_report_is_refused(
    world: ApiWorld, worker: TestClient, attempt: str, change: dict[str, object], want_pointer: str
) -> None:
    before = world.rows()
    report = {"generation": 1, "step": 10, "steps": 60, "loss": 2.31, "tokens_per_s": 51234.0, **change}
    answer = worker.post(f"/v1/attempts/{attempt}/progress", json=report)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [want_pointer]
    assert world.rows() == before


@pytest.mark.parametrize(
    "address", ["", "nowhere", "a b:1", "127.0.0.1:", "127.0.0.1:999999", "x" * 300 + ":1", "a\u0000:1", "host:1\n"]
)
def test_an_address_that_is_none_is_refused(worker: TestClient, attempt: str, address: str) -> None:
    answer = worker.put(f"/v1/attempts/{attempt}/rendezvous", json={"generation": 1, "address": address})
    assert answer.status_code == 422


def test_workers_of_a_closed_attempt_are_told_to_end(world: ApiWorld, worker: TestClient, attempt: str) -> None:
    world.client().post(f"/v1/jobs/{attempt.partition('-')[0]}/cancel")

    def is_over() -> bool:
        world.step()
        return bool(world.client().get(f"/v1/jobs/{attempt.partition('-')[0]}").json()["state"] == "cancelled")

    eventually(is_over, within_s=60)
    path = f"/v1/attempts/{attempt}"
    report = {"generation": 1, "step": 10, "steps": 60, "loss": 2.31, "tokens_per_s": 51234.0}
    answers = [
        worker.put(f"{path}/rendezvous", json={"generation": 1, "address": "127.0.0.1:1"}),
        worker.get(f"{path}/rendezvous?generation=1&wait_s=20"),
        worker.post(f"{path}/progress", json=report),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "attempt-closed")] * 3


def test_a_token_of_another_server_is_worth_nothing(world: ApiWorld, attempt: str) -> None:
    forged = world.context.attempt_tokens.mint(attempt, 1)[:-1] + "x"
    answer = world.bearer(forged).get(f"/v1/attempts/{attempt}/rendezvous?generation=1")
    assert answer.status_code == 401
    assert world.client(Role.OPERATOR).get(f"/v1/attempts/{attempt}/rendezvous?generation=1").status_code == 401


HEARTBEAT = {
    "generation": 1,
    "reports": 3,
    "memory_mib": 512,
    "device_memory_mib": None,
    "checkpoint_step": 40,
    "progress": {"step": 52, "steps": 60, "loss": None, "tokens_per_s": 5.0},
}


def test_a_heartbeat_is_answered_with_when_the_next_is_wanted_and_shows_in_the_job(
    world: ApiWorld, worker: TestClient, attempt: str
) -> None:
    answer = worker.post(f"/v1/attempts/{attempt}/heartbeat", json=HEARTBEAT)
    assert (answer.status_code, answer.json()) == (200, {"next_s": 0.5, "is_kept": True, "generation": None})
    too_soon = worker.post(f"/v1/attempts/{attempt}/heartbeat", json=HEARTBEAT)
    assert (too_soon.status_code, too_soon.json()["is_kept"]) == (200, False)

    job = attempt.partition("-")[0]
    shown = world.client().get(f"/v1/jobs/{job}").json()
    assert shown["attempts"][-1]["heartbeat"]["memory_mib"] == 512
    assert shown["attempts"][-1]["checkpoint"]["step"] == 40
    assert shown["progress"]["loss"] is None
    resume = {"is_possible": True, "step": 40, "text": "a retry goes on from step 40, which attempt 1 saved"}
    assert shown["resume"] == resume


@pytest.mark.parametrize(
    "changes",
    [
        {"reports": -1},
        {"memory_mib": 1.5},
        {"checkpoint_step": 10**10},
        {"progress": {"step": 1}},
        {"progress": {"step": 1, "steps": 2, "loss": "nan", "tokens_per_s": 0.0}},
        {"more": 1},
    ],
)
def test_a_malformed_heartbeat_is_refused(worker: TestClient, attempt: str, changes: dict[str, object]) -> None:
    answer = worker.post(f"/v1/attempts/{attempt}/heartbeat", json={**HEARTBEAT, **changes})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


def test_a_bare_nan_is_no_json(worker: TestClient, attempt: str) -> None:
    body = '{"generation": 1, "progress": {"step": 1, "steps": 2, "loss": NaN, "tokens_per_s": 0.0}}'
    answer = worker.post(
        f"/v1/attempts/{attempt}/heartbeat", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)


def test_a_job_on_a_cluster_without_storage_says_that_it_cannot_resume(world: ApiWorld, attempt: str) -> None:
    world.cluster.has_checkpoint_storage = False
    shown = world.client().get(f"/v1/jobs/{attempt.partition('-')[0]}").json()
    assert shown["resume"]["is_possible"] is False
    assert "it cannot resume: its cluster has no storage for checkpoints" in shown["resume"]["text"]


def test_heartbeats_of_an_attempt_that_is_over_are_refused(world: ApiWorld, worker: TestClient, attempt: str) -> None:
    world.client().post(f"/v1/jobs/{attempt.partition('-')[0]}/cancel")
    world.step()
    world.step()
    answer = worker.post(f"/v1/attempts/{attempt}/heartbeat", json=HEARTBEAT)
    assert (answer.status_code, answer.json()["code"]) == (409, "attempt-closed")
