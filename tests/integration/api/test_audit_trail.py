"""The audit trail over HTTP: every change by every route, and denied calls, bounded."""

from typing import Any

import pytest

from scheduler.core.model.tenant import Role
from tests.builders.api import JOB, ApiWorld
from tests.builders.eventually import eventually

REQUEST_ID = {"X-Request-Id": "a-request-of-a-test"}


def trail(world: ApiWorld, query: str = "", role: Role = Role.AUDITOR, tenant: str = "demo") -> list[Any]:
    answer = world.client(role, tenant).get(f"/v1/audit?limit=200{query}")
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json()["items"]
    return items


def test_a_change_is_told_with_who_what_before_after_and_request(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    path = "/v1/tenants/demo/quotas/h100-sxm"
    operator.put(path, json={"devices": 2})
    operator.put(path, json={"devices": 4}, headers=REQUEST_ID)
    operator.delete(path)
    removed, changed, _ = trail(world)
    assert (changed["actor"], changed["operation"], changed["outcome"]) == (
        "token:operator-of-None",
        "set_quota",
        "done",
    )
    assert changed["token_id"] == operator.get("/v1/whoami").json()["token_id"]
    assert changed["object"] == {"kind": "quota", "name": "demo/h100-sxm"}
    assert (changed["before"]["limit"], changed["after"]["limit"]) == (2, 4)
    assert changed["request_id"] == REQUEST_ID["X-Request-Id"]
    assert (removed["operation"], removed["after"]) == ("lift_quota", None)
    assert removed["previous_sha256"] == changed["sha256"]


def test_jobs_users_tokens_tenants_and_chips_are_told(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    job = world.submit(environment={"PASSWORD": "hunter2"})
    world.client(Role.SUBMITTER).post(f"/v1/jobs/{job}/cancel")
    operator.post("/v1/tenants", json={"name": "gamma"})
    operator.post("/v1/users", json={"name": "ada", "tenant": "demo"})
    operator.patch("/v1/users/ada", json={"is_disabled": True})
    made = operator.post("/v1/tokens", json={"name": "t", "role": "viewer", "tenant": "demo"}).json()
    operator.delete(f"/v1/tokens/{made['id']}")
    chip = {"vendor": "a", "model": "b", "torch_device": "cuda", "collective_library": "nccl"}
    operator.put("/v1/chips/x1", json=chip)
    operator.put("/v1/nodes/mixed/h100-sxm-0/drain", json={})
    operator.delete("/v1/nodes/mixed/h100-sxm-0/drain")
    done = [(entry["operation"], entry["object"]["kind"]) for entry in reversed(trail(world))]
    assert done == [
        ("submit_job", "job"),
        ("cancel_job", "job"),
        ("create_tenant", "tenant"),
        ("create_user", "user"),
        ("change_user", "user"),
        ("create_token", "token"),
        ("revoke_token", "token"),
        ("define_chip", "chip"),
        ("drain_node", "node"),
        ("undrain_node", "node"),
    ]
    shown = world.client(Role.AUDITOR).get("/v1/audit").text
    for hidden in ("hunter2", made["secret"], "secret_sha256"):
        assert hidden not in shown


def test_scaled_and_replaced_servers_are_told(world: ApiWorld) -> None:
    submitter = world.client(Role.SUBMITTER)
    server = {"name": "chat", "kind": "inference", "workers": 1, "chips": "h100-sxm", "command": ["serve"]}
    job = submitter.post("/v1/jobs", json=server).json()["id"]
    assert submitter.patch(f"/v1/jobs/{job}/replicas", json={"replicas": 3}).status_code == 200
    renewed = {**server, "environment": {"PASSWORD": "hunter2"}}
    assert submitter.put(f"/v1/jobs/{job}/version", json=renewed).json()["version"] == 2
    submitted, scaled, replaced = reversed(trail(world))
    assert [each["operation"] for each in (submitted, scaled, replaced)] == ["submit_job", "scale_job", "replace_job"]
    assert scaled["after"]["replicas"] == 3
    assert (replaced["before"]["version"], replaced["after"]["version"]) == (1, 2)
    assert "hunter2" not in world.client(Role.AUDITOR).get("/v1/audit").text


def test_what_was_refused_or_changed_nothing_is_not_told(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    operator.post("/v1/tenants", json={"name": "demo"})
    operator.post("/v1/tenants", json={"name": "No Name"})
    operator.put("/v1/tenants/nobody/quotas/h100-sxm", json={"devices": 2})
    assert trail(world) == []


def test_a_tenants_administrator_sees_the_tenants_own_entries(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    for tenant in ("demo", "beta"):
        operator.put(f"/v1/tenants/{tenant}/quotas/h100-sxm", json={"devices": 2})
    operator.post("/v1/tenants", json={"name": "gamma"})
    seen = trail(world, role=Role.TENANT_ADMIN, tenant="beta")
    assert [entry["object"]["name"] for entry in seen] == ["beta/h100-sxm"]
    assert trail(world, "&tenant=demo", role=Role.TENANT_ADMIN, tenant="beta") == []
    assert len(trail(world)) == 3
    assert world.client(Role.TENANT_ADMIN).get("/v1/audit/check").status_code == 403


def test_entries_come_in_pages_and_by_filters(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    for devices in range(5):
        operator.put("/v1/tenants/demo/quotas/h100-sxm", json={"devices": devices})
    first = operator.get("/v1/audit?limit=2").json()
    second = operator.get(f"/v1/audit?limit=200&cursor={first['next']}").json()
    assert [entry["number"] for entry in first["items"] + second["items"]] == [5, 4, 3, 2, 1]
    assert second["next"] is None
    at = first["items"][1]["at"]
    for query, number in (
        ("&actor=token:operator-of-None", 5),
        ("&actor=nobody", 0),
        ("&object=quota", 5),
        ("&object=quota/demo/h100-sxm", 5),
        ("&object=quota/beta/h100-sxm", 0),
        ("&operation=set_quota&tenant=demo", 5),
        (f"&since={at}", 2),
        (f"&until={at}", 3),
    ):
        assert len(trail(world, query)) == number, query


@pytest.mark.parametrize(
    "query", ["object=%00", "object=a/../b c", "operation=X", "since=yesterday", "cursor=MA", "x=1"]
)
def test_a_filter_of_another_form_is_refused(world: ApiWorld, query: str) -> None:
    assert world.client(Role.AUDITOR).get(f"/v1/audit?{query}").status_code == 422


def test_denied_calls_are_told_and_a_flood_of_them_is_not(world: ApiWorld) -> None:
    viewer = world.client(Role.VIEWER)
    for _ in range(100):
        assert viewer.post("/v1/jobs", json=dict(JOB)).status_code == 403
    viewer.post("/v1/tenants", json={"name": "mine"})
    eventually(lambda: len(trail(world)) == 2, within_s=60)
    second, first = trail(world)
    assert (first["outcome"], first["object"]["name"], first["tenant"]) == ("denied", "submit_job", "demo")
    assert second["after"] == {"path": "/v1/tenants", "role": "viewer", "left_out_before": 99}
    assert trail(world, role=Role.TENANT_ADMIN) == [second, first]


def test_an_auditor_checks_that_the_trail_is_whole(world: ApiWorld) -> None:
    world.client(Role.OPERATOR).put("/v1/tenants/demo/quotas/h100-sxm", json={"devices": 2})
    checked = world.client(Role.AUDITOR).get("/v1/audit/check").json()
    (entry,) = trail(world)
    assert checked == {
        "is_whole": True, "entries": 1, "first_broken": None, "last": 1, "last_sha256": entry["sha256"]
    }  # fmt: skip
