"""What would follow if something were otherwise: asked over HTTP, and nothing is changed by asking."""

from typing import Any

import pytest

from scheduler.core.model.tenant import Role
from tests.builders.api import JOB, ApiWorld

NODE = "mixed/h100-sxm-0"


def supposed(world: ApiWorld, **body: Any) -> Any:
    before = _digest(world)
    answer = world.client(Role.OPERATOR).post("/v1/whatif", json=body)
    assert answer.status_code == 200, answer.text
    assert _digest(world) == before
    return answer.json()


def _digest(world: ApiWorld) -> str:
    world.context.followed.follow()
    with world.context.followed.hold() as state:
        return state.digest()


def full(world: ApiWorld) -> str:
    """Let a job hold all devices of a chip type, and another one wait; return the latter."""
    world.submit(workers=2, devices_per_worker=8)
    world.step()
    waits = world.submit(workers=1, devices_per_worker=8)
    world.step()
    return waits


def test_who_runs_on_drained_nodes_would_have_to_leave(world: ApiWorld) -> None:
    waits = full(world)
    found = supposed(world, drain=[{"nodes": [NODE]}])
    assert (found["drained"], found["leaving_count"], found["placed_again"]) == ([NODE], 1, 0)
    (left,) = found["leaving"]
    assert (left["cause"], left["devices"], left["tenant"]) == ("drain", 16.0, "demo")
    assert sorted(left["nodes"]) == [NODE, "mixed/h100-sxm-1"]
    assert [one["job"] for one in found["starting"]] == [waits], "the other node is free then"
    assert {"chip": "h100-sxm", "before": 16, "after": 8} in found["capacity"]
    assert found["text"].startswith("With 1 node drained, 1 gang would have to leave")


def test_what_runs_on_drained_nodes_may_run_on(world: ApiWorld) -> None:
    full(world)
    found = supposed(world, drain=[{"where": "rack=r1", "like": "h100-sxm", "runs_on": True}])
    assert (found["drained_count"], found["leaving"]) == (2, [])


def test_who_waits_would_start_on_added_nodes_and_a_job_that_comes_then_is_told_of_the_rest(world: ApiWorld) -> None:
    waits = full(world)
    job = {**JOB, "workers": 1, "devices_per_worker": 8}
    found = supposed(world, add=[{"like": "h100-sxm", "count": 2}], job=job, tenant="beta")
    assert [(one["job"], one["nodes"]) for one in found["starting"]] == [(waits, ["mixed/supposed-1-1"])]
    assert (found["added"], found["job"]["outcome"]) == (2, "placed")
    assert found["job"]["nodes"] == [["mixed/supposed-1-2"]]
    assert found["change"] > 0


def test_other_quotas_and_weights_shift_what_queues_are_due(world: ApiWorld) -> None:
    found = supposed(world, weights=[{"queue": "demo", "weight": 3}])
    shift = next(one for one in found["shares"] if one["queue"] == "demo")
    assert shift["due_after"] > shift["due_before"]
    found = supposed(world, quotas=[{"queue": "demo", "resource": "h100-sxm", "limit": 4}])
    assert found["starting_count"] == 0


def test_an_elastic_job_would_give_workers_up_to_one_that_starts_then(world: ApiWorld) -> None:
    gives = world.submit(workers={"min": 1, "max": 2}, devices_per_worker=8)
    for _ in range(3):
        world.step()
    waits = world.submit(workers=1, devices_per_worker=8, priority=1)
    found = supposed(world, quotas=[{"queue": "demo", "resource": "h100-sxm", "limit": 64}])
    (shrinks,) = found["shrinking"]
    assert (shrinks["job"], shrinks["cause"], shrinks["beneficiary"]) == (gives, "priority", waits)
    assert (shrinks["workers_before"], shrinks["workers_after"]) == (2, 1)
    assert (shrinks["gives"], shrinks["devices"], len(shrinks["nodes"])) == (8.0, 8.0, 1)
    assert (found["leaving"], found["shrinking_count"]) == ([], 1)
    assert [(one["job"], one["after_others"]) for one in found["starting"]] == [(waits, True)]
    assert found["text"].startswith("Then 1 gang would go on with fewer workers and 1 gang would start. ")
    found = supposed(world, drain=[{"nodes": [NODE]}])
    (left,) = found["leaving"]
    assert (left["job"], left["workers"], left["goes_on_with"]) == (gives, 2, None)


def test_a_submitter_is_told_of_his_own_job_and_of_other_chip_types(world: ApiWorld) -> None:
    full(world)
    answer = world.client().post("/v1/jobs/whatif", json={**JOB, "workers": 1, "devices_per_worker": 8})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["job"]["outcome"], found["job"]["chips"]) == ("waits", ["h100-sxm"])
    assert found["job"]["text"].startswith("It would wait, 2nd in the queue: ")
    assert found["job"]["estimate"] is not None
    elsewhere = {tuple(one["chips"]): one["outcome"] for one in found["others"]}
    assert elsewhere[("mi300x",)] == "placed"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "invalid-request", ""),
        ({"drain": [{}]}, "invalid-request", "/drain/0"),
        ({"drain": [{"nodes": [NODE], "count": 1}]}, "invalid-request", "/drain/0"),
        ({"drain": [{"nodes": [NODE]}, {"nodes": ["nowhere"]}]}, "unknown-reference", "/drain/1"),
        ({"drain": [{"nodes": [NODE]}, {"nodes": [NODE]}]}, "invalid-request", "/drain/1"),
        ({"drain": [{"like": "h100-sxm", "count": 3}]}, "unknown-reference", "/drain/0"),
        ({"add": [{"like": "nothing", "count": 1}]}, "unknown-reference", "/add/0"),
        ({"add": [{"like": "h100-sxm", "count": 4096}] * 2}, "invalid-request", "/add/1"),
        ({"weights": [{"queue": "nobody", "weight": 2}]}, "unknown-reference", "/weights/0"),
        ({"weights": [{"queue": "demo", "weight": 1}]}, "invalid-request", ""),
        ({"weights": [{"queue": "demo", "weight": 2}] * 17}, "invalid-request", "/weights"),
        ({"quotas": [{"queue": "demo", "resource": "nothing"}]}, "unknown-reference", "/quotas/0"),
        ({"job": JOB}, "invalid-request", ""),
        ({"job": {**JOB, "chips": "nothing"}, "tenant": "demo"}, "unknown-chip", "/job/chips"),
        ({"job": {**JOB, "array": {"count": 2}}, "tenant": "demo"}, "invalid-request", "/job/array"),
    ],
)
def test_what_makes_no_sense_is_refused_with_where_it_stands(
    world: ApiWorld, body: dict[str, Any], code: str, pointer: str
) -> None:
    answer = world.client(Role.OPERATOR).post("/v1/whatif", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]], answer.text


def test_contradictory_quotas_and_tenants_that_are_not_there_are_refused(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    quota = {"queue": "demo", "resource": "h100-sxm", "guaranteed": 8, "limit": 4}
    assert operator.post("/v1/whatif", json={"quotas": [quota]}).json()["code"] == "contradictory-quota"
    assert operator.post("/v1/whatif", json={"job": JOB, "tenant": "nobody"}).json()["code"] == "unknown-tenant"


def test_a_tenant_supposes_nothing_of_others(world: ApiWorld) -> None:
    answer = world.client().post("/v1/whatif", json={"drain": [{"nodes": [NODE]}]})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
