"""The outermost frame of a request: its id, the headers of every answer, and what nobody foresaw."""

import asyncio
import logging
import re
import time
import uuid
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Code, Problem, unavailable
from scheduler.ports.telling.log_context import about
from scheduler.ports.telling.telemetry import SILENCE, Telemetry
from scheduler.ports.telling.tracing import NO_TRACES, Span, Tracer, clean_traceparent

logger = logging.getLogger(__name__)

REQUEST_ID_HEADER = "X-Request-Id"
NO_OPERATION = "none"
"""What a request counts as that no route took."""
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")
ANSWER_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class RequestFrame:
    """ASGI middleware around everything else.

    It gives each request an id (the client's own where it is well-formed), sets the headers of every answer, and turns
    an unforeseen exception into a problem that says nothing of the inside. A request that the ending server cancels is
    answered too: one that waits is told to come back, a stream ends.
    """

    def __init__(self, app: ASGIApp, *, telemetry: Telemetry = SILENCE, tracer: Tracer = NO_TRACES) -> None:
        self._app = app
        self._tracer = tracer
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        parent = clean_traceparent(headers.get("traceparent"))
        with about(request_id=request_id), self._tracer.serve(scope["method"], parent) as span:
            await self._serve(scope, receive, send, span)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, span: Span) -> None:
        request_id = scope["state"]["request_id"]
        has_begun = False
        came_s = time.monotonic()

        async def send_framed(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                operation = scope["state"].get("operation", NO_OPERATION)
                self._telemetry.answered(operation, message["status"], time.monotonic() - came_s)
                if self._tracer.is_on:
                    _describe(span, scope, operation, message["status"])
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID_HEADER] = request_id
                for name, value in {**ANSWER_HEADERS, **scope["state"].get("rate_headers", {})}.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_framed)
        except asyncio.CancelledError:
            if has_begun:
                await send_framed({"type": "http.response.body", "body": b"", "more_body": False})
            else:
                ending = unavailable(Code.ENDING, "It did not wait for this request any longer.")
                await ending.respond(request_id)(scope, receive, send_framed)
        except Exception:
            logger.exception("request %s failed: %s %r", request_id, scope["method"], scope["path"][:200])
            if has_begun:
                raise
            next_step = f"try again; if it stays, tell the operator the request id {request_id}"
            problem = Problem(Code.INTERNAL_ERROR, "The server's log has the details.", next_step)
            await problem.respond(request_id)(scope, receive, send_framed)


def _describe(span: Span, scope: Scope, operation: str, status: int) -> None:
    """Name a request's span by its operation, never by its path: names are few."""
    method = scope["method"]
    noted: dict[str, str | int] = {
        "http.request.method": method,
        "http.response.status_code": status,
        "medley.operation": operation,
        "medley.request_id": scope["state"]["request_id"],
    }
    span.note(noted, name=f"{method} {operation}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.fail(f"answered {status}")


def _request_id(headers: Headers) -> str:
    given = headers.get(REQUEST_ID_HEADER, "")
    return given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
