"""The server itself: health, request ids, headers, and what happens when something breaks."""

import logging
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.context import Check
from api.schemas.text import FORMS
from scheduler.core.ledger.changes import Release
from scheduler.core.model.tenant import Role
from tests.builders.api import JOB, ApiWorld


def test_readiness_names_what_does_not_work(world: ApiWorld) -> None:
    client = world.bearer(None)
    assert client.get("/readyz").json()["status"] == "ready"
    world.checks.append(Check("deciding", is_ok=False, detail="made no step for 40 s"))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
    assert answer.json()["errors"] == [{"pointer": "/checks/deciding", "detail": "made no step for 40 s"}]
    assert answer.headers["retry-after"]
    assert client.get("/livez").status_code == 200


def test_one_cluster_that_does_not_answer_leaves_the_server_ready(world: ApiWorld) -> None:
    world.checks.append(Check("reconciling east", is_ok=False, detail="does not answer", is_required=False))
    answer = world.bearer(None).get("/readyz")
    assert answer.status_code == 200
    assert {"name": "reconciling east", "is_ok": False, "detail": "does not answer"} in answer.json()["checks"]


def test_the_process_is_alive_even_without_its_database(world: ApiWorld) -> None:
    client, guarded = world.bearer(None), world.client()
    world.storage.close()
    assert client.get("/livez").status_code == 200
    assert client.get("/v1/version").json()["api"] == "v1"
    answer = guarded.post("/v1/jobs", json=dict(JOB))
    assert (answer.status_code, answer.json()["code"]) == (503, "storage-unavailable")
    assert answer.headers["retry-after"]


def test_a_well_formed_request_id_comes_back_and_any_other_is_replaced(world: ApiWorld) -> None:
    client = world.bearer(None)
    assert client.get("/livez", headers={"X-Request-Id": "my-request-1"}).headers["x-request-id"] == "my-request-1"
    for given in ("short", "x" * 65, "a b c d e f", "<script>alert(1)</script>"):
        made = client.get("/livez", headers={"X-Request-Id": given}).headers["x-request-id"]
        assert made != given
        assert len(made) == 32


@pytest.mark.parametrize("path", ["/livez", "/v1/jobs", "/nowhere"])
def test_every_answer_has_the_headers_that_keep_browsers_out_of_trouble(world: ApiWorld, path: str) -> None:
    headers = world.bearer(None).get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


def test_what_nobody_foresaw_is_logged_with_its_id_and_says_nothing_of_the_inside(
    world: ApiWorld, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def __getattr__(self, name: str) -> object:
            raise RuntimeError("the password is swordfish")

    app = create_app(replace(world.context, views=Broken()))  # type: ignore[arg-type]  # broken on purpose
    broken = TestClient(app, headers={"Authorization": f"Bearer {world.token(Role.VIEWER)}"})
    with caplog.at_level(logging.ERROR):
        answer = broken.get("/v1/pools", headers={"X-Request-Id": "find-me-again"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "swordfish" not in answer.text
    assert "find-me-again" in answer.json()["next"]
    assert "find-me-again" in caplog.text
    assert "swordfish" in caplog.text


def test_every_answer_and_body_of_the_document_has_an_example(world: ApiWorld) -> None:
    document = world.bearer(None).get("/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]

    def has_example(content: dict[str, Any]) -> bool:
        reference = content["schema"].get("$ref", "").rpartition("/")[2]
        schema = document["components"]["schemas"].get(reference, {})
        return "example" in content or bool(schema.get("examples"))

    contents = [
        (f"{operation['operationId']} {part}", content)
        for operation in operations
        for part, said in [("body", operation.get("requestBody", {})), *operation["responses"].items()]
        for content in said.get("content", {}).values()
    ]
    assert len(contents) > 100
    assert not [where for where, content in contents if not has_example(content)]
    answerless = [
        operation["operationId"]
        for operation in operations
        if not any(status < "300" and said.get("content") for status, said in operation["responses"].items())
    ]
    assert set(answerless) == {
        "begin_login", "end_session", "finish_login", "lift_queue_quota", "lift_quota", "register_rendezvous",
        "remove_chip_group", "remove_profile", "remove_queue", "remove_throughput", "report_progress"
    }  # fmt: skip


def test_every_form_that_a_body_or_parameter_must_have_is_said_in_words(world: ApiWorld) -> None:
    def patterns(part: Any) -> set[str]:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        own = {part["pattern"]} if isinstance(part, dict) and isinstance(part.get("pattern"), str) else set()
        return own.union(*(patterns(each) for each in inner))

    document = world.bearer(None).get("/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    parameters = [given for operation in operations for given in operation.get("parameters", [])]
    found = patterns([document["components"]["schemas"], [given for given in parameters if given["in"] != "path"]])
    assert len(found) > 8
    assert found <= set(FORMS)


def test_the_document_describes_every_route(world: ApiWorld) -> None:
    document = world.bearer(None).get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) > 30
    assert all(operation["operationId"].islower() and operation["tags"] for operation in operations)
    assert document["components"]["schemas"]["JobRequest"]["examples"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    submit = document["paths"]["/v1/jobs"]["post"]
    assert set(submit["responses"]) == {"201", "400", "401", "403", "408", "409", "413", "415", "422", "429", "503"}
    assert submit["security"] == [{"token": []}, {"session": []}]


def test_an_operator_can_compare_memory_and_database(world: ApiWorld) -> None:
    world.submit()
    world.step()
    answer = world.client(Role.OPERATOR).get("/v1/scheduler/check").json()
    assert (answer["is_ok"], answer["differences"], answer["capacity_errors"]) == (True, [], [])
    assert answer["change"] == world.storage.views.last_change()
    with world.context.followed.hold() as state:
        state.ledger.apply(Release(next(iter(state.live))))
    answer = world.client(Role.AUDITOR).get("/v1/scheduler/check").json()
    assert (answer["is_ok"], answer["is_equal"], len(answer["differences"])) == (False, False, 1)
    assert answer["next"].startswith("restart this server")
