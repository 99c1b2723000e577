"""Jobs over HTTP: submitted once, listed in pages, explained, cancelled."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from scheduler.adapters.memory.fake_worker import Behaviour
from scheduler.core.model.tenant import Quota, Role
from tests.builders.api import JOB, ApiWorld
from tests.builders.eventually import eventually

WHOLE_NODE: dict[str, Any] = {"workers": 1, "devices_per_worker": 8}


@contextmanager
def scheduler_that_steps_once(world: ApiWorld) -> Iterator[None]:
    """Step in another thread as soon as a job is there."""

    def step() -> None:
        eventually(lambda: world.rows()["jobs"], within_s=60)
        world.step()

    thread = threading.Thread(target=step)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_a_submitted_job_is_there_as_it_was_asked_for(world: ApiWorld) -> None:
    client = world.client()
    asked = {**JOB, "labels": {"team": "vision"}, "environment": {"A": "1"}, "retries": 2}
    answer = client.post("/v1/jobs", json=asked)
    job = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert (job["state"], job["tenant"], job["submitted_by"]) == ("queued", "demo", "token:submitter-of-demo")
    assert {name: job["spec"][name] for name in asked} == asked
    assert job["spec"]["cpu_milli"] == 1000
    assert client.get(answer.headers["location"]).json()["spec"] == job["spec"]


def test_what_is_shown_of_a_job_can_be_submitted_again(world: ApiWorld) -> None:
    client = world.client()
    for asked in (JOB, {"name": "m", "chips": {"h100-sxm": 1, "mi300x": 1}}, {**JOB, "chips": ["mi300x", "h100-sxm"]}):
        spec = client.post("/v1/jobs", json=asked).json()["spec"]
        again = client.post("/v1/jobs", json=spec)
        assert again.status_code == 201
        assert again.json()["spec"] == spec


def test_the_same_key_and_body_name_the_same_job(world: ApiWorld) -> None:
    client = world.client()
    key = {"Idempotency-Key": "nightly 2026-01-01"}
    first = client.post("/v1/jobs", json=dict(JOB), headers=key)
    before = world.rows()
    again = client.post("/v1/jobs", json={**JOB, "retries": 0, "labels": {}}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert world.rows() == before


def test_the_same_key_with_another_body_is_refused(world: ApiWorld) -> None:
    client = world.client()
    key = {"Idempotency-Key": "nightly"}
    client.post("/v1/jobs", json=dict(JOB), headers=key)
    before = world.rows()
    answer = client.post("/v1/jobs", json={**JOB, "retries": 1}, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
    assert world.rows() == before


def test_a_key_belongs_to_its_tenant(world: ApiWorld) -> None:
    key = {"Idempotency-Key": "nightly"}
    ids = {
        world.client(Role.SUBMITTER, tenant).post("/v1/jobs", json=dict(JOB), headers=key).json()["id"]
        for tenant in ("demo", "beta")
    }
    assert len(ids) == 2


def test_a_submission_can_wait_until_it_is_placed(world: ApiWorld) -> None:
    client = world.client()
    with scheduler_that_steps_once(world):
        answer = client.post("/v1/jobs?wait=placed&wait_s=20", json=dict(JOB))
    assert answer.status_code == 201
    assert answer.json()["state"] != "queued"
    assert answer.json()["attempts"][0]["workers"][0]["why"].startswith("tightest fit")


def test_a_submission_that_is_decided_to_wait_is_answered_at_once(world: ApiWorld) -> None:
    world.submit("beta", workers=2, devices_per_worker=8)
    world.step()

    def decide() -> None:
        eventually(lambda: world.rows()["jobs"] == 2, within_s=60)
        world.context.followed.mark_decided(world.storage.views.last_change())
        world.context.wake_up.notify()

    thread = threading.Thread(target=decide)
    thread.start()
    began_s = time.monotonic()
    answer = world.client().post("/v1/jobs?wait=placed&wait_s=30", json={**JOB, **WHOLE_NODE})
    thread.join()
    assert time.monotonic() - began_s < 20
    assert answer.json()["reasons"][0]["code"] == "too-few-free"


def test_a_submission_that_waited_in_vain_says_why(world: ApiWorld) -> None:
    world.submit("beta", workers=2, devices_per_worker=8)
    world.step()
    answer = world.client().post("/v1/jobs?wait=placed&wait_s=0.1", json={**JOB, **WHOLE_NODE})
    assert answer.status_code == 201
    assert answer.json()["state"] == "queued"
    assert answer.json()["reasons"][0]["text"].endswith("16 are held by tenant beta")


def test_jobs_are_listed_newest_first_in_pages(world: ApiWorld) -> None:
    client = world.client()
    submitted = [world.submit(name=f"job-{number}") for number in range(5)]
    seen: list[str] = []
    cursor = ""
    for want_count in (2, 2, 1):
        page = client.get(f"/v1/jobs?limit=2{cursor}").json()
        assert len(page["items"]) == want_count
        seen += [job["id"] for job in page["items"]]
        cursor = f"&cursor={page['next']}"
    assert page["next"] is None
    assert seen == submitted[::-1]


@pytest.mark.parametrize(
    ("query", "want"),
    [
        ("state=queued", {"vision", "text"}),
        ("state=running&state=queued", {"vision", "text", "placed"}),
        ("state=failed", set()),
        ("name=vision", {"vision"}),
        ("chip=mi300x", {"text"}),
        ("label=team:b", {"text"}),
        ("submitted_by=token:submitter-of-demo", {"vision", "text", "placed"}),
        ("submitted_by=somebody", set()),
        ("tenant=demo", {"vision", "text", "placed"}),
        ("tenant=beta", set()),
    ],
)
def test_a_list_can_be_narrowed(world: ApiWorld, query: str, want: set[str]) -> None:
    world.submit(name="placed")
    world.step()
    world.submit(name="vision", labels={"team": "a"})
    world.submit(name="text", labels={"team": "b"}, chips=["h100-sxm", "mi300x"])
    world.submit("beta", name="foreign")
    assert {job["name"] for job in world.client().get(f"/v1/jobs?{query}").json()["items"]} == want


def test_an_operator_sees_every_tenants_jobs_or_one_tenants(world: ApiWorld) -> None:
    mine, theirs = world.submit("demo"), world.submit("beta")
    client = world.client(Role.OPERATOR)
    assert [job["id"] for job in client.get("/v1/jobs").json()["items"]] == [theirs, mine]
    assert [job["id"] for job in client.get("/v1/jobs?tenant=demo").json()["items"]] == [mine]


def test_a_waiting_job_is_explained_with_numbers(world: ApiWorld) -> None:
    world.submit("beta", **WHOLE_NODE)
    world.submit("demo", workers=1, devices_per_worker=6)
    world.step()
    job = world.submit("demo", workers=2, devices_per_worker=8)
    why = world.client().get(f"/v1/jobs/{job}/why").json()
    want = (
        "needs 2 workers, each with 8 free h100-sxm on one node; none fits now, 2 devices are free; "
        "8 are held by tenant beta and 6 by you"
    )
    assert (why["state"], why["position"], why["ahead"]) == ("queued", 1, 0)
    assert why["text"] == f"It waits, 1st in the queue: {want}; {why['estimate']['text']}."
    reason = why["reasons"][0]
    assert (reason["code"], reason["workers_fit"], reason["devices_free"]) == ("too-few-free", 0, 2)
    assert reason["holders"] == [{"tenant": "beta", "devices": 8}, {"tenant": "demo", "devices": 6}]
    assert why["change"] == world.storage.views.last_change()
    assert why["next"]
    listed = world.client().get("/v1/jobs?state=queued").json()["items"][0]
    assert listed["reasons"] == why["reasons"]


def test_a_quota_that_is_in_the_way_is_named(world: ApiWorld) -> None:
    world.storage.directory.set_quota(Quota("demo", "h100-sxm", 4), world.context.clock.now())
    job = world.submit(**WHOLE_NODE)
    why = world.client().get(f"/v1/jobs/{job}/why").json()
    assert [reason["code"] for reason in why["reasons"]] == ["quota-exceeded"]
    assert "your quota for h100-sxm is 4 devices" in why["text"]
    assert why["next"].startswith("ask for at most 4 devices")


def test_a_job_that_can_never_run_is_refused_with_what_would_fit(world: ApiWorld) -> None:
    job = world.submit(workers=1, devices_per_worker=9)
    world.step()
    client = world.client()
    why = client.get(f"/v1/jobs/{job}/why").json()
    assert why["state"] == "failed"
    assert [reason["code"] for reason in why["reasons"]] == ["never-fits"]
    assert "with 8 devices per worker" in why["next"]
    assert client.get(f"/v1/jobs/{job}").json()["reasons"] == why["reasons"]


def test_a_running_job_shows_where_each_worker_is(world: ApiWorld) -> None:
    job = world.submit(workers=2, devices_per_worker=4)
    world.step()
    world.step()
    shown = world.client().get(f"/v1/jobs/{job}").json()
    assert shown["state"] == "running"
    attempt = shown["attempts"][0]
    assert attempt["id"] == f"{job}-g0-a1"
    assert [worker["rank"] for worker in attempt["workers"]] == [0, 1]
    assert {worker["phase"] for worker in attempt["workers"]} == {"running"}
    assert sorted(slot for worker in attempt["workers"] for slot in worker["devices"]) == list(range(8))
    assert "It has run since" in world.client().get(f"/v1/jobs/{job}/why").json()["text"]


def test_a_failed_job_says_why_it_stopped(world: ApiWorld) -> None:
    world.behaviours[0] = Behaviour(runs_s=0, exit_code=3)
    job = world.submit(workers=1)
    for _ in range(4):
        world.step()
    shown = world.client().get(f"/v1/jobs/{job}").json()
    assert shown["state"] == "failed"
    assert shown["stop"]["reason"] == "worker-failed"
    assert shown["attempts"][0]["workers"][0]["exit_code"] == 3
    why = world.client().get(f"/v1/jobs/{job}/why").json()
    assert why["text"].startswith("It failed: a worker ended with an exit code other than 0")
    assert "medley logs" in why["next"]


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_stopped(world: ApiWorld) -> None:
    client = world.client()
    waiting = world.submit()
    assert client.post(f"/v1/jobs/{waiting}/cancel").json()["state"] == "cancelled"
    assert client.post(f"/v1/jobs/{waiting}/cancel").json()["state"] == "cancelled"

    running = world.submit()
    world.step()
    stopping = client.post(f"/v1/jobs/{running}/cancel").json()
    assert (stopping["state"], stopping["wish"], stopping["stop"]["reason"]) == ("stopping", "stop", "cancelled")


def test_an_operator_cancels_any_tenants_job(world: ApiWorld) -> None:
    job = world.submit("beta")
    answer = world.client(Role.OPERATOR).post(f"/v1/jobs/{job}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")


def test_every_waiting_job_of_a_list_says_why_it_waits(world: ApiWorld) -> None:
    client = world.client()
    for _ in range(30):
        assert client.post("/v1/jobs", json={**JOB, "workers": 1000}).status_code == 201
    listed = client.get("/v1/jobs?limit=200").json()["items"]
    assert len(listed) == 30
    assert all(job["state"] == "queued" and job["reasons"] for job in listed)
