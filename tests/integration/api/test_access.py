"""Tenants, quotas, users and tokens over HTTP."""

from scheduler.core.model.tenant import Role
from tests.builders.api import ApiWorld


def test_a_new_tenant_gets_a_token_and_submits(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    assert operator.post("/v1/tenants", json={"name": "gamma"}).status_code == 201
    again = operator.post("/v1/tenants", json={"name": "gamma"})
    assert (again.status_code, again.json()["code"]) == (409, "already-exists")

    made = operator.post("/v1/tokens", json={"name": "nightly", "role": "submitter", "tenant": "gamma"}).json()
    myself = world.bearer(made["secret"]).get("/v1/whoami").json()
    may = myself.pop("may")
    assert myself == {
        "name": "token:nightly",
        "role": "submitter",
        "tenant": "gamma",
        "token_id": made["id"],
        "scope": None,
        "expires_at": made["expires_at"],
        "csrf_token": None,
    }
    assert "submit_job" in may
    assert "create_tenant" not in may
    listed = operator.get("/v1/tokens").text
    assert made["id"] in listed
    assert made["secret"] not in listed


def test_a_revoked_token_opens_nothing(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    made = operator.post("/v1/tokens", json={"name": "nightly", "role": "viewer", "tenant": "demo"}).json()
    revoked = operator.delete(f"/v1/tokens/{made['id']}").json()
    assert revoked["revoked_at"] is not None
    assert operator.delete(f"/v1/tokens/{made['id']}").json() == revoked
    answer = world.bearer(made["secret"]).get("/v1/whoami")
    unknown = world.bearer(None).get("/v1/whoami", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert answer.json()["detail"] == unknown.json()["detail"]


def test_a_tenants_administrator_makes_tokens_for_its_own_tenant_only(world: ApiWorld) -> None:
    admin = world.client(Role.TENANT_ADMIN)
    made = admin.post("/v1/tokens", json={"name": "mine", "role": "viewer"})
    assert (made.status_code, made.json()["tenant"]) == (201, "demo")
    for wrong in ({"role": "operator"}, {"role": "auditor"}, {"role": "viewer", "tenant": "beta"}):
        answer = admin.post("/v1/tokens", json={"name": "more", **wrong})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), wrong


def test_a_tenants_administrator_cannot_borrow_another_tenants_name(world: ApiWorld) -> None:
    operator, admin = world.client(Role.OPERATOR), world.client(Role.TENANT_ADMIN)
    operator.post("/v1/users", json={"name": "ada", "tenant": "demo"})
    operator.post("/v1/users", json={"name": "bob", "tenant": "beta"})
    assert [user["name"] for user in admin.get("/v1/users").json()["items"]] == ["ada"]
    assert admin.post("/v1/tokens", json={"name": "t", "role": "viewer", "user": "ada"}).status_code == 201
    foreign, unknown = (
        admin.post("/v1/tokens", json={"name": "t", "role": "viewer", "user": user}) for user in ("bob", "eve")
    )
    assert (foreign.status_code, unknown.status_code) == (422, 422)
    assert foreign.json()["detail"].replace("bob", "eve") == unknown.json()["detail"]


def test_people_and_tenants_are_listed_in_pages(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    for name in ("ada", "bob", "eve"):
        operator.post("/v1/users", json={"name": name})
    first = operator.get("/v1/users?limit=2").json()
    second = operator.get(f"/v1/users?limit=2&cursor={first['next']}").json()
    assert [user["name"] for user in first["items"] + second["items"]] == ["ada", "bob", "eve"]
    assert second["next"] is None
    assert [tenant["name"] for tenant in operator.get("/v1/tenants").json()["items"]] == ["beta", "demo"]
    assert operator.post("/v1/users", json={"name": "ada"}).status_code == 409


def test_a_quota_is_set_listed_and_lifted(world: ApiWorld) -> None:
    operator, viewer = world.client(Role.OPERATOR), world.client(Role.VIEWER)
    path = "/v1/tenants/demo/quotas/h100-sxm"
    want = {"tenant": "demo", "chip": "h100-sxm", "devices": 4}
    assert operator.put(path, json={"devices": 4}).json() == want
    assert viewer.get("/v1/tenants/demo/quotas").json() == {"items": [want], "next": None}
    assert operator.delete(path).status_code == 204
    assert operator.delete(path).status_code == 404
    assert viewer.get("/v1/tenants/demo/quotas").json() == {"items": [], "next": None}
    assert operator.put("/v1/tenants/nobody/quotas/h100-sxm", json={"devices": 4}).status_code == 404
    assert operator.put("/v1/tenants/demo/quotas/h900", json={"devices": 4}).status_code == 404
