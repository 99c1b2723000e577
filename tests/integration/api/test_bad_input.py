"""Bad input: a clear problem, and nothing stored."""

import json
from typing import Any

import pytest

from scheduler.core.model.tenant import Role
from tests.builders.api import JOB, ApiWorld

JSON = {"Content-Type": "application/json"}


def with_changes(**changes: Any) -> bytes:
    return json.dumps({**JOB, **changes}).encode()


@pytest.mark.parametrize(
    ("body", "want_status", "want_pointer"),
    [
        (b"", 422, ""),
        (b"{", 400, None),
        (b"\xff\xfe", 400, None),
        (b'{"name": NaN}', 400, None),
        (b'{"name": "\\ud800"}', 400, None),
        (b"[" * 100_000, 400, None),
        (b'{"a":' * 1000 + b"1" + b"}" * 1000, 400, None),
        (b'"' + b"x" * (1024 * 1024) + b'"', 413, None),
        (b"null", 422, ""),
        (b"[]", 422, ""),
        (b'"job"', 422, ""),
        (b"{}", 422, "/name"),
        (with_changes(name=None), 422, "/name"),
        (with_changes(name=7), 422, "/name"),
        (with_changes(name="x" * 1_000_000), 422, "/name"),
        (with_changes(name="a\u0000b"), 422, "/name"),
        (with_changes(name="\u202egnp"), 422, "/name"),
        (with_changes(workers=0), 422, "/workers"),
        (with_changes(workers=-4), 422, "/workers"),
        (with_changes(workers=10**9), 422, "/workers"),
        (with_changes(workers=10**300), 422, "/workers"),
        (with_changes(workers="4"), 422, "/workers"),
        (with_changes(workers=2.5), 422, "/workers"),
        (with_changes(workers=True), 422, "/workers"),
        (with_changes(devices_per_worker=10**9), 422, "/devices_per_worker"),
        (with_changes(memory_mib=1e308), 422, "/memory_mib"),
        (with_changes(chips="h900"), 422, "/chips"),
        (with_changes(chips=["h100-sxm", "h900"]), 422, "/chips/1"),
        (with_changes(chips={"h100-sxm": 1, "h900": 1}), 422, "/chips/h900"),
        (with_changes(chips={"h100-sxm": -2}), 422, "/chips/h100-sxm"),
        (with_changes(chips={"h100-sxm": 10**9}), 422, "/chips/h100-sxm"),
        (with_changes(command=["x" * 5000]), 422, "/command/0"),
        (with_changes(command=["a\u0000"]), 422, "/command/0"),
        (with_changes(command=["x"] * 200_000), 422, "/command"),
        (with_changes(environment={"LD_PRELOAD": "evil.so"}), 422, "/environment/LD_PRELOAD"),
        (with_changes(environment={"A/B": "x"}), 422, "/environment/A~1B"),
        (with_changes(labels={"team": "\u202e"}), 422, "/labels/team"),
        (with_changes(training={"steps": 1}), 422, "/training"),
        (with_changes(share={"milli": 0, "memory_mib": 1}), 422, "/share/milli"),
        (with_changes(share={"milli": 1000, "memory_mib": 1}), 422, "/share/milli"),
        (with_changes(share={"milli": 500, "memory_mib": 10**12}), 422, "/share/memory_mib"),
        (with_changes(share={"milli": 500, "memory_mib": 1}, devices_per_worker=1), 422, "/share"),
        (with_changes(share="half"), 422, "/share"),
        (with_changes(devices_per_worker=0), 422, "/share"),
        (with_changes(choose="cheapest"), 422, "/choose"),
        (with_changes(alternatives=[{"workers": 10**9}]), 422, "/alternatives/0/workers"),
        (with_changes(alternatives=[{"chips": "h900"}]), 422, "/alternatives/0/chips"),
        (with_changes(alternatives=[{"chips": ["mi300x", "h900"]}]), 422, "/alternatives/0/chips/1"),
        (with_changes(alternatives=[{"chips": {"h100-sxm": 1}}]), 422, "/alternatives/0/chips"),
        (with_changes(workers=None, chips={"h100-sxm": 2}, alternatives=[{"workers": 4}]), 422, "/alternatives"),
        (with_changes(roles=[{"name": "worker"}]), 422, "/roles/0/name"),
        (with_changes(roles=[{"name": "a"}, {"name": "a"}]), 422, "/roles"),
        (with_changes(roles=[{"name": "a", "devices_per_worker": 1}]), 422, "/roles/0/chips"),
        (with_changes(roles=[{"name": "a", "devices_per_worker": 1, "chips": "h900"}]), 422, "/roles/0/chips"),
        (with_changes(roles=[{"name": "a", "workers": 1023}]), 422, "/roles"),
        (with_changes(roles=[{"name": "a", "command": ["a\u0000"]}]), 422, "/roles/0/command/0"),
        (with_changes(topology={"require": "\u202e"}), 422, "/topology/require"),
        (with_changes(topology={"prefer": ["rack", 7]}), 422, "/topology/prefer/1"),
        (with_changes(topology={"prefer": ["x"] * 100_000}), 422, "/topology/prefer"),
        (with_changes(topology={"require": "node"}, spread={"most": 1}), 422, "/spread"),
        (with_changes(spread={"level": "rack", "most": 0}), 422, "/spread/most"),
        (with_changes(apart={"level": "rack"}), 422, "/apart/labels"),
        (with_changes(apart={"labels": {}}), 422, "/apart/labels"),
        (with_changes(exclusive="yes"), 422, "/exclusive"),
        (with_changes(node_labels={"zone": "\u202e"}), 422, "/node_labels/zone"),
        (with_changes(tenant="beta"), 422, "/tenant"),
        (with_changes(node="mixed/h100-sxm-0"), 422, "/node"),
    ],
)
def test_a_bad_job_is_refused_with_a_pointer_and_leaves_no_trace(
    world: ApiWorld, body: bytes, want_status: int, want_pointer: str | None
) -> None:
    client = world.client()
    before = world.rows()
    answer = client.post("/v1/jobs", content=body, headers=JSON)
    problem = answer.json()
    assert answer.status_code == want_status, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == want_status
    assert problem["type"] == f"/problems/{problem['code']}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert len(answer.content) < 10_000
    pointers = [error["pointer"] for error in problem["errors"]]
    assert want_pointer is None or want_pointer in pointers, problem
    assert world.rows() == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": ";;;"},
    ],
)
def test_a_body_that_is_not_called_json_is_refused(world: ApiWorld, headers: dict[str, str]) -> None:
    answer = world.client().post("/v1/jobs", content=with_changes(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize("key", ["", " ", "a\tb", "x" * 201, "schlüssel"])
def test_a_bad_idempotency_key_is_refused(world: ApiWorld, key: str) -> None:
    client = world.client()
    before = world.rows()
    answer = client.post(
        "/v1/jobs",
        content=with_changes(),
        headers={b"Content-Type": b"application/json", b"Idempotency-Key": key.encode()},
    )
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/header/Idempotency-Key"]
    assert world.rows() == before


@pytest.mark.parametrize(
    ("query", "want_pointer"),
    [
        ("limit=0", "/query/limit"),
        ("limit=201", "/query/limit"),
        ("limit=1e9", "/query/limit"),
        ("limit=ten", "/query/limit"),
        ("cursor=", "/query/cursor"),
        ("cursor=nonsense", "/query/cursor"),
        ("cursor=" + "A" * 600, "/query/cursor"),
        ("state=sleeping", "/query/state/0"),
        ("state=" + "&state=".join(["queued"] * 20), "/query/state"),
        ("name=%00", "/query/name"),
        ("label=team", "/query/label"),
        ("label=%00:a", "/query/label"),
        ("chip=%27%20OR%201=1", "/query/chip"),
        ("submitted_by=%e2%80%ae", "/query/submitted_by"),
        ("limitt=5", "/query/limitt"),
    ],
)
def test_a_bad_query_is_refused_with_the_parameters_name(world: ApiWorld, query: str, want_pointer: str) -> None:
    answer = world.client().get(f"/v1/jobs?{query}")
    assert answer.status_code == 422
    assert want_pointer in [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("job", ["x", "%00", "0" * 5000, "..", "%2e%2e%2fetc", "ABCDEFGHIJKLMNOP", "%e2%80%ae", "a b"])
def test_an_id_that_cannot_be_one_is_not_found(world: ApiWorld, job: str) -> None:
    answer = world.client().get(f"/v1/jobs/{job}/why")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_misspelled_field_gets_a_suggestion(world: ApiWorld) -> None:
    problem = world.client().post("/v1/jobs", json={**JOB, "retrys": 3}).json()
    assert problem["next"] == "did you mean `retries`?"
    problem = world.client().post("/v1/jobs", json={**JOB, "topology": {"required": "rack"}}).json()
    assert problem["next"] == "did you mean `require`?"
    problem = world.client().post("/v1/jobs", json={**JOB, "roles": [{"name": "a", "worker": 1}]}).json()
    assert problem["next"] == "did you mean `workers`?"
    problem = world.client().get("/v1/jobs?limitt=5").json()
    assert problem["next"] == "did you mean `limit`?"


def test_a_misspelled_chip_gets_a_suggestion(world: ApiWorld) -> None:
    problem = world.client().post("/v1/jobs", json={**JOB, "chips": "h100-smx"}).json()
    assert problem["code"] == "unknown-chip"
    assert "did you mean h100-sxm?" in problem["next"]


def test_an_unknown_address_and_a_wrong_method_are_problems_too(world: ApiWorld) -> None:
    client = world.client()
    unknown = client.get("/v2/jobs")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no-such-route")
    wrong = client.put("/v1/jobs", json={})
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method-not-allowed")
    assert wrong.headers["allow"] == "GET, POST"
    assert client.get("/v1/jobs/").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "want_pointer"),
    [
        ("POST", "/v1/tenants", {"name": "De mo"}, "/name"),
        ("POST", "/v1/tenants", {"name": "x" * 64}, "/name"),
        ("POST", "/v1/users", {"name": "a\u202eb"}, "/name"),
        ("POST", "/v1/users", {"name": "ada", "tenant": "nobody"}, "/tenant"),
        ("POST", "/v1/tokens", {"name": "a\nb", "role": "viewer", "tenant": "demo"}, "/name"),
        ("POST", "/v1/tokens", {"name": "a", "role": "king", "tenant": "demo"}, "/role"),
        ("POST", "/v1/tokens", {"name": "a", "role": "viewer"}, "/tenant"),
        ("POST", "/v1/tokens", {"name": "a", "role": "viewer", "tenant": "nobody"}, "/tenant"),
        ("POST", "/v1/tokens", {"name": "a", "role": "operator", "tenant": "demo"}, "/tenant"),
        ("POST", "/v1/tokens", {"name": "a", "role": "viewer", "tenant": "demo", "user": "nobody"}, "/user"),
        ("POST", "/v1/tokens", {"name": "a", "role": "auditor", "expires_in_days": 0}, "/expires_in_days"),
        ("POST", "/v1/tokens", {"name": "a", "role": "auditor", "expires_in_days": 10**9}, "/expires_in_days"),
        ("PUT", "/v1/tenants/demo/quotas/h100-sxm", {"devices": -1}, "/devices"),
        ("PUT", "/v1/tenants/demo/quotas/h100-sxm", {"devices": 10**12}, "/devices"),
        ("PUT", "/v1/tenants/demo/quotas/h100-sxm", {"devices": True}, "/devices"),
        ("PUT", "/v1/chips/new", {"vendor": "a\u0000", "model": "b"}, "/vendor"),
        ("PUT", "/v1/chips/new", {"measured_tflops": -1.0}, "/measured_tflops"),
        ("PUT", "/v1/chips/new", {"estimated_fields": ["vendor"]}, "/estimated_fields/0"),
    ],
)
def test_a_bad_change_by_an_operator_leaves_no_trace(
    world: ApiWorld, method: str, path: str, body: dict[str, Any], want_pointer: str
) -> None:
    client = world.client(Role.OPERATOR)
    before = world.rows()
    answer = client.request(method, path, json=body)
    assert answer.status_code == 422, answer.text
    assert want_pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert world.rows() == before


@pytest.mark.parametrize("name", ["X", "%00", "a%20b", "x" * 64])
def test_a_chip_type_needs_a_name_that_jobs_can_write(world: ApiWorld, name: str) -> None:
    body = {"vendor": "a", "model": "b", "torch_device": "cuda", "collective_library": "nccl"}
    assert world.client(Role.OPERATOR).put(f"/v1/chips/{name}", json=body).status_code == 404
