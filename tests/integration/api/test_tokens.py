"""Tokens over HTTP: narrowed, rotated, bounded in time, and never more than whoever makes them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from scheduler.adapters.database.schema.people import tokens
from scheduler.core.model.tenant import Role, Scope
from tests.builders.api import ApiWorld
from tests.builders.eventually import eventually

VIEWER = {"name": "t", "role": "viewer", "tenant": "demo"}


def make(client: TestClient, **wishes: Any) -> Any:
    return client.post("/v1/tokens", json={**VIEWER, **wishes})


def days_left(token: Any) -> float:
    return (datetime.fromisoformat(token["expires_at"]) - datetime.now(UTC)) / timedelta(days=1)


def test_a_token_ends_after_ninety_days_unless_said_otherwise_and_after_a_year_at_most(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    assert 89.9 < days_left(make(operator).json()) < 90
    assert 364.9 < days_left(make(operator, expires_in_days=365).json()) < 365
    assert make(operator, expires_in_days=366).status_code == 422


def test_a_token_makes_none_that_outlasts_it_but_a_login_does(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    short = world.bearer(make(operator, role="tenant-admin", expires_in_days=10).json()["secret"])
    assert make(short, expires_in_days=10).status_code == 403
    assert "outlast your own token" in make(short, expires_in_days=11).json()["detail"]
    assert make(short, expires_in_days=9).status_code == 201
    assert 9.9 < days_left(make(short).json()) < 10
    login = world.bearer(None).post("/v1/login/exchange", json={"id_token": "lea.demo-leads"}).json()
    assert 89.9 < days_left(make(world.bearer(login["secret"])).json()) < 90


def test_a_narrowed_token_grants_nothing_beyond_its_scope(world: ApiWorld) -> None:
    narrow = world.bearer(world.new_token(Role.OPERATOR, scope=frozenset({Scope.ACCESS_WRITE, Scope.JOBS_READ})))
    for scope in (None, ["jobs:write"], ["jobs:read", "jobs:write"]):
        answer = make(narrow, scope=scope)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    made = make(narrow, scope=["jobs:read"]).json()
    assert made["scope"] == ["jobs:read"]
    reader = world.bearer(made["secret"])
    assert reader.get("/v1/jobs").status_code == 200
    refused = reader.get("/v1/nodes")
    assert refused.status_code == 403
    assert "fleet:read" in refused.json()["detail"]


def test_an_expired_token_opens_nothing_and_gets_no_new_secret(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    made = make(operator, expires_in_days=1).json()
    holder = world.bearer(made["secret"])
    assert holder.get("/v1/whoami").status_code == 200
    with world.storage.engines.writing.begin() as connection:
        over = update(tokens).where(tokens.c.id == made["id"]).values(expires_at=datetime.now(UTC))
        connection.execute(over)
    refused = holder.get("/v1/whoami")
    assert (refused.status_code, refused.json()["code"]) == (401, "not-authenticated")
    path, key = f"/v1/tokens/{made['id']}/rotate", {"Idempotency-Key": "once"}
    assert operator.post(path, json={}, headers=key).json()["code"] == "token-over"


@pytest.mark.parametrize("scope", [[], ["jobs"], ["jobs:read", "everything"], "jobs:read", ["*"]])
def test_a_scope_is_one_of_a_few_words(world: ApiWorld, scope: object) -> None:
    answer = make(world.client(Role.OPERATOR), scope=scope)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/scope")


def rotate(client: TestClient, token: str, key: str = "once", **wishes: Any) -> Any:
    return client.post(f"/v1/tokens/{token}/rotate", json=wishes, headers={"Idempotency-Key": key})


def test_a_rotated_token_opens_with_both_secrets_for_a_while(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    made = make(operator).json()
    new = rotate(operator, made["id"], overlap_s=3600).json()
    assert (new["id"], new["expires_at"]) == (made["id"], made["expires_at"])
    assert new["secret"] != made["secret"]
    for secret in (made["secret"], new["secret"]):
        assert world.bearer(secret).get("/v1/whoami").json()["token_id"] == made["id"]
    assert rotate(operator, made["id"]).json()["secret"] == new["secret"]
    last = rotate(operator, made["id"], "twice", overlap_s=0, expires_in_days=7).json()
    assert days_left(last) < 7
    opens = [world.bearer(each["secret"]).get("/v1/whoami").status_code for each in (made, new, last)]
    assert opens == [401, 401, 200]
    assert last["secret"] not in operator.get("/v1/audit").text


def test_a_rotation_needs_a_key_and_a_token_that_is_good_and_ones_own(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    made = make(operator).json()
    assert operator.post(f"/v1/tokens/{made['id']}/rotate", json={}).status_code == 422
    assert rotate(world.client(Role.TENANT_ADMIN, "beta"), made["id"]).status_code == 404
    assert rotate(operator, made["id"], overlap_s=10**9).status_code == 422
    operator.delete(f"/v1/tokens/{made['id']}")
    over = rotate(operator, made["id"])
    assert (over.status_code, over.json()["code"]) == (409, "token-over")


def test_nobody_gets_the_secret_of_a_token_that_is_more_than_their_own(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    wide = make(operator, role="tenant-admin", expires_in_days=300).json()
    narrow = world.bearer(world.new_token(Role.TENANT_ADMIN, scope=frozenset({Scope.ACCESS_WRITE})))
    short = world.bearer(make(operator, role="tenant-admin", expires_in_days=10).json()["secret"])
    for client in (narrow, short):
        assert rotate(client, wide["id"]).status_code == 403
    login = world.bearer(None).post("/v1/login/exchange", json={"id_token": "lea.demo-leads"}).json()
    its_id = world.bearer(login["secret"]).get("/v1/whoami").json()["token_id"]
    assert "came of a login" in rotate(operator, its_id).json()["detail"]


def test_that_a_token_is_used_is_shown(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    made = make(operator).json()
    assert made["last_used_at"] is None
    world.bearer(made["secret"]).get("/v1/whoami")

    def used() -> bool:
        tokens = {token["id"]: token for token in operator.get("/v1/tokens").json()["items"]}
        return tokens[made["id"]]["last_used_at"] is not None

    eventually(used, within_s=60)


def test_a_user_bounds_their_tokens(world: ApiWorld) -> None:
    operator, admin = world.client(Role.OPERATOR), world.client(Role.TENANT_ADMIN)
    assert operator.post("/v1/users", json={"name": "ada", "tenant": "demo", "role": "submitter"}).status_code == 201
    assert make(admin, user="ada", role="tenant-admin").status_code == 403
    ada = world.bearer(make(admin, user="ada", role="submitter").json()["secret"])
    assert ada.get("/v1/whoami").json()["name"] == "ada"
    for change, status in (
        ({"role": "viewer"}, 401),
        ({"role": "tenant-admin"}, 200),
        ({"is_disabled": True}, 401),
        ({"is_disabled": False}, 200),
        ({"role": None}, 200),
    ):
        assert admin.patch("/v1/users/ada", json=change).status_code == 200
        assert ada.get("/v1/whoami").status_code == status, change
    operator.patch("/v1/users/ada", json={"is_disabled": True})
    assert "disabled" in make(admin, user="ada").json()["detail"]
    moved = operator.patch("/v1/users/ada", json={"is_disabled": False, "tenant": "beta"}).json()
    assert (moved["tenant"], moved["is_disabled"], ada.get("/v1/whoami").status_code) == ("beta", False, 401)
    assert admin.patch("/v1/users/ada", json={"is_disabled": True}).status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"role": "operator"}, 422),
        ({"role": "operator", "tenant": None}, 403),
        ({"tenant": "beta"}, 403),
        ({"tenant": None}, 403),
        ({"name": "eve"}, 422),
        ({"is_disabled": "yes"}, 422),
        ({"tenant": "no-such-tenant"}, 403),
    ],
)
def test_a_tenants_administrator_changes_users_within_the_tenant(
    world: ApiWorld, change: dict[str, Any], status: int
) -> None:
    world.client(Role.OPERATOR).post("/v1/users", json={"name": "ada", "tenant": "demo"})
    assert world.client(Role.TENANT_ADMIN).patch("/v1/users/ada", json=change).status_code == status


def test_an_operator_is_told_what_does_not_go_together(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    unfit = operator.post("/v1/users", json={"name": "ada", "role": "submitter"})
    assert (unfit.status_code, unfit.json()["errors"][0]["pointer"]) == (422, "/role")
    operator.post("/v1/users", json={"name": "ada", "tenant": "demo"})
    assert operator.patch("/v1/users/ada", json={"tenant": "nobody"}).json()["code"] == "unknown-reference"
    assert operator.patch("/v1/users/eve", json={"role": None}).status_code == 404
