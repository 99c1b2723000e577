"""The server's ways of saying no, with the bodies of the real one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
"""An object as it travels."""

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


@dataclass
class Refusal(Exception):
    """The request is answered with a Status that says why not."""

    code: int
    message: str
    reason: str | None = None
    """The code's usual one where left out; an empty one is not sent."""
    details: Json | None = None
    retry_after_s: int | None = None
    metadata: Json = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code} {self.message}"

    def status(self) -> Json:
        """Return the Status object."""
        reason = REASONS.get(self.code, "") if self.reason is None else self.reason
        body: Json = {"kind": "Status", "apiVersion": "v1", "metadata": self.metadata, "status": "Failure"}
        body["message"] = self.message
        if reason:
            body["reason"] = reason
        if self.details is not None:
            body["details"] = self.details
        return {**body, "code": self.code}


@dataclass(frozen=True, slots=True)
class Fault:
    """One field of an object that is not as it must be."""

    path: str
    kind: str
    """`Invalid value: "x"`, `Forbidden`, `Required value` or `Too long`."""
    message: str = ""

    @property
    def text(self) -> str:
        """What is wrong, without the field."""
        return f"{self.kind}: {self.message}" if self.message else self.kind

    @property
    def cause(self) -> Json:
        """The entry of the Status' causes."""
        word = self.kind.split(":")[0]
        reasons = {"Forbidden": "FieldValueForbidden", "Required value": "FieldValueRequired"}
        reason = reasons.get(word, "FieldValueTooLong" if word == "Too long" else "FieldValueInvalid")
        return {"reason": reason, "message": self.text, "field": self.path}


def invalid(kind: str, name: str, faults: Sequence[Fault]) -> Refusal:
    """Return the 422 for an object of a kind with all its faults."""
    texts = [f"{fault.path}: {fault.text}" for fault in faults]
    message = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details: Json = {"name": name} if name else {}
    details |= {"kind": kind, "causes": [fault.cause for fault in faults]}
    return Refusal(422, f'{kind} "{name}" is invalid: {message}', details=details)


def not_found(resource: str, name: str) -> Refusal:
    """Return the 404 for an object."""
    return Refusal(404, f'{resource} "{name}" not found', details={"name": name, "kind": resource})


def no_such_resource() -> Refusal:
    """Return the 404 for a path that leads to no kind of object."""
    return Refusal(404, "the server could not find the requested resource", details={})


def not_allowed() -> Refusal:
    """Return the 405 for a method that the resource does not know."""
    return Refusal(405, "the server does not allow this method on the requested resource", details={})


def already_exists(resource: str, name: str) -> Refusal:
    """Return the 409 for a name that is taken."""
    details = {"name": name, "kind": resource}
    return Refusal(409, f'{resource} "{name}" already exists', "AlreadyExists", details)


def conflict(what: str, name: str, message: str) -> Refusal:
    """Return the 409 for an object that is not as the caller thinks."""
    text = f'Operation cannot be fulfilled on {what} "{name}": {message}'
    return Refusal(409, text, details={"name": name, "kind": what})


def stale(resource: str, name: str) -> Refusal:
    """Return the 409 for an old resourceVersion."""
    again = "please apply your changes to the latest version and try again"
    return conflict(resource, name, f"the object has been modified; {again}")


def forbidden(resource: str, name: str, message: str) -> Refusal:
    """Return the 403 of an admission step."""
    return Refusal(403, f'{resource} "{name}" is forbidden: {message}', details={"name": name, "kind": resource})


def expired(message: str, metadata: Json | None = None) -> Refusal:
    """Return the 410 for a version whose history is gone."""
    return Refusal(410, message, metadata=metadata or {})
