"""The OpenAPI document: what the framework derives, completed with roles and with the problems that can occur."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from api.permissions import PERMISSIONS, Open, scope_of
from api.problems import MEDIA_TYPE
from api.schemas.service import ProblemAnswer
from scheduler.core.model.tenant import Role

TITLE = "Medley"
DESCRIPTION = (
    "Submit trainings to clusters that mix accelerators of many vendors, and see where each worker runs and why. "
    "Every error is an RFC 9457 problem document with a code, what to do next, and pointers to the offending fields. "
    "Any request may also be answered with 400, 408 or 431, where its head is not HTTP, too slow or too large, and "
    "with 503 where more clients are connected than can be served. Requests are charged to allowances of token and "
    "tenant, which refill evenly; the headers RateLimit-Policy and RateLimit of every answer to a token say how "
    "large they are and what is left (draft-ietf-httpapi-ratelimit-headers)."
)
TAGS = [
    {"name": "jobs", "description": "Submit, watch, explain and cancel jobs."},
    {"name": "fleet", "description": "Clusters, nodes, pools, chip types and who uses them."},
    {"name": "access", "description": "Tenants, quotas, users, tokens and their scopes."},
    {"name": "audit", "description": "Who changed what, when, from what to what."},
    {"name": "login", "description": "Logging in over the organisation's own login."},
    {"name": "workers", "description": "What the workers of an attempt tell and ask, with that attempt's token."},
    {"name": "service", "description": "The server itself."},
]
_TEXTS = {
    400: "The body is not valid JSON.",
    401: "A valid token is needed.",
    403: "The token's role or scope may not do that.",
    404: "There is no such thing, or it is another tenant's.",
    408: "The body took too long to arrive.",
    409: "It contradicts what is there.",
    412: "It changed since it was read: its ETag is none of those in If-Match.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not of the type application/json.",
    422: "The request is not valid; `errors` points to the fields.",
    429: "Too many requests in too short a time: try again after the time in Retry-After.",
    503: "Not now: try again after the time in Retry-After.",
}
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}}
_VALIDATION_SCHEMAS = ("HTTPValidationError", "ValidationError")
LEAST_ERROR = 400
CONFLICT: dict[int | str, dict[str, Any]] = {409: {"description": _TEXTS[409]}}
"""For routes whose request may contradict what is there."""
HAS_CHANGED: dict[int | str, dict[str, Any]] = {412: {"description": _TEXTS[412]}}
"""For routes that take If-Match."""
LOGIN_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": _TEXTS[status]} for status in (403, 404, 422, 429, 503)
}
"""For the routes of the organisation's login."""
NOT_NOW: dict[int | str, dict[str, Any]] = {503: {"description": _TEXTS[503]}}
"""For public routes that may have to say so."""


def build_document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the application."""
    document = get_openapi(
        title=TITLE,
        version=app.version,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
    )
    components = document["components"]
    for name in _VALIDATION_SCHEMAS:
        components["schemas"].pop(name, None)
    schema = ProblemAnswer.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    components["schemas"] |= schema.pop("$defs")
    components["schemas"]["ProblemAnswer"] = schema
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token of a person or service: mdl_..."},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "medley_session",
            "description": "A browser's session; changes need the header X-CSRF-Token as well.",
        },
        "attempt": {"type": "http", "scheme": "bearer", "description": "The token of a launch document: mda_..."},
    }
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in sorted(route.methods or ()):
                operation = document["paths"][route.path_format][method.lower()]
                _complete(operation, route)
                _exemplify(operation, components["schemas"])
    return document


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    access = PERMISSIONS[str(route.operation_id)]
    responses: dict[str, Any] = operation["responses"]
    responses.pop("422", None)
    for status in _statuses(route):
        responses[str(status)] = {"description": _TEXTS[status], "content": _PROBLEM}
    if access is Open.PUBLIC:
        return
    if access is Open.ATTEMPT:
        operation["security"] = [{"attempt": []}]
        roles = "Token of the attempt."
    else:
        operation["security"] = [{"token": []}, {"session": []}]
        scope = scope_of(str(route.operation_id), [str(tag) for tag in route.tags], route.methods or ())
        roles = f"Roles: {', '.join(role for role in Role if role in access)}."
        roles += "" if scope is None else f" Scope: {scope}."
    operation["description"] = f"{operation.get('description', '')}\n\n{roles}".strip()


def _exemplify(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Give an answer that may have several forms the example of its first one."""
    for said in operation["responses"].values():
        for content in said.get("content", {}).values():
            forms: list[dict[str, str]] = content.get("schema", {}).get("anyOf", [])
            if forms and "example" not in content:
                content["example"] = schemas[forms[0]["$ref"].rpartition("/")[2]]["examples"][0]


def _statuses(route: APIRoute) -> list[int]:
    """Return the statuses of the problems that a route can answer with."""
    access = PERMISSIONS[str(route.operation_id)]
    statuses: set[int] = {int(status) for status in route.responses if int(status) >= LEAST_ERROR}
    if access is not Open.PUBLIC:
        statuses |= {401, 503}
    if not isinstance(access, Open):
        statuses.add(429)
    if not isinstance(access, Open) and route.operation_id != "show_myself":
        statuses.add(403)
    if route.param_convertors:
        statuses.add(404)
    if _has_inputs(route):
        statuses.add(422)
    if route.body_field is not None:
        statuses |= {400, 408, 413, 415, 422}
    return sorted(statuses)


def _has_inputs(route: APIRoute) -> bool:
    return bool(route.dependant.query_params or route.dependant.header_params)
