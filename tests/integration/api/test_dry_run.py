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
    for asked in ({"workers": 2, "devices_per_worker": 8}, {"workers": 99}, {"chips": ["mi300x"]}):
        tried(world, **asked)
    with world.context.followed.hold() as state:
        assert state.digest() == before
    assert world.rows() == rows
    assert world.context.views.last_change() == change
    assert world.client(Role.OPERATOR).get("/v1/scheduler/check").json()["is_ok"]
