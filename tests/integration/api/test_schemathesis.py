"""The whole OpenAPI document, tried with what schemathesis makes up: no 5xx, nothing undocumented."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from api.permissions import PERMISSIONS, Open
from scheduler.core.model.tenant import Role
from tests.builders.api import ApiWorld, GoneAfterFirstChunk, open_world

UNDOCUMENTED = {"show_openapi", "show_job_schema", "show_dashboard", "show_dashboard_file"}
"""The document itself, the schema of job files, and the files of the dashboard: no part of the API."""
DOCUMENTED = sorted(PERMISSIONS.keys() - UNDOCUMENTED)
OF_ONE_JOB = [
    name
    for name in DOCUMENTED
    if "job" in name and name not in ("submit_job", "try_job", "suppose_job", "list_jobs", "list_job_rows")
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FEW = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with open_world(tmp_path_factory.mktemp("schemathesis")) as opened:
        yield opened


@pytest.fixture(scope="module", autouse=True)
def attempt(world: ApiWorld) -> str:
    """A live attempt's id."""
    job = world.submit()
    world.step()
    return str(world.client().get(f"/v1/jobs/{job}").json()["attempts"][-1]["id"])


@pytest.fixture(scope="module")
def document(world: ApiWorld) -> OpenApiSchema:
    return schemathesis.openapi.from_asgi("/openapi.json", GoneAfterFirstChunk(world.app))


@pytest.mark.parametrize("operation", DOCUMENTED)
@pytest.mark.parametrize("role", [Role.OPERATOR, Role.TENANT_ADMIN])
def test_people_get_only_documented_answers(
    world: ApiWorld, document: OpenApiSchema, operation: str, role: Role
) -> None:
    try_out(document, operation, token=world.token(role), known_ids={})


@pytest.mark.parametrize("operation", [name for name in DOCUMENTED if PERMISSIONS[name] is Open.ATTEMPT])
def test_workers_get_only_documented_answers(
    world: ApiWorld, document: OpenApiSchema, attempt: str, operation: str
) -> None:
    token = world.context.attempt_tokens.mint(attempt, 1)
    try_out(document, operation, token=token, known_ids={"attempt": attempt})


@pytest.mark.parametrize("operation", OF_ONE_JOB)
def test_a_real_jobs_routes_give_only_documented_answers(
    world: ApiWorld, document: OpenApiSchema, attempt: str, operation: str
) -> None:
    job = attempt.partition("-")[0]
    try_out(document, operation, token=world.token(Role.TENANT_ADMIN), known_ids={"job": job})


def try_out(document: OpenApiSchema, name: str, *, token: str, known_ids: dict[str, str]) -> None:
    """Call an operation with data that fits its schema, and with data that does not."""
    operation = document.find_operation_by_id(name)
    taken = {parameter.name for parameter in operation.path_parameters} & set(known_ids)

    # What takes no input and no token cannot be called wrongly.
    is_public = PERMISSIONS[name] is Open.PUBLIC
    for mode in [GenerationMode.POSITIVE] if is_public else list(GenerationMode):

        @FEW
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case: schemathesis.Case[Any]) -> None:
            case.path_parameters = {**(case.path_parameters or {}), **{key: known_ids[key] for key in taken}}
            if case.query and {"wait", "wait_s"} & set(case.query):
                case.query["wait_s"] = "0"  # left out, it is longer than the schema's client waits for an answer
            case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})

        call()
