"""Submitting a job again over HTTP."""

from typing import Any

import pytest

from scheduler.core.model.tenant import Role
from tests.builders.api import JOB, ApiWorld

KEY = {"Idempotency-Key": "again"}
RICH = {
    "name": "rich",
    "workers": 2,
    "chips": ["h100-sxm", "mi300x"],
    "devices_per_worker": 2,
    "command": ["python", "train.py"],
    "alternatives": [{"workers": 4, "devices_per_worker": 1}],
    "roles": [
        {"name": "launcher", "command": ["python", "launch.py"]},
        {"name": "judge", "chips": "mi300x", "devices_per_worker": 1},
    ],
    "topology": {"prefer": ["rack"]},
    "spread": {"level": "node", "most": 4},
    "apart": {"level": "node", "labels": {"a": "b"}},
    "environment": {"A": "1"},
    "labels": {"team": "vision"},
    "retries": 2,
    "time_limit_s": 60,
    "priority": 4,
}


@pytest.mark.parametrize(
    "body",
    [
        JOB,
        RICH,
        {"name": "half", "workers": 1, "chips": "h100-sxm", "share": {"milli": 500, "memory_mib": 100}},
        {"name": "mix", "chips": {"h100-sxm": 1, "mi300x": 2}, "training": {"steps": 5}},
    ],
)
def test_a_clone_is_what_was_submitted(world: ApiWorld, body: dict[str, Any]) -> None:
    client = world.client()
    first = client.post("/v1/jobs", json=body).json()
    made = client.post(f"/v1/jobs/{first['id']}/clone", json={})
    assert made.status_code == 201, made.text
    assert made.json()["id"] != first["id"]
    assert made.headers["Location"] == f"/v1/jobs/{made.json()['id']}"
    assert made.json()["spec"] == first["spec"]


@pytest.mark.parametrize(
    ("body", "overrides", "shown"),
    [
        (JOB, {"name": "other", "priority": 3}, {"name": "other", "priority": 3}),
        (RICH, {"training": {"steps": 9}}, {"command": None}),
        (RICH, {"share": {"milli": 500, "memory_mib": 10}, "alternatives": []}, {"devices_per_worker": 0}),
        (RICH, {"time_limit_s": None, "labels": {}}, {"time_limit_s": None, "labels": {}}),
        (RICH, {"chips": {"h100-sxm": 3}}, {"workers": 3, "alternatives": []}),
        ({"name": "mix", "chips": {"h100-sxm": 3}}, {"chips": "mi300x", "workers": 1}, {"workers": 1}),
    ],
)
def test_a_clone_may_differ(world: ApiWorld, body: Any, overrides: Any, shown: Any) -> None:
    client = world.client()
    first = client.post("/v1/jobs", json=body).json()["id"]
    made = client.post(f"/v1/jobs/{first}/clone", json={"overrides": overrides})
    assert made.status_code == 201, made.text
    assert {field: made.json()["spec"][field] for field in shown} == shown


def test_a_clone_that_cannot_be_is_refused_like_a_submission(world: ApiWorld) -> None:
    client, job = world.client(), world.submit()
    for overrides, pointer in (
        ({"workers": 0}, "/workers"),
        ({"colour": "red"}, "/colour"),
        ({"chips": "abacus"}, "/chips"),
        ({"name": None}, "/name"),
    ):
        refused = client.post(f"/v1/jobs/{job}/clone", json={"overrides": overrides})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert world.client(Role.SUBMITTER, "beta").post(f"/v1/jobs/{job}/clone", json={}).status_code == 404


def test_a_clone_keeps_its_idempotency_key(world: ApiWorld) -> None:
    client, job = world.client(), world.submit()
    first = client.post(f"/v1/jobs/{job}/clone", json={}, headers=KEY)
    again = client.post(f"/v1/jobs/{job}/clone", json={}, headers=KEY)
    assert (again.json()["id"], again.headers["Idempotency-Replayed"]) == (first.json()["id"], "true")
    other = client.post(f"/v1/jobs/{job}/clone", json={"overrides": {"priority": 1}}, headers=KEY)
    assert other.json()["code"] == "idempotency-key-reused"
