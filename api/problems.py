"""Every "no" of the API: one catalogue of codes, rendered as RFC 9457 problem documents."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Code(StrEnum):
    """What went wrong, for programs; stable once released."""

    MALFORMED_JSON = "malformed-json"
    BODY_TOO_SLOW = "body-too-slow"
    HEADERS_TOO_SLOW = "headers-too-slow"
    NOT_AUTHENTICATED = "not-authenticated"
    FORBIDDEN = "forbidden"
    LOGIN_REFUSED = "login-refused"
    LOGIN_NOT_OFFERED = "login-not-offered"
    NO_SUCH_ROUTE = "no-such-route"
    NOT_FOUND = "not-found"
    RENDEZVOUS_NOT_READY = "rendezvous-not-ready"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    ALREADY_EXISTS = "already-exists"
    JOB_OVER = "job-over"
    NO_SERVER = "no-server"
    JOB_CHANGED = "job-changed"
    ATTEMPT_CLOSED = "attempt-closed"
    TOKEN_OVER = "token-over"  # noqa: S105 - a code, not a secret
    TOO_MANY_JOBS = "too-many-jobs"
    QUEUE_FULL = "queue-full"
    IN_USE = "in-use"
    HAS_CHANGED = "has-changed"
    BODY_TOO_LARGE = "body-too-large"
    HEADERS_TOO_LARGE = "headers-too-large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type"
    INVALID_REQUEST = "invalid-request"
    UNKNOWN_CHIP = "unknown-chip"
    NOT_OFFERED = "not-offered"
    UNKNOWN_TENANT = "unknown-tenant"
    TOO_URGENT = "too-urgent"
    BAD_TREE = "bad-tree"
    CONTRADICTORY_QUOTA = "contradictory-quota"
    UNKNOWN_REFERENCE = "unknown-reference"
    IDEMPOTENCY_KEY_REUSED = "idempotency-key-reused"
    BAD_REQUEST = "bad-request"
    TOO_MANY_REQUESTS = "too-many-requests"
    INTERNAL_ERROR = "internal-error"
    STORAGE_UNAVAILABLE = "storage-unavailable"
    CLUSTER_UNAVAILABLE = "cluster-unavailable"
    LOGIN_UNAVAILABLE = "login-unavailable"
    TOO_MANY_STREAMS = "too-many-streams"
    TOO_MANY_LOG_READERS = "too-many-log-readers"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    NOT_READY = "not-ready"
    ENDING = "ending"


_CATALOGUE: Mapping[Code, tuple[HTTPStatus, str]] = {
    Code.MALFORMED_JSON: (HTTPStatus.BAD_REQUEST, "The body is not valid JSON"),
    Code.BODY_TOO_SLOW: (HTTPStatus.REQUEST_TIMEOUT, "The body took too long to arrive"),
    Code.HEADERS_TOO_SLOW: (HTTPStatus.REQUEST_TIMEOUT, "The headers took too long to arrive"),
    Code.NOT_AUTHENTICATED: (HTTPStatus.UNAUTHORIZED, "A valid token is needed"),
    Code.FORBIDDEN: (HTTPStatus.FORBIDDEN, "This token may not do that"),
    Code.NO_SUCH_ROUTE: (HTTPStatus.NOT_FOUND, "There is no such address"),
    Code.NOT_FOUND: (HTTPStatus.NOT_FOUND, "There is no such thing"),
    Code.RENDEZVOUS_NOT_READY: (HTTPStatus.NOT_FOUND, "Rank 0 has not registered its address yet"),
    Code.METHOD_NOT_ALLOWED: (HTTPStatus.METHOD_NOT_ALLOWED, "That method is not for this address"),
    Code.ALREADY_EXISTS: (HTTPStatus.CONFLICT, "Something of that name exists"),
    Code.LOGIN_REFUSED: (HTTPStatus.FORBIDDEN, "Nobody was logged in"),
    Code.LOGIN_NOT_OFFERED: (HTTPStatus.NOT_FOUND, "This server has no login but tokens"),
    Code.LOGIN_UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, "The organisation's login does not answer"),
    Code.TOKEN_OVER: (HTTPStatus.CONFLICT, "The token is over"),
    Code.JOB_OVER: (HTTPStatus.CONFLICT, "The job is over, or about to be"),
    Code.NO_SERVER: (HTTPStatus.CONFLICT, "The job is no server"),
    Code.JOB_CHANGED: (HTTPStatus.CONFLICT, "The job is not what it was"),
    Code.ATTEMPT_CLOSED: (HTTPStatus.CONFLICT, "The attempt is over"),
    Code.TOO_MANY_JOBS: (HTTPStatus.CONFLICT, "The tenant has too many unfinished jobs"),
    Code.QUEUE_FULL: (HTTPStatus.CONFLICT, "Too many jobs wait in the queue"),
    Code.IN_USE: (HTTPStatus.CONFLICT, "It is still used"),
    Code.HAS_CHANGED: (HTTPStatus.PRECONDITION_FAILED, "It is not what was read"),
    Code.BODY_TOO_LARGE: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
    Code.HEADERS_TOO_LARGE: (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large"),
    Code.UNSUPPORTED_MEDIA_TYPE: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be JSON"),
    Code.INVALID_REQUEST: (HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid"),
    Code.UNKNOWN_CHIP: (HTTPStatus.UNPROCESSABLE_ENTITY, "There is no such chip type"),
    Code.NOT_OFFERED: (HTTPStatus.UNPROCESSABLE_ENTITY, "No cluster offers what the job asks for"),
    Code.UNKNOWN_TENANT: (HTTPStatus.UNPROCESSABLE_ENTITY, "There is no such tenant"),
    Code.TOO_URGENT: (HTTPStatus.UNPROCESSABLE_ENTITY, "The queue takes no jobs of such a priority"),
    Code.BAD_TREE: (HTTPStatus.UNPROCESSABLE_ENTITY, "The queues would make no tree"),
    Code.CONTRADICTORY_QUOTA: (HTTPStatus.UNPROCESSABLE_ENTITY, "The figures of the quota contradict each other"),
    Code.UNKNOWN_REFERENCE: (HTTPStatus.UNPROCESSABLE_ENTITY, "The request names something that does not exist"),
    Code.IDEMPOTENCY_KEY_REUSED: (HTTPStatus.UNPROCESSABLE_ENTITY, "The idempotency key came with another body"),
    Code.BAD_REQUEST: (HTTPStatus.BAD_REQUEST, "The request cannot be understood"),
    Code.TOO_MANY_REQUESTS: (HTTPStatus.TOO_MANY_REQUESTS, "Too many requests in too short a time"),
    Code.INTERNAL_ERROR: (HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong inside Medley"),
    Code.STORAGE_UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer"),
    Code.CLUSTER_UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, "The cluster does not answer"),
    Code.TOO_MANY_STREAMS: (HTTPStatus.SERVICE_UNAVAILABLE, "Too many event streams are open"),
    Code.TOO_MANY_LOG_READERS: (HTTPStatus.SERVICE_UNAVAILABLE, "Too many logs are being read"),
    Code.TOO_MANY_CONNECTIONS: (HTTPStatus.SERVICE_UNAVAILABLE, "Too many clients are connected"),
    Code.NOT_READY: (HTTPStatus.SERVICE_UNAVAILABLE, "The server is not ready"),
    Code.ENDING: (HTTPStatus.SERVICE_UNAVAILABLE, "The server is ending"),
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One offending field."""

    pointer: str
    """JSON pointer into the body; `/query/...`, `/header/...` and `/path/...` for what is outside of it."""
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One "no", with what the client can do about it."""

    code: Code
    detail: str
    next: str | None = None
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)

    @property
    def status(self) -> int:
        """The HTTP status that belongs to the code."""
        return int(_CATALOGUE[self.code][0])

    @property
    def title(self) -> str:
        """The code in words; the same for every occurrence."""
        return _CATALOGUE[self.code][1]

    def respond(self, request_id: str) -> Response:
        """Return the problem document as a response."""
        document = {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": str(self.code),
            "request_id": request_id,
            "next": self.next,
            "errors": [{"pointer": error.pointer, "detail": error.detail} for error in self.errors],
        }
        content = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        return Response(content, self.status, dict(self.headers), MEDIA_TYPE)


class Refusal(HTTPException):
    """Ends a request with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.status, problem.detail, dict(problem.headers))
        self.problem = problem


def refuse(code: Code, detail: str, next_step: str | None = None, *errors: FieldError) -> Refusal:
    """Return what a route raises to say no."""
    return Refusal(Problem(code, detail, next_step, errors))


def unavailable(code: Code, detail: str) -> Problem:
    """Return a "not now", with the time after which trying again is worth it."""
    next_step = "try again; a submission with an Idempotency-Key is safe to repeat"
    return Problem(code, detail, next_step, headers={"Retry-After": str(RETRY_AFTER_S)})
