"""The whole OpenAPI document, tried with what schemathesis makes up: no 5xx, nothing undocumented."""

import asyncio
from collections.abc import Iterator

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
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.permissions import PERMISSIONS, Open
from scheduler.core.model.tenant import Role
from tests.builders.api import ApiWorld, open_world

DOCUMENTED = sorted(name for name in PERMISSIONS if name != "show_openapi")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class GoneAfterFirstChunk:
    """A client that leaves an event stream once it began: streams do not end by themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = asyncio.Event()
        is_stream = is_over = False

        async def receive_or_leave() -> Message:
            if is_stream:
                await began.wait()
                return {"type": "http.disconnect"}
            return await receive()

        async def send_watched(message: Message) -> None:
            nonlocal is_stream, is_over
            if message["type"] == "http.response.start":
                is_stream = any(value.startswith(b"text/event-stream") for _, value in message["headers"])
            else:
                is_over = not message.get("more_body", False)
                began.set()
            await send(message)

        await self._app(scope, receive_or_leave, send_watched)
        if is_stream and not is_over:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with open_world(tmp_path_factory.mktemp("schemathesis")) as opened:
        yield opened


@pytest.fixture(scope="module")
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


@pytest.mark.parametrize("operation", [name for name in DOCUMENTED if "job" in name])
def test_a_real_jobs_routes_give_only_documented_answers(
    world: ApiWorld, document: OpenApiSchema, attempt: str, operation: str
) -> None:
    job = attempt.partition("-")[0]
    try_out(document, operation, token=world.token(Role.TENANT_ADMIN), known_ids={"job": job})


def try_out(document: OpenApiSchema, name: str, *, token: str, known_ids: dict[str, str]) -> None:
    """Call an operation with data that fits its schema, and with data that does not."""
    operation = document.find_operation_by_id(name)
    taken = {parameter.name for parameter in operation.path_parameters} & set(known_ids)

    for mode in GenerationMode:

        @FEW
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case: schemathesis.Case) -> None:
            case.path_parameters = {**(case.path_parameters or {}), **{key: known_ids[key] for key in taken}}
            if case.query and "wait_s" in case.query:
                case.query["wait_s"] = "0"
            case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})

        call()
