"""Arrays of jobs over HTTP: one submission for many, shown and ended as one."""

from typing import Any

import pytest

from api.schemas.editing.jobs import JobsRequest
from scheduler.core.model.tenant import Role
from tests.builders.api import JOB, ApiWorld

ARRAY = {**JOB, "name": "sweep", "array": {"count": 5, "most_at_once": 2}}
RUNS = ("placed", "starting", "running")


def submit(world: ApiWorld, **changes: Any) -> dict[str, Any]:
    answer = world.client().post("/v1/jobs", json={**ARRAY, **changes})
    assert answer.status_code == 201, answer.json()
    first: dict[str, Any] = answer.json()
    return first


def members(world: ApiWorld, array: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = world.client().get("/v1/jobs", params={"array": array}).json()["items"]
    return items[::-1]


def test_one_submission_makes_jobs_that_know_their_numbers(world: ApiWorld) -> None:
    first = submit(world)
    array = first["array"]
    assert (first["name"], array["name"], array["index"], array["count"]) == ("sweep-0", "sweep", 0, 5)
    jobs = members(world, array["id"])
    assert [job["name"] for job in jobs] == [f"sweep-{index}" for index in range(5)]
    assert [job["array"] for job in jobs] == [{**array, "index": index} for index in range(5)]
    assert jobs[0]["id"] == first["id"]
    rows = world.client().get("/v1/jobs/rows", params={"array": array["id"]}).json()["items"]
    assert [row["array"] for row in rows] == [array["id"]] * 5


def test_so_many_run_at_once_and_the_others_say_why_they_wait(world: ApiWorld) -> None:
    array = submit(world)["array"]["id"]
    for _ in range(3):
        world.step()
    jobs = members(world, array)
    assert [job["state"] in RUNS for job in jobs] == [True, True, False, False, False]
    why = world.client().get(f"/v1/jobs/{jobs[2]['id']}/why").json()
    told = {"code": "array-is-full", "array": array, "most_at_once": 2}
    assert why["reasons"][0] == {**told, "text": "its array runs 2 at once, and so many run"}
    assert why["next"] == f"wait until one of them ends: `medley ls --array {array}`"
    world.client().post(f"/v1/jobs/{jobs[0]['id']}/cancel")
    for _ in range(4):
        world.step()
    states = [job["state"] for job in members(world, array)]
    assert (states[0], states[2] in RUNS, states[3:]) == ("cancelled", True, ["queued", "queued"])


def test_an_array_is_shown_as_a_whole(world: ApiWorld) -> None:
    first, single = submit(world), world.submit()
    shown = world.client().get(f"/v1/arrays/{first['array']['id']}").json()
    assert (shown["name"], shown["count"], shown["most_at_once"]) == ("sweep", 5, 2)
    assert shown["states"] == {"queued": 5}
    submit(world, name="other")
    listed = world.client().get("/v1/arrays", params={"limit": 1}).json()
    assert [one["name"] for one in listed["items"]] == ["other"]
    following = world.client().get("/v1/arrays", params={"cursor": listed["next"]}).json()
    assert following == {"items": [shown], "next": None}
    assert world.client().get("/v1/arrays", params={"name": "sweep"}).json()["items"] == [shown]
    assert world.client().get("/v1/arrays", params={"state": "running"}).json()["items"] == []
    short = world.client().get("/v1/arrays", params={"name": "sweep", "fields": "id,states"}).json()["items"]
    assert short == [{"id": shown["id"], "states": shown["states"]}]
    alone = world.client().get("/v1/jobs", params={"in_array": "false"}).json()["items"]
    assert [job["id"] for job in alone] == [single]


def test_an_array_ends_by_one_request(world: ApiWorld) -> None:
    array = submit(world)["array"]["id"]
    submit(world, name="other")
    ended = world.client().post("/v1/jobs/cancel", json={"filter": {"array": array}}).json()
    assert [one["outcome"] for one in ended["items"]] == ["cancelled"] * 5
    assert world.client().get(f"/v1/arrays/{array}").json()["states"] == {"cancelled": 5}
    assert len(world.client().get("/v1/jobs", params={"state": "queued"}).json()["items"]) == 5


def test_another_tenants_array_is_nobodys(world: ApiWorld) -> None:
    array = submit(world)["array"]["id"]
    client = world.client(Role.SUBMITTER, "beta")
    assert client.get(f"/v1/arrays/{array}").status_code == client.get(f"/v1/arrays/{'0' * 16}").status_code == 404
    for path, params in (("/v1/arrays", {}), ("/v1/arrays", {"tenant": "demo"}), ("/v1/jobs", {"array": array})):
        assert client.get(path, params=params).json()["items"] == []
    assert client.post("/v1/jobs/cancel", json={"filter": {"array": array}}).json()["items"] == []
    assert world.client(Role.OPERATOR).get(f"/v1/arrays/{array}").json()["tenant"] == "demo"


def test_the_same_key_names_the_same_array(world: ApiWorld) -> None:
    client, headers = world.client(), {"Idempotency-Key": "sweep of today"}
    made, again = (client.post("/v1/jobs", json=ARRAY, headers=headers) for _ in range(2))
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json()["array"] == made.json()["array"]
    assert len(members(world, made.json()["array"]["id"])) == 5
    smaller = client.post("/v1/jobs", json={**ARRAY, "array": {"count": 4}}, headers=headers)
    assert (smaller.status_code, smaller.json()["code"]) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"array": {"count": 1_000_000}}, "/array/count", "10000"),
        ({"array": {"count": 0}}, "/array/count", "1"),
        ({"array": {"count": 2, "most_at_once": 0}}, "/array/most_at_once", "1"),
        ({"array": {}}, "/array/count", ""),
        ({"array": 5}, "/array", ""),
        ({"array": {"count": 2, "step": 2}}, "/array/step", ""),
        ({"kind": "inference"}, "/array", "is for trainings"),
        ({"name": "s" * 61, "array": {"count": 11}}, "/name", "at most 63 characters"),
    ],
)
def test_what_is_no_array_is_refused_at_once_and_says_why(
    world: ApiWorld, changes: dict[str, Any], pointer: str, said: str
) -> None:
    refused = world.client().post("/v1/jobs", json={**ARRAY, **changes})
    assert refused.status_code == 422, refused.json()
    errors = {error["pointer"]: error["detail"] for error in refused.json()["errors"]}
    assert said in errors[pointer]
    assert world.rows()["jobs"] == 0


def test_a_name_may_be_as_long_as_the_last_number_lets_it(world: ApiWorld) -> None:
    submit(world, name="s" * 61, array={"count": 10})
    assert world.rows()["jobs"] == 10


def test_an_array_that_is_more_than_a_tenant_may_have_is_told_how_much_is_left(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("submit_job", "jobs.submit_array", "questions.try_job"):
        monkeypatch.setattr(f"scheduler.services.{module}.MOST_LIVE_JOBS", 7)
    submit(world)
    refused = world.client().post("/v1/jobs", json=ARRAY).json()
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("too-many-jobs", "/array/count")
    assert "2 of them are left to yours: the array has 5" in refused["detail"]
    asked = world.client().post("/v1/jobs/dry-run", json=ARRAY)
    assert (asked.status_code, asked.json()["code"]) == (refused["status"], "too-many-jobs")
    assert "unfinished jobs" in asked.json()["detail"]
    assert world.client().post("/v1/jobs/dry-run", json={**ARRAY, "array": {"count": 2}}).status_code == 200
    assert world.rows()["jobs"] == 5


def test_an_array_of_a_chip_that_nobody_has_is_refused_whole(world: ApiWorld) -> None:
    refused = world.client().post("/v1/jobs", json={**ARRAY, "chips": "h100-smx"})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown-chip")
    assert world.rows()["jobs"] == 0


def test_an_array_is_a_submission_of_its_own(world: ApiWorld) -> None:
    body = {"jobs": [JOB, ARRAY]}
    JobsRequest.model_validate(body)
    refused = world.client().post("/v1/jobs/bulk", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/jobs/1/array")
    assert world.rows()["jobs"] == 0


def test_a_clone_of_a_member_is_one_job_unless_an_array_is_asked_for(world: ApiWorld) -> None:
    first, client = submit(world), world.client()
    alone = client.post(f"/v1/jobs/{first['id']}/clone", json={}).json()
    assert (alone["name"], alone["array"]) == ("sweep-0", None)
    many = {"overrides": {"name": "again", "array": {"count": 3}}}
    made = client.post(f"/v1/jobs/{first['id']}/clone", json=many).json()
    assert (made["name"], made["array"]["count"], made["array"]["most_at_once"]) == ("again-0", 3, None)


def test_a_question_about_an_array_is_about_its_first_job(world: ApiWorld) -> None:
    tried = world.client().post("/v1/jobs/dry-run", json=ARRAY).json()
    assert (tried["outcome"], world.rows()["jobs"]) == ("placed", 0)


def test_an_array_is_one_entry_of_the_trail(world: ApiWorld) -> None:
    submit(world, array={"count": 100})
    entries = world.client(Role.OPERATOR).get("/v1/audit", params={"operation": "submit_job"}).json()["items"]
    assert [(entry["after"]["members"], entry["after"]["name"]) for entry in entries] == [(100, "sweep-0")]


def test_the_answer_may_wait_until_the_array_is_decided_on(world: ApiWorld) -> None:
    assert submit(world, array={"count": 1})["array"]["count"] == 1
    answer = world.client().post("/v1/jobs", json=ARRAY, params={"wait": "placed", "wait_s": 0})
    assert (answer.status_code, answer.json()["array"]["index"]) == (201, 0)
