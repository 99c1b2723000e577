"""Many jobs at once, priorities and clones over HTTP."""

from typing import Any

import pytest

from scheduler.core.model.tenant import Role
from tests.builders.api import JOB, ApiWorld

KEY = {"Idempotency-Key": "sweep-1"}


def jobs(*names: str, **changes: Any) -> dict[str, Any]:
    return {"jobs": [{**JOB, "name": name, **changes} for name in names]}


def names_of(world: ApiWorld) -> list[str]:
    return [job["name"] for job in world.client().get("/v1/jobs?limit=200").json()["items"]]


def test_many_jobs_are_submitted_together(world: ApiWorld) -> None:
    answer = world.client().post("/v1/jobs/bulk", json=jobs("a", "b", "c"))
    assert answer.status_code == 201, answer.text
    assert [(item["name"], item["state"]) for item in answer.json()["items"]] == [
        (name, "queued") for name in ("a", "b", "c")
    ]
    assert names_of(world) == ["c", "b", "a"]


def test_the_same_key_names_the_same_jobs_and_no_others(world: ApiWorld) -> None:
    client = world.client()
    first = client.post("/v1/jobs/bulk", json=jobs("a", "b"), headers=KEY)
    again = client.post("/v1/jobs/bulk", json=jobs("a", "b"), headers=KEY)
    assert again.json() == first.json()
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    for other in (jobs("a"), jobs("b", "a"), jobs("a", "b", "c")):
        refused = client.post("/v1/jobs/bulk", json=other, headers=KEY)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
        assert refused.json()["errors"][0]["pointer"] == "/header/idempotency-key"
    assert names_of(world) == ["b", "a"]


def test_one_bad_job_keeps_all_out_and_is_pointed_to(world: ApiWorld) -> None:
    body = jobs("a", "b")
    body["jobs"][1]["chips"] = ["h100-sxm", "h100"]
    refused = world.client().post("/v1/jobs/bulk", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown-chip")
    assert refused.json()["errors"][0]["pointer"] == "/jobs/1/chips/1"
    assert "None of the jobs was submitted" in refused.json()["detail"]
    body["jobs"][1] = {**JOB, "workers": 0}
    assert world.client().post("/v1/jobs/bulk", json=body).json()["errors"][0]["pointer"] == "/jobs/1/workers"
    assert names_of(world) == []


@pytest.mark.parametrize("body", [{}, {"jobs": []}, {"jobs": [JOB] * 501}, {"jobs": "all"}])
def test_too_few_and_too_many_jobs_are_refused(world: ApiWorld, body: Any) -> None:
    assert world.client().post("/v1/jobs/bulk", json=body).status_code == 422


def test_named_jobs_are_cancelled_and_each_is_told(world: ApiWorld) -> None:
    running = world.submit(name="running")
    world.step()
    waiting, foreign = world.submit(name="waiting"), world.submit("beta")
    asked = [running, waiting, foreign, "0" * 16, waiting]
    answer = world.client().post("/v1/jobs/cancel", json={"jobs": asked})
    assert answer.status_code == 200, answer.text
    outcomes = {item["id"]: item["outcome"] for item in answer.json()["items"]}
    assert outcomes == {running: "stopping", waiting: "cancelled", foreign: "not-found", "0" * 16: "not-found"}
    again = world.client().post("/v1/jobs/cancel", json={"jobs": [running, waiting]}).json()["items"]
    assert [item["outcome"] for item in again] == ["unchanged", "unchanged"]
    assert world.client(Role.OPERATOR).get(f"/v1/jobs/{foreign}").json()["state"] == "queued"


def test_jobs_are_cancelled_by_filter_in_bounded_steps(world: ApiWorld) -> None:
    client = world.client()
    client.post("/v1/jobs/bulk", json=jobs("a", "b", "c", labels={"sweep": "x"}))
    kept = world.submit(name="kept")
    body: dict[str, Any] = {"filter": {"label": "sweep:x"}, "limit": 2}
    first = client.post("/v1/jobs/cancel", json=body).json()
    assert len(first["items"]) == 2
    second = client.post("/v1/jobs/cancel", json={**body, "cursor": first["next"]}).json()
    assert (len(second["items"]), second["next"]) == (1, None)
    states = {job["name"]: job["state"] for job in client.get("/v1/jobs").json()["items"]}
    assert states == {"a": "cancelled", "b": "cancelled", "c": "cancelled", "kept": "queued"}
    assert client.post("/v1/jobs/cancel", json={"filter": {}}).json()["items"] == [{"id": kept, "outcome": "cancelled"}]


def test_an_operator_says_whose_jobs(world: ApiWorld) -> None:
    mine, theirs = world.submit("demo"), world.submit("beta")
    operator = world.client(Role.OPERATOR)
    refused = operator.post("/v1/jobs/cancel", json={"filter": {}})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/filter/tenant")
    done = operator.post("/v1/jobs/cancel", json={"filter": {"tenant": "beta"}}).json()["items"]
    assert done == [{"id": theirs, "outcome": "cancelled"}]
    assert world.client().post("/v1/jobs/cancel", json={"filter": {"tenant": "beta"}}).json()["items"] == []
    assert world.client().get(f"/v1/jobs/{mine}").json()["state"] == "queued"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"jobs": []},
        {"jobs": ["x"]},
        {"jobs": ["0" * 16], "filter": {}},
        {"jobs": ["0" * 16], "cursor": "abc"},
        {"filter": {"colour": "red"}},
        {"filter": {}, "limit": 1001},
        {"filter": {}, "cursor": "nonsense"},
    ],
)
def test_what_says_not_clearly_which_jobs_is_refused(world: ApiWorld, body: Any) -> None:
    job = world.submit()
    assert world.client().post("/v1/jobs/cancel", json=body).status_code == 422
    assert world.client().get(f"/v1/jobs/{job}").json()["state"] == "queued"


def test_a_priority_is_changed_for_those_who_read_the_present_one(world: ApiWorld) -> None:
    job = world.submit()
    client = world.client()
    read = client.get(f"/v1/jobs/{job}").headers["ETag"]
    changed = client.patch(f"/v1/jobs/{job}", json={"priority": 7}, headers={"If-Match": read})
    assert (changed.status_code, changed.json()["spec"]["priority"]) == (200, 7)
    late = client.patch(f"/v1/jobs/{job}", json={"priority": 8}, headers={"If-Match": read})
    assert (late.status_code, late.json()["code"]) == (412, "has-changed")
    headers = {"If-Match": changed.headers["ETag"]}
    assert client.patch(f"/v1/jobs/{job}", json={"priority": 8}, headers=headers).status_code == 200
    for wrong in ({"priority": 101}, {"priority": -101}, {"priority": "1"}, {}, {"name": "b"}):
        assert client.patch(f"/v1/jobs/{job}", json=wrong).status_code == 422
    client.post(f"/v1/jobs/{job}/cancel")
    over = client.patch(f"/v1/jobs/{job}", json={"priority": 9})
    assert (over.status_code, over.json()["code"], over.json()["detail"]) == (409, "job-over", "The job is cancelled.")
    assert world.client(Role.OPERATOR).patch(f"/v1/jobs/{'0' * 16}", json={"priority": 9}).status_code == 404


def test_a_higher_priority_goes_first(world: ApiWorld) -> None:
    world.submit(chips="h100-sxm", workers=16)
    world.step()
    first, second = (world.submit(chips="h100-sxm", workers=16) for _ in range(2))
    client = world.client()
    world.context.followed.follow()
    assert [client.get(f"/v1/jobs/{job}/why").json()["position"] for job in (first, second)] == [1, 2]
    client.patch(f"/v1/jobs/{second}", json={"priority": 1})
    assert [client.get(f"/v1/jobs/{job}/why").json()["position"] for job in (first, second)] == [2, 1]
