"""The server itself: who am I, which version, what can it do."""

import json
from importlib.metadata import version

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.schemas.access import WhoAmI
from api.schemas.service import VersionAnswer
from api.web.dependencies import Caller
from api.web.guarded_route import GuardedRoute

router = APIRouter(tags=["service"], route_class=GuardedRoute)


@router.get("/v1/whoami", operation_id="show_myself")
async def show_myself(caller: Caller) -> WhoAmI:
    """Say whose token this is and what it may do."""
    return WhoAmI(name=caller.name, role=caller.role, tenant=caller.tenant, token_id=caller.token_id)


@router.get("/v1/version", operation_id="show_version")
async def show_version() -> VersionAnswer:
    """Say which Medley this is."""
    return VersionAnswer(version=version("medley"), api="v1")


@router.get("/openapi.json", operation_id="show_openapi", include_in_schema=False)
async def show_openapi(request: Request) -> Response:
    """Return the OpenAPI 3.1 document of this API."""
    return Response(json.dumps(request.app.openapi()).encode(), media_type="application/json")
