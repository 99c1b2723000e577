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


def submit_array(world: ApiWorld, count: int = 3) -> str:
    made = world.client().post("/v1/jobs", json={**JOB, "name": "sweep", "array": {"count": count}}).json()
    return str(made["array"]["id"])


def cancel_members(world: ApiWorld, array: str, *, but: int = 0) -> None:
    found = world.client().get("/v1/jobs", params={"array": array}).json()["items"]
    for member in found[but:]:
        world.client().post(f"/v1/jobs/{member['id']}/cancel")
    for _ in range(3):
        world.step()
    world.context.followed.follow()


def test_a_job_waits_for_all_of_an_array_and_says_how_many_are_over(world: ApiWorld) -> None:
    client, array = world.client(), submit_array(world)
    later = world.submit(after=[{"array": array, "condition": "ended"}])
    cancel_members(world, array, but=1)
    why = client.get(f"/v1/jobs/{later}/why").json()
    told = {"code": "waits-for-array", "array": array, "condition": "ended", "ended": 2, "jobs": 3}
    text = f"all jobs of array {array} must end first, and 2 of 3 are over"
    assert (why["reasons"], why["next"]) == (
        [{**told, "text": text}],
        f"wait, or see how that one stands: `medley show {array}`",
    )
    assert client.get(f"/v1/jobs/{later}").json()["spec"]["after"] == [{"array": array, "condition": "ended"}]
    cancel_members(world, array)
    assert client.get(f"/v1/jobs/{later}").json()["state"] in ("placed", "starting", "running")


def test_a_job_fails_once_an_array_that_was_to_succeed_is_over_and_did_not(world: ApiWorld) -> None:
    client, array = world.client(), submit_array(world)
    later = world.submit(after=[{"array": array}])
    cancel_members(world, array, but=1)
    assert client.get(f"/v1/jobs/{later}").json()["state"] == "queued"
    cancel_members(world, array)
    failed = client.get(f"/v1/jobs/{later}").json()
    assert (failed["state"], len(failed["reasons"])) == ("failed", 1)
    reason = failed["reasons"][0]
    named = [reason[key] for key in ("code", "job", "array", "became")]
    assert named == ["cannot-follow", None, array, "cancelled"]


def test_an_array_comes_after_an_array_and_its_clones_do(world: ApiWorld) -> None:
    client, first = world.client(), submit_array(world)
    second = {**JOB, "name": "second", "array": {"count": 2}, "after": [{"array": first, "condition": "ended"}]}
    made = client.post("/v1/jobs", json=second).json()
    world.step()
    assert client.get(f"/v1/arrays/{made['array']['id']}").json()["states"] == {"queued": 2}
    clone = client.post(f"/v1/jobs/{made['id']}/clone", json={}).json()
    assert clone["spec"]["after"] == [{"array": first, "condition": "ended"}]
    cancel_members(world, first)
    assert "queued" not in client.get(f"/v1/arrays/{made['array']['id']}").json()["states"]


def test_an_array_that_nobody_knows_is_pointed_to_and_one_thing_is_named_at_a_time(world: ApiWorld) -> None:
    client, array, job = world.client(), submit_array(world), world.submit()
    for route in ("/v1/jobs", "/v1/jobs/dry-run"):
        refused = client.post(route, json={**JOB, "after": [{"array": array}, {"array": job}]})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown-reference")
        assert refused.json()["errors"][0]["pointer"] == "/after/1/array"
    wrong: tuple[Any, ...] = (
        [{"array": array, "job": job}],
        [{"array": "sweep"}],
        [{"array": array}, {"array": array, "condition": "ended"}],
        [{"condition": "ended"}],
    )
    for after in wrong:
        assert client.post("/v1/jobs", json={**JOB, "after": after}).status_code == 422


def test_a_question_is_told_how_an_array_stands(world: ApiWorld) -> None:
    client, array = world.client(), submit_array(world)
    asked = {**JOB, "after": [{"array": array}]}
    waits = client.post("/v1/jobs/dry-run", json=asked).json()
    assert (waits["outcome"], waits["reasons"][0]["code"]) == ("waits", "waits-for-array")
    cancel_members(world, array)
    refused = client.post("/v1/jobs/dry-run", json=asked).json()
    assert (refused["outcome"], refused["reasons"][0]["array"]) == ("refused", array)
