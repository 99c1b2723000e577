"""Jobs that come after others over HTTP."""

from typing import Any

import pytest

from scheduler.core.model.tenant import Role
from tests.builders.api import JOB, ApiWorld


def test_a_job_waits_for_another_and_says_so_until_its_end(world: ApiWorld) -> None:
    client = world.client()
    first = world.submit()
    later = world.submit(after=[{"job": first, "condition": "ended"}])
    world.step()
    world.context.followed.follow()
    why = client.get(f"/v1/jobs/{later}/why").json()
    told = {"code": "waits-for-job", "job": first, "condition": "ended"}
    assert why["reasons"] == [{**told, "text": f"job {first} must end first"}]
    assert client.get(f"/v1/jobs/{later}").json()["spec"]["after"] == [{"job": first, "condition": "ended"}]
    assert client.get(f"/v1/jobs/{first}").json()["state"] != "queued"
    client.post(f"/v1/jobs/{first}/cancel")
    for _ in range(3):
        world.step()
    assert client.get(f"/v1/jobs/{first}").json()["state"] == "cancelled"
    assert client.get(f"/v1/jobs/{later}").json()["state"] in ("placed", "starting", "running")


def test_a_whole_chain_fails_with_its_reasons_once_its_first_job_did_not_succeed(world: ApiWorld) -> None:
    client = world.client()
    jobs = [world.submit()]
    for _ in range(2):
        jobs.append(world.submit(after=[{"job": jobs[-1]}]))
    client.post(f"/v1/jobs/{jobs[0]}/cancel")
    for _ in range(3):
        world.step()
    second, third = (client.get(f"/v1/jobs/{job}").json() for job in jobs[1:])
    assert (second["state"], third["state"]) == ("failed", "failed")
    assert [(one["code"], one["job"], one["became"]) for one in second["reasons"]] == [
        ("cannot-follow", jobs[0], "cancelled")
    ]
    assert "was to succeed first, and failed" in third["reasons"][0]["text"]
    assert client.get(f"/v1/jobs/{jobs[1]}/why").json()["next"]


def test_who_waits_is_cancelled_like_any_other(world: ApiWorld) -> None:
    first = world.submit()
    later = world.submit(after=[{"job": first}])
    assert world.client().post(f"/v1/jobs/{later}/cancel").json()["state"] == "cancelled"


@pytest.mark.parametrize("route", ["/v1/jobs", "/v1/jobs/bulk"])
def test_a_job_that_nobody_knows_is_pointed_to(world: ApiWorld, route: str) -> None:
    known, foreign = world.submit(), world.submit("beta")
    for unknown in (foreign, "0" * 16):
        job = {**JOB, "after": [{"job": known}, {"job": unknown}]}
        body, pointer = (job, "/after/1/job") if route == "/v1/jobs" else ({"jobs": [JOB, job]}, "/jobs/1/after/1/job")
        refused = world.client(Role.SUBMITTER).post(route, json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown-reference")
        assert refused.json()["errors"][0]["pointer"] == pointer


def test_what_cannot_be_waited_for_is_refused(world: ApiWorld) -> None:
    known = world.submit()
    wrong: tuple[Any, ...] = (
        [{"job": "x"}],
        [{"job": known, "condition": "failed"}],
        [{"job": known}, {"job": known, "condition": "ended"}],
        [{"job": known}] * 17,
        [{}],
        known,
    )
    for after in wrong:
        assert world.client().post("/v1/jobs", json={**JOB, "after": after}).status_code == 422


def test_a_clone_waits_for_the_same_jobs(world: ApiWorld) -> None:
    first = world.submit()
    later = world.submit(after=[{"job": first}])
    made = world.client().post(f"/v1/jobs/{later}/clone", json={}).json()
    assert made["spec"]["after"] == [{"job": first, "condition": "succeeded"}]
    free = world.client().post(f"/v1/jobs/{later}/clone", json={"overrides": {"after": []}}).json()
    assert free["spec"]["after"] == []


def test_a_question_is_told_what_it_would_wait_for(world: ApiWorld) -> None:
    client, first = world.client(), world.submit()
    asked = {**JOB, "after": [{"job": first}]}
    waits = client.post("/v1/jobs/dry-run", json=asked).json()
    assert (waits["outcome"], waits["reasons"][0]["code"]) == ("waits", "waits-for-job")
    client.post(f"/v1/jobs/{first}/cancel")
    refused = client.post("/v1/jobs/dry-run", json=asked).json()
    assert (refused["outcome"], refused["reasons"][0]["code"]) == ("refused", "cannot-follow")
    anyway = {**JOB, "after": [{"job": first, "condition": "ended"}]}
    assert client.post("/v1/jobs/dry-run", json=anyway).json()["outcome"] == "placed"
    unknown = client.post("/v1/jobs/dry-run", json={**JOB, "after": [{"job": "0" * 16}]})
    assert unknown.json()["errors"][0]["pointer"] == "/after/0/job"
