"""Every route that changes something is told of in the audit trail, in the words of its own request."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from api.app import ROUTERS
from api.permissions import PERMISSIONS, Open
from scheduler.core.model.tenant import Role
from tests.builders.api import JOB, ApiWorld, open_world

REQUEST_ID = "X-Request-Id"
SERVER = {**JOB, "name": "chat", "kind": "inference", "command": ["serve"]}
CHIP = {"vendor": "a", "model": "b", "torch_device": "cuda", "collective_library": "nccl"}
QUOTA = "/v1/tenants/demo/quotas/mi300x"
THROUGHPUT = "/v1/throughputs/demo/train/mi300x"
PROFILE = "/v1/profiles/demo/train/mi300x/8/2"
TIMES = {"layer_forward_s": 0.01, "layer_backward_s": 0.02}
DRAIN = "/v1/nodes/mixed/mi300x-0/drain"
BY_GET = {"finish_login"}
"""What makes a user and a token although it only reads by its method: browsers are sent there."""


class Untold(StrEnum):
    """Why a route that is not for reading is not told of."""

    NOTHING_IS_KEPT = "it asks a question, and leaves nothing behind"
    OF_WORKERS = "workers report of themselves, as of an attempt; people see it in the job's events"


UNTOLD = {
    "try_job": Untold.NOTHING_IS_KEPT,
    "suppose_job": Untold.NOTHING_IS_KEPT,
    "suppose": Untold.NOTHING_IS_KEPT,
    "plan_training": Untold.NOTHING_IS_KEPT,
    "register_rendezvous": Untold.OF_WORKERS,
    "report_progress": Untold.OF_WORKERS,
    "report_stages": Untold.OF_WORKERS,
    "beat": Untold.OF_WORKERS,
}
CHANGING = sorted(
    str(route.operation_id)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and (route.operation_id in BY_GET or not (route.methods or set()) <= {"GET", "HEAD"})
)


def cancelled_by_id(world: ApiWorld, submitter: TestClient) -> Any:
    return submitter.post("/v1/jobs/cancel", json={"jobs": [world.submit()]})


def scaled(world: ApiWorld, submitter: TestClient) -> Any:
    return submitter.patch(f"/v1/jobs/{world.submit(**SERVER)}/replicas", json={"replicas": 2})


def replaced(world: ApiWorld, submitter: TestClient) -> Any:
    return submitter.put(f"/v1/jobs/{world.submit(**SERVER)}/version", json={**SERVER, "command": ["serve", "-v"]})


def a_quota_lifted(world: ApiWorld, operator: TestClient) -> Any:
    world.client(Role.OPERATOR).put(QUOTA, json={"devices": 3})
    return operator.delete(QUOTA)


def a_profile_removed(world: ApiWorld, operator: TestClient) -> Any:
    world.client(Role.OPERATOR).put(PROFILE, json=TIMES)
    return operator.delete(PROFILE)


def a_throughput_removed(world: ApiWorld, operator: TestClient) -> Any:
    world.client(Role.OPERATOR).put(THROUGHPUT, json={"units_per_s": 3.5})
    return operator.delete(THROUGHPUT)


def a_drain_taken_back(world: ApiWorld, operator: TestClient) -> Any:
    world.client(Role.OPERATOR).put(DRAIN, json={})
    return operator.delete(DRAIN)


def a_user_changed(world: ApiWorld, operator: TestClient) -> Any:
    world.client(Role.OPERATOR).post("/v1/users", json={"name": "bob", "tenant": "demo"})
    return operator.patch("/v1/users/bob", json={"is_disabled": True})


def new_token_id(world: ApiWorld) -> str:
    body = {"name": "spare", "role": "viewer", "tenant": "demo"}
    return str(world.client(Role.OPERATOR).post("/v1/tokens", json=body).json()["id"])


def a_login_ended(world: ApiWorld, browser: TestClient) -> Any:
    token = world.new_token(Role.VIEWER, is_login=True)
    return browser.post("/v1/logout", headers={"Authorization": f"Bearer {token}"})


def a_queue_removed(world: ApiWorld, client: TestClient) -> Any:
    world.client(Role.OPERATOR).put("/v1/queues/spare", json={"tenant": "demo"})
    return client.delete("/v1/queues/spare")


def a_queue_quota_lifted(world: ApiWorld, client: TestClient) -> Any:
    world.client(Role.OPERATOR).put("/v1/queues/demo/quotas/compute", json={"limit": 3})
    return client.delete("/v1/queues/demo/quotas/compute")


def a_chip_group_removed(world: ApiWorld, client: TestClient) -> Any:
    world.client(Role.OPERATOR).put("/v1/chip-groups/spare", json={"chips": ["mi300x"]})
    return client.delete("/v1/chip-groups/spare")


def logged_in(_world: ApiWorld, browser: TestClient) -> Any:
    sent = browser.get("/v1/login", params={"return_to": "/"}, follow_redirects=False)
    (state,) = parse_qs(urlsplit(sent.headers["location"]).query)["state"]
    query = {"state": state, "code": "eve.demo"}
    return browser.get("/v1/login/callback", params=query, follow_redirects=False)


CALLS: dict[str, Callable[[ApiWorld, TestClient], Any]] = {
    "submit_job": lambda _, client: client.post("/v1/jobs", json=dict(JOB)),
    "submit_jobs": lambda _, client: client.post("/v1/jobs/bulk", json={"jobs": [dict(JOB)]}),
    "clone_job": lambda world, client: client.post(f"/v1/jobs/{world.submit()}/clone", json={}),
    "change_job": lambda world, client: client.patch(f"/v1/jobs/{world.submit()}", json={"priority": 7}),
    "cancel_job": lambda world, client: client.post(f"/v1/jobs/{world.submit()}/cancel"),
    "cancel_jobs": cancelled_by_id,
    "scale_job": scaled,
    "replace_job": replaced,
    "drain_node": lambda _, client: client.put("/v1/nodes/mixed/mi300x-1/drain", json={}),
    "undrain_node": a_drain_taken_back,
    "define_chip": lambda _, client: client.put("/v1/chips/x1", json=CHIP),
    "create_tenant": lambda _, client: client.post("/v1/tenants", json={"name": "gamma"}),
    "set_quota": lambda _, client: client.put("/v1/tenants/demo/quotas/h100-sxm", json={"devices": 16}),
    "lift_quota": a_quota_lifted,
    "set_throughput": lambda _, client: client.put(THROUGHPUT, json={"units_per_s": 3.5}),
    "remove_throughput": a_throughput_removed,
    "set_profile": lambda _, client: client.put(PROFILE, json=TIMES),
    "remove_profile": a_profile_removed,
    "set_queue": lambda _, client: client.put("/v1/queues/night", json={"tenant": "demo"}),
    "remove_queue": a_queue_removed,
    "set_queue_quota": lambda _, client: client.put("/v1/queues/demo/quotas/mi300x", json={"limit": 3}),
    "lift_queue_quota": a_queue_quota_lifted,
    "set_chip_group": lambda _, client: client.put("/v1/chip-groups/fast", json={"chips": ["mi300x"]}),
    "remove_chip_group": a_chip_group_removed,
    "create_user": lambda _, client: client.post("/v1/users", json={"name": "ada", "tenant": "demo"}),
    "change_user": a_user_changed,
    "create_token": lambda _, client: client.post("/v1/tokens", json={"name": "t", "role": "viewer", "tenant": "demo"}),
    "rotate_token": lambda world, client: client.post(
        f"/v1/tokens/{new_token_id(world)}/rotate", json={}, headers={"Idempotency-Key": "once"}
    ),
    "revoke_token": lambda world, client: client.delete(f"/v1/tokens/{new_token_id(world)}"),
    "exchange_login": lambda _, client: client.post("/v1/login/exchange", json={"id_token": "zoe.demo"}),
    "finish_login": logged_in,
    "end_session": a_login_ended,
}
"""One call of each that changes something."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with open_world(tmp_path_factory.mktemp("trail")) as opened:
        yield opened


def who_calls(world: ApiWorld, operation: str) -> TestClient:
    access = PERMISSIONS[operation]
    if isinstance(access, Open) or operation == "end_session":
        return world.bearer(None)
    return world.client(Role.OPERATOR if Role.OPERATOR in access else Role.SUBMITTER)


@pytest.mark.parametrize("operation", [name for name in CHANGING if name not in UNTOLD])
def test_a_route_that_changes_something_is_told_of(world: ApiWorld, operation: str) -> None:
    assert operation in CALLS, f"say in CALLS how {operation} changes something, or in UNTOLD why it is not told of"
    client = who_calls(world, operation)
    client.headers[REQUEST_ID] = f"of-{operation}"
    answer = CALLS[operation](world, client)
    assert answer.status_code < 400, answer.text
    newest = world.client(Role.AUDITOR).get("/v1/audit", params={"limit": 200}).json()["items"]
    told = [entry for entry in newest if entry["request_id"] == f"of-{operation}"]
    assert {(entry["operation"], entry["outcome"]) for entry in told} == {(operation, "done")}


def test_what_is_told_of_and_what_is_not_are_all_routes_that_change_something() -> None:
    assert sorted((*CALLS, *UNTOLD)) == CHANGING


def test_a_question_leaves_no_entry(world: ApiWorld) -> None:
    client = world.client()
    client.headers[REQUEST_ID] = "of-a-question"
    assert client.post("/v1/jobs/dry-run", json=dict(JOB)).status_code == 200
    assert "of-a-question" not in world.client(Role.AUDITOR).get("/v1/audit").text
