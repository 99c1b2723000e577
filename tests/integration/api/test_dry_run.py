"""What would become of a job: the answer is what a submission gets, and nothing is kept of the question."""

from typing import Any

import pytest

from scheduler.core.model.tenant import Quota, Role
from tests.builders.api import JOB, ApiWorld


def tried(world: ApiWorld, **changes: Any) -> Any:
    answer = world.client().post("/v1/jobs/dry-run", json={**JOB, **changes})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_job_that_fits_is_shown_the_place_it_then_gets(world: ApiWorld) -> None:
    foreseen = tried(world, workers=2, devices_per_worker=3)
    assert foreseen["outcome"] == "placed"
    assert foreseen["text"] == "It would be placed at once, on mixed/h100-sxm-0."
    job = world.submit(workers=2, devices_per_worker=3)
    world.step()
    shown = world.client().get(f"/v1/jobs/{job}").json()
    placed = [(worker["rank"], worker["node"], worker["devices"]) for worker in shown["attempts"][0]["workers"]]
    assert [(worker["rank"], worker["node"], worker["devices"]) for worker in foreseen["workers"]] == placed
    assert [worker["why"] for worker in foreseen["workers"]] == [
        worker["why"] for worker in shown["attempts"][0]["workers"]
    ]
    assert foreseen["spec"] == shown["spec"]


def test_a_job_that_does_not_fit_is_told_what_it_would_be_told(world: ApiWorld) -> None:
    held = world.submit(workers=2, devices_per_worker=8)
    world.step()
    asked: dict[str, Any] = {"workers": 1, "devices_per_worker": 2}
    foreseen = tried(world, **asked)
    assert (foreseen["outcome"], foreseen["workers"], foreseen["position"]) == ("waits", [], 1)
    job = world.submit(**asked)
    why = world.client().get(f"/v1/jobs/{job}/why").json()
    assert why["reasons"] == foreseen["reasons"]
    assert why["reasons"][0]["text"] in foreseen["text"]
    assert foreseen["next"] == why["next"]
    assert held in world.client().get("/v1/jobs").text


SERVER: dict[str, Any] = {"name": "chat", "kind": "inference", "workers": 2, "devices_per_worker": 4}


def test_all_replicas_of_a_server_are_shown_the_places_they_then_get(world: ApiWorld) -> None:
    foreseen = tried(world, **SERVER, replicas=2)
    assert (foreseen["outcome"], foreseen["next"], foreseen["position"]) == ("placed", "submit it", None)
    assert foreseen["text"] == "All 2 replicas would be placed at once, on mixed/h100-sxm-0 and mixed/h100-sxm-1."
    job = world.submit(**SERVER, replicas=2)
    world.step()
    replicas = world.client().get(f"/v1/jobs/{job}/replicas").json()["items"]
    assert foreseen["replicas"] == {"wanted": 2, "placed": 2, "nodes": [replica["nodes"] for replica in replicas]}
    first = world.client().get(f"/v1/jobs/{job}").json()["attempts"][0]["workers"]
    assert [(one["node"], one["devices"]) for one in foreseen["workers"]] == [
        (one["node"], one["devices"]) for one in first
    ]


def test_a_server_is_told_how_many_replicas_start_and_what_the_others_wait_for(world: ApiWorld) -> None:
    foreseen = tried(world, **SERVER, replicas=5)
    assert (foreseen["outcome"], foreseen["position"]) == ("partly", 1)
    assert (foreseen["replicas"]["wanted"], foreseen["replicas"]["placed"]) == (5, 2)
    assert foreseen["text"].startswith(
        "2 of 5 replicas would be placed at once, on mixed/h100-sxm-0 and mixed/h100-sxm-1; "
        "3 more would wait beside them, 1st in the queue: needs 2 workers, each with 4 free h100-sxm"
    )
    assert foreseen["next"] == "submit it, and the others start once there is room; or submit it with 2 replicas"
    job = world.submit(**SERVER, replicas=5)
    for _ in range(2):
        world.step()
    replicas = world.client().get(f"/v1/jobs/{job}/replicas").json()["items"]
    assert [replica["nodes"] for replica in replicas] == [*foreseen["replicas"]["nodes"], [], [], []]
    assert [one["code"] for one in replicas[2]["reasons"]] == [one["code"] for one in foreseen["reasons"]]


def test_a_server_of_which_nothing_fits_waits_and_a_training_has_no_replicas(world: ApiWorld) -> None:
    assert tried(world)["replicas"] is None
    world.submit(workers=4, devices_per_worker=4)
    world.step()
    foreseen = tried(world, **SERVER, replicas=3)
    assert (foreseen["outcome"], foreseen["workers"], foreseen["position"]) == ("waits", [], 1)
    assert foreseen["replicas"] == {"wanted": 3, "placed": 0, "nodes": []}


def test_an_array_is_told_how_many_of_its_jobs_start(world: ApiWorld) -> None:
    assert tried(world)["array"] is None
    foreseen = tried(world, workers=1, devices_per_worker=8, array={"count": 2})
    assert foreseen["text"] == "All 2 jobs would be placed at once, on mixed/h100-sxm-0 and mixed/h100-sxm-1."
    assert (foreseen["outcome"], foreseen["replicas"]) == ("placed", None)
    foreseen = tried(world, workers=1, devices_per_worker=3, array={"count": 10_000})
    assert (foreseen["outcome"], foreseen["position"]) == ("partly", 1)
    assert foreseen["array"] == {"wanted": 10_000, "at_once": 10_000, "tried": 256, "placed": 4}
    assert foreseen["text"].startswith("4 of 10,000 jobs would be placed at once, on mixed/h100-sxm-0 and")
    assert "; 9,996 more would wait beside them, 1st in the queue: needs 1 worker with 3 free" in foreseen["text"]
    assert foreseen["next"] == "submit it, and the others start once there is room"


def test_as_many_of_an_array_are_tried_as_may_run_at_once(world: ApiWorld) -> None:
    foreseen = tried(world, workers=1, array={"count": 100, "most_at_once": 3})
    assert (foreseen["outcome"], foreseen["next"], foreseen["reasons"]) == ("placed", "submit it", [])
    assert foreseen["array"] == {"wanted": 100, "at_once": 3, "tried": 3, "placed": 3}
    assert foreseen["text"].endswith("; 97 more would follow as these end.")
    foreseen = tried(world, workers=1, devices_per_worker=8, array={"count": 100, "most_at_once": 3})
    assert (foreseen["outcome"], foreseen["array"]["placed"]) == ("partly", 2)


def test_of_a_large_array_no_more_jobs_are_tried_than_a_server_has_replicas(world: ApiWorld) -> None:
    share = {"milli": 10, "memory_mib": 100}
    shape: dict[str, Any] = {"workers": 1, "devices_per_worker": 0, "share": share, "chips": ["h100-sxm", "mi300x"]}
    foreseen = tried(world, **shape, array={"count": 1000}, cpu_milli=1)
    assert foreseen["array"] == {"wanted": 1000, "at_once": 1000, "tried": 256, "placed": 256}
    assert foreseen["text"].startswith("At least 256 of 1,000 jobs would be placed at once, on mixed/h100-sxm-0")
    assert foreseen["text"].endswith("; the other 744 were not tried.")
    assert (foreseen["outcome"], foreseen["next"]) == ("placed", "submit it")


def test_a_job_that_can_never_run_is_refused_as_it_would_be(world: ApiWorld) -> None:
    foreseen = tried(world, workers=9, devices_per_worker=8)
    job = world.submit(workers=9, devices_per_worker=8)
    world.step()
    assert (foreseen["outcome"], foreseen["position"]) == ("refused", None)
    refused = world.client().get(f"/v1/jobs/{job}/why").json()
    assert (refused["state"], refused["reasons"]) == ("failed", foreseen["reasons"])


def test_a_quota_speaks_before_capacity(world: ApiWorld) -> None:
    world.storage.directory.set_quota(Quota("demo", "h100-sxm", 1), world.context.clock.now())
    foreseen = tried(world, workers=2)
    assert (foreseen["outcome"], foreseen["reasons"][0]["code"]) == ("waits", "quota-exceeded")


@pytest.mark.parametrize("changes", [{"chips": "h100-smx"}, {"workers": 0}, {"wrokers": 2}, {"name": "No"}])
def test_what_a_submission_is_refused_for_a_question_is_refused_for_too(
    world: ApiWorld, changes: dict[str, Any]
) -> None:
    client = world.client()
    answers = [client.post(path, json={**JOB, **changes}) for path in ("/v1/jobs", "/v1/jobs/dry-run")]
    assert answers[0].status_code == answers[1].status_code == 422
    problems = [{**answer.json(), "request_id": None} for answer in answers]
    assert problems[0] == problems[1]


def test_nothing_of_a_question_is_kept(world: ApiWorld) -> None:
    world.submit(workers=1, devices_per_worker=5)
    world.step()
    world.context.followed.follow()
    rows = world.rows()
    with world.context.followed.hold() as state:
        before = state.digest()
    change = world.context.views.last_change()
    for asked in (
        {"workers": 2, "devices_per_worker": 8},
        {"workers": 99},
        {"chips": ["mi300x"]},
        {**SERVER, "replicas": 5},
        {"array": {"count": 100}},
    ):
        tried(world, **asked)
    with world.context.followed.hold() as state:
        assert state.digest() == before
    assert world.rows() == rows
    assert world.context.views.last_change() == change
    assert world.client(Role.OPERATOR).get("/v1/scheduler/check").json()["is_ok"]


def test_a_remedy_that_is_told_to_start_a_job_does_when_the_job_is_cloned_with_it(world: ApiWorld) -> None:
    held = world.submit(workers=1, devices_per_worker=8)
    world.step()
    waiting = world.submit(workers=2, devices_per_worker=8)
    foreseen = tried(world, workers=2, devices_per_worker=8)
    client = world.client()
    remedies = client.get(f"/v1/jobs/{waiting}/why").json()["remedies"]
    assert remedies == foreseen["remedies"] != []
    for remedy in remedies:
        assert remedy["starts_now"]
        changed = tried(world, **{"workers": 2, "devices_per_worker": 8, remedy["field"]: remedy["value"]})
        assert changed["outcome"] == "placed", remedy
    made = client.post(f"/v1/jobs/{waiting}/clone", json={"overrides": {remedies[0]["field"]: remedies[0]["value"]}})
    assert made.status_code == 201, made.text
    world.step()
    assert client.get(f"/v1/jobs/{made.json()['id']}").json()["state"] == "running"
    assert client.get(f"/v1/jobs/{held}/why").json()["remedies"] == []


def test_a_job_that_is_refused_is_told_what_would_fit(world: ApiWorld) -> None:
    never = world.submit(workers=1, devices_per_worker=64)
    world.step()
    why = world.client().get(f"/v1/jobs/{never}/why").json()
    (remedy,) = [one for one in why["remedies"] if one["field"] == "devices_per_worker"]
    assert remedy["text"] == "with 8 devices per worker, it would start now"
