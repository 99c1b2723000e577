"""Lists of which only some fields are asked for."""

import pytest

from scheduler.core.model.tenant import Role
from tests.builders.api import ApiWorld

LISTS = {
    "/v1/jobs": "id,state",
    "/v1/jobs/rows": "id,priority",
    "/v1/nodes": "name,drain",
    "/v1/tenants": "name",
    "/v1/users": "name,role",
    "/v1/tokens": "id,name",
    "/v1/audit": "number,actor",
    "/v1/history": "id,state",
    "/v1/chips": "name,vendor",
    "/v1/clusters": "name",
    "/v1/pools": "name,devices_free",
    "/v1/tenants/demo/quotas": "chip",
    "/v1/queues": "name,weight",
    "/v1/queues/demo/quotas": "resource,limit",
    "/v1/shares": "queue,held",
    "/v1/chip-groups": "name",
}


@pytest.mark.parametrize("path", LISTS)
def test_items_have_the_fields_that_were_asked_for(world: ApiWorld, path: str) -> None:
    world.client().post(f"/v1/jobs/{world.submit()}/cancel")
    operator = world.client(Role.OPERATOR)
    operator.post("/v1/users", json={"name": "ada", "tenant": "demo"})
    operator.put("/v1/tenants/demo/quotas/h100-sxm", json={"devices": 2})
    operator.put("/v1/chip-groups/fast", json={"chips": ["h100-sxm"]})
    whole = operator.get(path).json()
    some = operator.get(f"{path}?fields={LISTS[path]}").json()
    fields = LISTS[path].split(",")
    assert some["items"]
    assert some["items"] == [{field: item[field] for field in fields} for item in whole["items"]]
    assert some["next"] == whole["next"]


def test_a_table_as_csv_has_the_columns_that_were_asked_for(world: ApiWorld) -> None:
    world.client().post(f"/v1/jobs/{world.submit()}/cancel")
    answer = world.client().get("/v1/history?format=csv&fields=name,state")
    assert answer.text.splitlines() == ["name,state", "first,cancelled"]


@pytest.mark.parametrize(("fields", "says"), [("id,stat", "did you mean `state`?"), ("qqqq", "known here: id, tenant")])
def test_a_field_that_there_is_not_is_refused_with_what_there_is(world: ApiWorld, fields: str, says: str) -> None:
    answer = world.client().get(f"/v1/jobs?fields={fields}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/fields")
    assert says in answer.json()["next"]


@pytest.mark.parametrize("fields", ["", ",", "id,", "id, name", "Id", "x" * 64])
def test_what_names_no_fields_is_refused(world: ApiWorld, fields: str) -> None:
    assert world.client().get("/v1/jobs", params={"fields": fields}).status_code == 422


def test_a_quota_is_changed_by_those_who_read_the_present_one(world: ApiWorld) -> None:
    operator, path = world.client(Role.OPERATOR), "/v1/tenants/demo/quotas/h100-sxm"
    assert operator.put(path, json={"devices": 2}, headers={"If-Match": "*"}).status_code == 412
    assert operator.get(path).status_code == 404
    made = operator.put(path, json={"devices": 2})
    read = world.client(Role.VIEWER).get(path)
    assert (read.json()["devices"], read.headers["ETag"]) == (2, made.headers["ETag"])
    assert world.client(Role.VIEWER, "beta").get(path).status_code == 404
    newer = operator.put(path, json={"devices": 4}, headers={"If-Match": read.headers["ETag"]})
    assert newer.status_code == 200
    late = operator.put(path, json={"devices": 8}, headers={"If-Match": read.headers["ETag"]})
    assert (late.status_code, late.json()["code"]) == (412, "has-changed")
    assert operator.delete(path, headers={"If-Match": read.headers["ETag"]}).status_code == 412
    assert operator.get(path).json()["devices"] == 4
    assert operator.delete(path, headers={"If-Match": newer.headers["ETag"]}).status_code == 204
