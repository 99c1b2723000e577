"""Where browsers find the dashboard. Its files are public; what they show comes from the API, with a token."""

from collections.abc import Mapping
from types import MappingProxyType

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.dashboard.files import StaticFile, dashboard
from api.problems import Code, refuse
from api.web.guarded_route import GuardedRoute

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing but our own files runs or styles; no inline script, no text becomes HTML, no form is sent by itself."""
_PAGE_HEADERS: Mapping[str, str] = MappingProxyType(
    {"Cache-Control": "no-cache", "Content-Security-Policy": CONTENT_SECURITY_POLICY}
)
_FILE_HEADERS: Mapping[str, str] = MappingProxyType({"Cache-Control": "public, max-age=31536000, immutable"})
"""The address of a file changes with its content."""


@router.get("/", operation_id="show_dashboard")
async def show_dashboard(request: Request) -> Response:
    """Return the page."""
    return _respond(request, dashboard().page, _PAGE_HEADERS)


@router.get("/dashboard/{digest}/{name:path}", operation_id="show_dashboard_file")
async def show_dashboard_file(digest: str, name: str, request: Request) -> Response:
    """Return a file of the page."""
    shipped = dashboard()
    found = shipped.files.get(name) if digest == shipped.digest else None
    if found is None:
        raise refuse(Code.NO_SUCH_ROUTE, "This dashboard has no such file.", "load the page anew: Medley was replaced")
    return _respond(request, found, _FILE_HEADERS)


def _respond(request: Request, file: StaticFile, headers: Mapping[str, str]) -> Response:
    answer = {**headers, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.compressed, headers={**answer, "Content-Encoding": "gzip"}, media_type=file.media_type)
    return Response(file.content, headers=answer, media_type=file.media_type)
