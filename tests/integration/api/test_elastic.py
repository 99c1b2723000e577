"""Elastic jobs over the API: another number of workers, and what their workers are told of it."""

import pytest
from starlette.testclient import TestClient

from scheduler.core.model.tenant import Role
from tests.builders.api import ApiWorld
from tests.builders.eventually import eventually

BEAT = {"generation": 1, "reports": 1}


@pytest.fixture
def client(world: ApiWorld) -> TestClient:
    return world.client(Role.SUBMITTER)


@pytest.fixture
def job(world: ApiWorld) -> str:
    """An elastic job that runs with both of its workers."""
    found = world.submit(workers={"min": 1, "max": 2})
    for _ in range(3):
        world.step()
    return found


def worker(world: ApiWorld, job: str, generation: int = 1) -> TestClient:
    return world.bearer(world.context.attempt_tokens.mint(f"{job}-g0-a1", generation))


def test_fewer_workers_are_wanted_by_those_who_read_the_present_number(client: TestClient, job: str) -> None:
    read = client.get(f"/v1/jobs/{job}").headers["ETag"]
    changed = client.patch(f"/v1/jobs/{job}", json={"workers": 1}, headers={"If-Match": read})
    assert (changed.status_code, changed.json()["spec"]["workers"], changed.json()["spec"]["min_workers"]) == (
        200,
        1,
        1,
    )
    late = client.patch(f"/v1/jobs/{job}", json={"workers": 2}, headers={"If-Match": read})
    assert (late.status_code, late.json()["code"]) == (412, "has-changed")


def test_what_a_job_cannot_have_is_refused_with_what_it_can(world: ApiWorld, client: TestClient, job: str) -> None:
    fixed = world.submit()
    answer = client.patch(f"/v1/jobs/{fixed}", json={"workers": 1})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/workers")
    assert "its number of workers is fixed" in answer.json()["detail"]
    for wrong in ({"workers": 0}, {"workers": 1, "priority": 1}, {}):
        assert client.patch(f"/v1/jobs/{job}", json=wrong).status_code == 422


def test_the_workers_are_called_by_the_answer_to_a_heartbeat_and_told_where_they_stand(
    world: ApiWorld, client: TestClient, job: str
) -> None:
    one, path = worker(world, job), f"/v1/attempts/{job}-g0-a1"
    assert one.post(f"{path}/heartbeat", json=BEAT).json()["generation"] is None
    assert one.get(f"{path}/generation").json() == {"generation": 1, "world_size": 2}
    client.patch(f"/v1/jobs/{job}", json={"workers": 1})
    world.step()

    assert one.get(f"{path}/generation").json() == {"generation": 2, "world_size": 1}
    assert one.post(f"{path}/heartbeat", json=BEAT).json()["generation"] == 2
    shown = client.get(f"/v1/jobs/{job}").json()["attempts"][0]
    assert (shown["generation"], shown["is_resizing"], len(shown["workers"])) == (2, True, 1)
    where = {"generation": 2, "address": "127.0.0.1:1"}
    assert one.put(f"{path}/rendezvous", json=where).status_code == 204, "a token is good for later generations"
    met = {**BEAT, "generation": 2}
    eventually(lambda: one.post(f"{path}/heartbeat", json=met).json()["is_kept"], within_s=60)
    stale = {"generation": 1, "step": 1, "steps": 2, "loss": 1.0, "tokens_per_s": 1.0}
    assert one.post(f"{path}/progress", json=stale).status_code == 409, "the gang has met by now"
    late = worker(world, job, 2).post(f"{path}/heartbeat", json=BEAT)
    assert (late.status_code, late.json()["errors"][0]["pointer"]) == (422, "/generation")


def test_a_worker_of_what_is_over_is_told_so(world: ApiWorld, client: TestClient, job: str) -> None:
    client.post(f"/v1/jobs/{job}/cancel")
    for _ in range(3):
        world.step()
    answer = worker(world, job).get(f"/v1/attempts/{job}-g0-a1/generation")
    assert (answer.status_code, answer.json()["code"]) == (409, "attempt-closed")
