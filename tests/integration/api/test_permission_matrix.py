"""Every route with every role, scope and kind of session, without a token, and with another tenant's ids.

What is called comes of the OpenAPI document: a new route is in the matrix as soon as it is in the permission table.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from api.app import ROUTERS
from api.dashboard.files import dashboard
from api.permissions import ABOUT_ONESELF, PERMISSIONS, Open, scope_of
from scheduler.core.model.access.audit import Act, Actor, Outcome
from scheduler.core.model.tenant import Role, Scope
from tests.builders.api import JOB, ApiWorld, open_world

ROUTES = {
    str(route.operation_id): route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)
}
GUARDED = sorted(name for name, access in PERMISSIONS.items() if not isinstance(access, Open))
OF_WORKERS = sorted(name for name, access in PERMISSIONS.items() if access is Open.ATTEMPT)
PUBLIC = sorted(name for name, access in PERMISSIONS.items() if access is Open.PUBLIC)
OF_ONE_THING = sorted(name for name in GUARDED if re.search(r"{(job|tenant|token|user)}", ROUTES[name].path))
"""Routes whose address names a thing that belongs to a tenant."""
BODIES: dict[str, dict[str, Any]] = {
    "submit_job": dict(JOB),
    "try_job": dict(JOB),
    "suppose_job": dict(JOB),
    "suppose": {"add": [{"like": "h100-sxm", "count": 1}]},
    "plan_training": {"model": "gpt2", "global_batch": 8, "sequence": 1024},
    "create_tenant": {"name": "gamma"},
    "create_user": {"name": "bob", "tenant": "demo"},
    "create_token": {"name": "another", "role": "viewer", "tenant": "demo", "scope": ["access:write"]},
    "rotate_token": {},
    "set_queue": {"tenant": "demo"},
    "set_queue_quota": {"limit": 64},
    "set_chip_group": {"chips": ["h100-sxm"]},
}
"""Where the example of the document would not do here."""
QUERIES = {
    "find_rendezvous": "?generation=1",
    "finish_login": "?state=s&code=c",
    "compare_jobs": f"?other={'0' * 16}",
}
HEADERS = {"rotate_token": {"Idempotency-Key": "once"}}
GRANTED = (200, 201, 204, 303, 404, 409)
UNKNOWN = {"job": "0" * 16, "token": "0" * 16, "tenant": "nobody", "user": "nobody"}
SCOPED = sorted((name, str(scope)) for name in GUARDED if (scope := scope_of(
    name, [str(tag) for tag in ROUTES[name].tags], ROUTES[name].methods or ()
)) is not None)  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with open_world(tmp_path_factory.mktemp("matrix")) as opened:
        yield opened


@pytest.fixture(scope="module")
def ids(world: ApiWorld) -> Mapping[str, str]:
    """What there is of the tenant demo: a job that runs, a user and a token that nobody uses."""
    submitted = world.submit()
    array = world.client().post("/v1/jobs", json={**JOB, "array": {"count": 1}}).json()["array"]
    world.step()
    operator = world.client(Role.OPERATOR)
    assert operator.post("/v1/users", json={"name": "ada", "tenant": "demo"}).status_code == 201
    made = operator.post("/v1/tokens", json={"name": "spare", "role": "viewer", "tenant": "demo"}).json()
    assert operator.put("/v1/tenants/demo/quotas/mi300x", json={"devices": 8}).status_code == 200
    assert operator.put("/v1/queues/demo/quotas/mi300x", json={"limit": 8}).status_code == 200
    assert operator.put("/v1/queues/night", json={"tenant": "demo"}).status_code == 200
    assert operator.put("/v1/chip-groups/fast", json={"chips": ["mi300x"]}).status_code == 200
    return {
        "queue": "night",
        "resource": "mi300x",
        "group": "fast",
        "job": submitted,
        "array": array["id"],
        "user": "ada",
        "token": made["id"],
        "tenant": "demo",
        "chip": "h100-sxm",
        "family": "train",
        "tensor_parallel": "8",
        "micro_batch": "2",
        "cluster": "mixed",
        "node": "h100-sxm-1",
        "attempt": f"{submitted}-g0-a1",
        "digest": dashboard().digest,
        "name": "application.js",
    }


@pytest.fixture(scope="module")
def clients(world: ApiWorld) -> Mapping[str, TestClient]:
    """A browser with a session for each role."""
    return {role: world.session(role) for role in Role}


def call(client: TestClient, name: str, ids: Mapping[str, str]) -> Any:
    route = ROUTES[name]
    path = route.path.replace(":path", "").format(**ids) + QUERIES.get(name, "")
    options: dict[str, Any] = {"json": body_of(client, name)} if route.body_field is not None else {}
    return client.request(
        min(route.methods or {"GET"}), path, headers=HEADERS.get(name), follow_redirects=False, **options
    )


@cache
def document_of(client: TestClient) -> Any:
    return client.get("/openapi.json").json()


def body_of(client: TestClient, name: str) -> Any:
    if name in BODIES:
        return BODIES[name]
    document = document_of(client)
    operation = document["paths"][ROUTES[name].path_format][min(ROUTES[name].methods or ()).lower()]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return document["components"]["schemas"][reference.rpartition("/")[2]]["examples"][0]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", GUARDED)
def test_a_role_gets_what_the_table_grants_and_nothing_else(
    world: ApiWorld, ids: Mapping[str, str], name: str, role: Role
) -> None:
    access = PERMISSIONS[name]
    assert not isinstance(access, Open)
    answer = call(world.client(role), name, expendable(name, ids))
    if role in access:
        assert answer.status_code in GRANTED, answer.text
    else:
        assert answer.status_code == 403
        assert answer.json()["code"] == "forbidden"
        assert answer.json()["next"]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", [name for name in GUARDED if name not in ABOUT_ONESELF])
def test_a_session_gets_what_its_role_gets_and_changes_nothing_without_its_own_page(
    clients: Mapping[str, TestClient], ids: Mapping[str, str], name: str, role: Role
) -> None:
    access, browser = PERMISSIONS[name], clients[role]
    assert not isinstance(access, Open)
    is_change = not (ROUTES[name].methods or set()) <= {"GET"}
    answer = call(browser, name, expendable(name, ids))
    assert (answer.status_code in GRANTED) == (role in access), answer.text
    if is_change and role in access:
        of_page = browser.headers.pop("X-CSRF-Token")
        for stolen in ("", "x" * 43):
            browser.headers["X-CSRF-Token"] = stolen
            answer = call(browser, name, expendable(name, ids))
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        browser.headers["X-CSRF-Token"] = of_page


@pytest.mark.parametrize("scope", list(Scope))
def test_a_narrowed_token_opens_its_scope_and_nothing_else(
    world: ApiWorld, ids: Mapping[str, str], scope: Scope
) -> None:
    roles = {name: min(PERMISSIONS[name]) for name, _ in SCOPED}
    narrow = {role: world.bearer(world.new_token(Role(role), scope=frozenset({scope}))) for role in set(roles.values())}
    for name, wanted in SCOPED:
        answer = call(narrow[roles[name]], name, expendable(name, ids))
        assert (answer.status_code in GRANTED) == (wanted == scope), (name, answer.text)
    assert all(client.get("/v1/whoami").json()["scope"] == [scope] for client in narrow.values())


def test_every_scope_opens_something() -> None:
    assert {scope for _, scope in SCOPED} == set(Scope)


def expendable(name: str, ids: Mapping[str, str]) -> Mapping[str, str]:
    """What a matrix of calls may change: nothing that a later one needs."""
    return {**ids, "token": UNKNOWN["token"]} if name in ("revoke_token", "rotate_token") else ids


def test_what_is_to_be_written_soon_counts_among_the_rows_of_the_world(world: ApiWorld) -> None:
    before, notes = world.rows()["audit_entries"], 20
    act = Act("operation", "submit_job", "demo", world.context.clock.now(), None, None, Outcome.DENIED)
    for number in range(notes):
        world.context.audit.note(Actor("ada", f"{number:016}", "demo", "submit_job", "of-a-note"), act)
    assert world.rows()["audit_entries"] == before + notes


@pytest.mark.parametrize("name", GUARDED + OF_WORKERS)
def test_nothing_guarded_opens_without_a_valid_token(world: ApiWorld, ids: Mapping[str, str], name: str) -> None:
    before = world.rows()
    wrong = ["", "nonsense", "mdl_" + "a" * 38, "mda_" + "a" * 60, "mdl_" + "é" * 38, "x" * 10_000]
    for secret in (None, *wrong):
        client = world.bearer(None)
        if secret is not None:
            client.headers.update({b"Authorization": b"Bearer " + secret.encode()})
        answer = call(client, name, ids)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["next"]
    assert world.rows() == before


@pytest.mark.parametrize("name", ["list_jobs", "submit_job"])
def test_a_cookie_holds_a_login_and_no_other_token(world: ApiWorld, ids: Mapping[str, str], name: str) -> None:
    for secret in (world.token(Role.SUBMITTER), "nonsense", "x" * 10_000, world.token(Role.SUBMITTER)[:-1]):
        browser = world.bearer(None)
        browser.cookies.set("medley_session", secret)
        assert call(browser, name, ids).status_code == 401


def test_a_wrong_token_is_refused_before_its_body_is_read(world: ApiWorld) -> None:
    answer = world.bearer("mdl_wrong").post("/v1/jobs", content=b"{", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 401


def test_a_mistyped_token_is_told_so(world: ApiWorld) -> None:
    right = world.token(Role.VIEWER)
    mistyped = right[:-1] + ("0" if right[-1] != "0" else "1")
    assert "mistyped" in world.bearer(mistyped).get("/v1/whoami").json()["detail"]


@pytest.mark.parametrize("name", OF_WORKERS)
def test_a_persons_token_opens_no_workers_route(world: ApiWorld, ids: Mapping[str, str], name: str) -> None:
    assert call(world.client(Role.OPERATOR), name, ids).status_code == 401


@pytest.mark.parametrize("name", OF_WORKERS)
def test_a_workers_token_opens_its_own_attempt_only(world: ApiWorld, ids: Mapping[str, str], name: str) -> None:
    own = world.bearer(world.context.attempt_tokens.mint(ids["attempt"], 1))
    assert call(own, name, ids).status_code in (200, 204, 404, 409)
    assert call(own, name, {**ids, "attempt": f"{ids['job']}-g0-a2"}).status_code == 401
    assert own.get("/v1/whoami").status_code == 401


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_routes_need_no_token(world: ApiWorld, ids: Mapping[str, str], name: str) -> None:
    assert call(world.bearer(None), name, ids).status_code in (200, 303) or ROUTES[name].tags == ["login"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUBMITTER, Role.TENANT_ADMIN])
@pytest.mark.parametrize("name", OF_ONE_THING)
def test_another_tenants_thing_is_as_unknown_as_one_that_never_was(
    world: ApiWorld, ids: Mapping[str, str], name: str, role: Role
) -> None:
    access = PERMISSIONS[name]
    assert not isinstance(access, Open)
    for stranger in (world.client(role, "beta"), world.session(role, "beta")):
        foreign, unknown = call(stranger, name, ids), call(stranger, name, {**ids, **UNKNOWN})
        assert foreign.status_code == (404 if role in access else 403)
        assert without_request_id(foreign) == without_request_id(unknown)


def test_lists_show_nothing_of_another_tenant(world: ApiWorld, ids: Mapping[str, str]) -> None:
    stranger = world.client(Role.TENANT_ADMIN, "beta")
    lists = [name for name in GUARDED if name.startswith(("list_", "show_")) and "{" not in ROUTES[name].path]
    for name in lists:
        answer = call(stranger, name, ids)
        if name == "list_audit_entries":  # of what was denied to them they see what they asked for
            assert {item["tenant"] for item in answer.json()["items"]} <= {"beta"}
        elif name != "list_nodes" and answer.status_code == 200:
            assert "demo" not in answer.text, name
    for path in ("/v1/jobs?tenant=demo", "/v1/audit?tenant=demo", f"/v1/audit?object=job/{ids['job']}"):
        assert stranger.get(path).json() == {"items": [], "next": None}
    nodes = stranger.get("/v1/nodes")
    assert ids["job"] not in nodes.text
    assert any(holding["tenant"] == "demo" for node in nodes.json()["items"] for holding in node["holdings"])


def without_request_id(answer: Any) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    return {name: value for name, value in answer.json().items() if name != "request_id"}
