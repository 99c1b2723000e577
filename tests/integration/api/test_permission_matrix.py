"""Every route with every role, without a token, and with another tenant's ids."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from api.app import ROUTERS
from api.permissions import PERMISSIONS, Open
from scheduler.core.model.tenant import Role
from tests.builders.api import JOB, ApiWorld, open_world

ROUTES = {
    str(route.operation_id): route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)
}
GUARDED = sorted(name for name, access in PERMISSIONS.items() if not isinstance(access, Open))
OF_WORKERS = sorted(name for name, access in PERMISSIONS.items() if access is Open.ATTEMPT)
PUBLIC = sorted(name for name, access in PERMISSIONS.items() if access is Open.PUBLIC)
OF_ONE_JOB = sorted(name for name in GUARDED if "{job}" in ROUTES[name].path)
BODIES: dict[str, dict[str, Any]] = {
    "submit_job": dict(JOB),
    "define_chip": {"vendor": "a", "model": "b", "torch_device": "cuda", "collective_library": "nccl"},
    "create_tenant": {"name": "gamma"},
    "set_quota": {"devices": 4},
    "create_user": {"name": "ada", "tenant": "demo"},
    "create_token": {"name": "another", "role": "viewer", "tenant": "demo"},
    "register_rendezvous": {"generation": 1, "address": "127.0.0.1:4000"},
    "beat": {"generation": 1},
    "report_progress": {"generation": 1, "step": 1, "steps": 2, "loss": 1.0, "tokens_per_s": 2.0},
}
UNKNOWN_ID = "0000000000000000"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with open_world(tmp_path_factory.mktemp("matrix")) as opened:
        yield opened


@pytest.fixture(scope="module")
def job(world: ApiWorld) -> str:
    """A job of the tenant demo that runs."""
    submitted = world.submit()
    world.step()
    return submitted


def call(client: TestClient, name: str, job: str, **ids: str) -> Any:
    route = ROUTES[name]
    known = {
        "job": job,
        "tenant": "demo",
        "chip": "h100-sxm",
        "cluster": "mixed",
        "token": UNKNOWN_ID,
        "attempt": f"{job}-g0-a1",
        **ids,
    }
    path = route.path.format(**known)
    options: dict[str, Any] = {"json": BODIES[name]} if name in BODIES else {}
    if name == "find_rendezvous":
        path += "?generation=1"
    return client.request(min(route.methods or {"GET"}), path, **options)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", GUARDED)
def test_a_role_gets_what_the_table_grants_and_nothing_else(world: ApiWorld, job: str, name: str, role: Role) -> None:
    access = PERMISSIONS[name]
    assert not isinstance(access, Open)
    answer = call(world.client(role), name, job)
    if role in access:
        assert answer.status_code in (200, 201, 204, 404, 409), answer.text
    else:
        assert answer.status_code == 403
        assert answer.json()["code"] == "forbidden"
        assert answer.json()["next"]


@pytest.mark.parametrize("name", GUARDED + OF_WORKERS)
@pytest.mark.parametrize(
    "secret",
    [None, "", "nonsense", "mdl_" + "a" * 38, "mda_" + "a" * 60, "mdl_" + "é" * 38, "x" * 10_000],
    ids=["none", "empty", "nonsense", "wrong checksum", "worker-like", "not ascii", "huge"],
)
def test_nothing_guarded_opens_without_a_valid_token(world: ApiWorld, job: str, name: str, secret: str | None) -> None:
    headers = {} if secret is None else {b"Authorization": b"Bearer " + secret.encode()}
    client = world.bearer(None)
    client.headers.update(headers)
    before = world.rows()
    answer = call(client, name, job)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["next"]
    assert world.rows() == before


def test_a_wrong_token_is_refused_before_its_body_is_read(world: ApiWorld) -> None:
    answer = world.bearer("mdl_wrong").post("/v1/jobs", content=b"{", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 401


def test_a_mistyped_token_is_told_so(world: ApiWorld) -> None:
    right = world.token(Role.VIEWER)
    mistyped = right[:-1] + ("0" if right[-1] != "0" else "1")
    assert "mistyped" in world.bearer(mistyped).get("/v1/whoami").json()["detail"]


@pytest.mark.parametrize("name", OF_WORKERS)
def test_a_persons_token_opens_no_workers_route(world: ApiWorld, job: str, name: str) -> None:
    assert call(world.client(Role.OPERATOR), name, job).status_code == 401


@pytest.mark.parametrize("name", OF_WORKERS)
def test_a_workers_token_opens_its_own_attempt_only(world: ApiWorld, job: str, name: str) -> None:
    own = world.bearer(world.context.attempt_tokens.mint(f"{job}-g0-a1", 1))
    assert call(own, name, job).status_code in (200, 204, 404)
    assert call(own, name, job, attempt=f"{job}-g0-a2").status_code == 401
    assert own.get("/v1/whoami").status_code == 401


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_routes_need_no_token(world: ApiWorld, job: str, name: str) -> None:
    assert call(world.bearer(None), name, job).status_code == 200


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUBMITTER, Role.TENANT_ADMIN])
@pytest.mark.parametrize("name", OF_ONE_JOB)
def test_another_tenants_job_is_as_unknown_as_one_that_never_was(
    world: ApiWorld, job: str, name: str, role: Role
) -> None:
    stranger = world.client(role, "beta")
    foreign, unknown = call(stranger, name, job), call(stranger, name, UNKNOWN_ID)
    access = PERMISSIONS[name]
    assert not isinstance(access, Open)
    assert foreign.status_code == (404 if role in access else 403)
    assert without_request_id(foreign) == without_request_id(unknown)


def test_another_tenants_quotas_and_tokens_are_as_unknown_as_ones_that_never_were(world: ApiWorld) -> None:
    stranger = world.client(Role.TENANT_ADMIN, "beta")
    foreign, unknown = (stranger.get(f"/v1/tenants/{tenant}/quotas") for tenant in ("demo", "nobody"))
    assert foreign.status_code == 404
    assert without_request_id(foreign) == without_request_id(unknown)

    of_demo = world.client(Role.TENANT_ADMIN).get("/v1/whoami").json()["token_id"]
    foreign, unknown = (stranger.delete(f"/v1/tokens/{token}") for token in (of_demo, UNKNOWN_ID))
    assert foreign.status_code == 404
    assert without_request_id(foreign) == without_request_id(unknown)
    assert world.client(Role.TENANT_ADMIN).get("/v1/whoami").status_code == 200


def test_lists_show_nothing_of_another_tenant(world: ApiWorld, job: str) -> None:
    stranger = world.client(Role.TENANT_ADMIN, "beta")
    for path in ("/v1/jobs", "/v1/jobs?tenant=demo", "/v1/tokens", "/v1/users", "/v1/utilisation"):
        assert "demo" not in stranger.get(path).text, path
    nodes = stranger.get("/v1/nodes")
    assert job not in nodes.text
    assert any(holding["tenant"] == "demo" for node in nodes.json()["items"] for holding in node["holdings"])


def without_request_id(answer: Any) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    return {name: value for name, value in answer.json().items() if name != "request_id"}
