"""Exceptions as problems: the one place where an error of any origin becomes an answer."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.problems import Code, FieldError, Problem, Refusal, unavailable
from api.web.field_errors import field_errors, nearest_field, summary
from scheduler.ports.cluster import ClusterUnavailable
from scheduler.ports.journal import StorageUnavailable

logger = logging.getLogger(__name__)


def install_failures(app: FastAPI) -> None:
    """Make the application answer every error with a problem document."""
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(StorageUnavailable, _on_storage_unavailable)
    app.add_exception_handler(ClusterUnavailable, _on_cluster_unavailable)


def not_found(what: str) -> Problem:
    """Return the problem of an id that names nothing the caller may see; the same whether or not it exists."""
    return Problem(Code.NOT_FOUND, f"There is no such {what}, or it is not yours to see.")


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if isinstance(error, Refusal):
        return _respond(request, error.problem)
    if not isinstance(error, HTTPException):
        raise error
    return _respond(request, _framework_problem(request, error))


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors: list[Mapping[str, Any]] = list(error.errors())
    ill_formed = next((str(found["loc"][1]) for found in errors if found["loc"][0] == "path"), None)
    if ill_formed is not None:
        return _respond(request, not_found(ill_formed))
    details = field_errors(errors, error.body)
    hint = nearest_field(errors, request.scope.get("route"))
    return _respond(request, Problem(Code.INVALID_REQUEST, summary(details), hint, details))


async def _on_storage_unavailable(request: Request, error: Exception) -> Response:
    logger.warning("request %s: storage is unavailable: %s", request.state.request_id, error)
    return _respond(request, unavailable(Code.STORAGE_UNAVAILABLE, "Nothing is known to be written."))


async def _on_cluster_unavailable(request: Request, error: Exception) -> Response:
    logger.warning("request %s: the cluster is unavailable: %s", request.state.request_id, error)
    return _respond(request, unavailable(Code.CLUSTER_UNAVAILABLE, "What its workers printed cannot be read now."))


def _framework_problem(request: Request, error: HTTPException) -> Problem:
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return Problem(Code.NO_SUCH_ROUTE, "Nothing is served under this address.", "see /openapi.json")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = ", ".join(_methods_of(request))
            detail = f"This address takes {allowed}."
            return Problem(Code.METHOD_NOT_ALLOWED, detail, "see /openapi.json", headers={"Allow": allowed})
    return Problem(Code.BAD_REQUEST, str(error.detail)[:200])


def _methods_of(request: Request) -> list[str]:
    """Return the methods of all routes of the request's path; the framework names those of the first one only."""
    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        if context.path_regex.match(request.scope["path"]):
            found |= set(context.methods or ())
    return sorted(found)


def _respond(request: Request, problem: Problem) -> Response:
    return problem.respond(request.state.request_id)


def unknown_reference(pointer: str, what: str, next_step: str | None = None) -> Refusal:
    """Return the refusal of a body that names something that does not exist."""
    error = FieldError(pointer, f"there is no {what}")
    return Refusal(Problem(Code.UNKNOWN_REFERENCE, f"There is no {what}.", next_step, (error,)))
