"""The server itself: who am I, which version, what can it do."""

import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.answers.access import scope_answer
from api.answers.job_schema import job_schema
from api.login.sessions import csrf_token
from api.schemas.access import WhoAmI
from api.schemas.service import VersionAnswer
from api.web.callers import Wanted
from api.web.dependencies import Caller, Context
from api.web.guarded_route import GuardedRoute
from scheduler.core.model.tenant import Principal

router = APIRouter(tags=["service"], route_class=GuardedRoute)


@router.get("/v1/whoami", operation_id="show_myself")
async def show_myself(request: Request, context: Context, caller: Caller) -> WhoAmI:
    """Say whose token this is and what it may do."""
    is_session = "authorization" not in request.headers
    return WhoAmI(
        name=caller.name,
        role=caller.role,
        tenant=caller.tenant,
        token_id=caller.token_id,
        scope=scope_answer(caller.scope),
        may=_operations_open_to(caller, request),
        expires_at=caller.expires_at,
        csrf_token=csrf_token(context.secrets, caller.token_id) if is_session else None,
    )


def _operations_open_to(caller: Principal, request: Request) -> tuple[str, ...]:
    wanted: Sequence[Wanted] = request.app.state.operations
    return tuple(sorted(each.operation for each in wanted if each.is_open_to(caller)))


@router.get("/v1/version", operation_id="show_version")
async def show_version() -> VersionAnswer:
    """Say which Medley this is."""
    return VersionAnswer(version=version("medley"), api="v1")


@router.get("/v1/job-schema.json", operation_id="show_job_schema", include_in_schema=False)
async def show_job_schema() -> Response:
    """Return the JSON Schema of job files, for editors."""
    return Response(_job_schema(), media_type="application/schema+json")


@cache
def _job_schema() -> bytes:
    return json.dumps(job_schema()).encode()


@router.get("/openapi.json", operation_id="show_openapi", include_in_schema=False)
async def show_openapi(request: Request) -> Response:
    """Return the OpenAPI 3.1 document of this API."""
    return Response(json.dumps(request.app.openapi()).encode(), media_type="application/json")
