"""What a job asks of its workers' sizes and places, over HTTP: accepted, kept, and shown as it may be sent again."""

from typing import Any

import pytest

from tests.builders.api import JOB, ApiWorld

SHARE = {"milli": 500, "memory_mib": 40_960}
WISHES: dict[str, dict[str, Any]] = {
    "a share": {"share": SHARE},
    "another size": {"alternatives": [{"workers": 4, "chips": "mi300x", "share": SHARE}], "choose": "best"},
    "roles": {
        "roles": [{"name": "launcher", "command": ["mpirun"]}, {"name": "reader", "share": SHARE, "chips": "mi300x"}]
    },
    "one rack": {"topology": {"require": "rack", "prefer": ["node"]}},
    "anywhere": {"topology": {"prefer": []}},
    "spread": {"spread": {"level": "rack", "most": 1}},
    "apart": {"apart": {"level": "node", "labels": {"team": "vision"}}},
    "nodes of its own": {"exclusive": True, "node_labels": {"zone": "z1"}},
}


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
def test_a_wish_is_kept_and_what_is_shown_of_it_can_be_submitted_again(world: ApiWorld, wish: dict[str, Any]) -> None:
    client = world.client()
    accepted = client.post("/v1/jobs", json={**JOB, **wish})
    assert accepted.status_code == 201, accepted.text
    spec = accepted.json()["spec"]
    kept = client.post(f"/v1/jobs/{accepted.json()['id']}/cancel").json()
    assert kept["spec"] == spec
    again = client.post("/v1/jobs", json=spec)
    assert (again.status_code, again.json()["spec"]) == (201, spec)


def test_a_key_names_the_same_job_however_its_labels_are_ordered(world: ApiWorld) -> None:
    client, key = world.client(), {"Idempotency-Key": "nightly"}
    one = client.post("/v1/jobs", json={**JOB, "node_labels": {"a": "1", "b": "2"}}, headers=key)
    other = client.post("/v1/jobs", json={**JOB, "node_labels": {"b": "2", "a": "1"}}, headers=key)
    assert one.json()["id"] == other.json()["id"]
    assert client.post("/v1/jobs", json={**JOB, "node_labels": {"a": "1"}}, headers=key).status_code == 422
