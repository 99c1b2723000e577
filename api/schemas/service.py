"""What the server says about itself, and the shape of its problems and events."""

from typing import Any

from api.problems import Code
from api.schemas.text import Answer, Moment, with_examples
from scheduler.core.model.group import State


class VersionAnswer(Answer):
    """Which Medley this is."""

    model_config = with_examples({"version": "0.1.0", "api": "v1"})

    version: str
    api: str


class AliveAnswer(Answer):
    """The process answers."""

    model_config = with_examples({"status": "alive"})

    status: str


class CheckAnswer(Answer):
    """One thing that must work."""

    name: str
    is_ok: bool
    detail: str


class ReadyAnswer(Answer):
    """Everything works."""

    model_config = with_examples(
        {"status": "ready", "checks": [{"name": "database", "is_ok": True, "detail": "answers"}]}
    )

    status: str
    checks: tuple[CheckAnswer, ...]


class FieldErrorAnswer(Answer):
    """One offending field."""

    pointer: str
    detail: str


class ProblemAnswer(Answer):
    """An RFC 9457 problem document."""

    model_config = with_examples(
        {
            "type": "/problems/invalid-request",
            "title": "The request is not valid",
            "status": 422,
            "detail": "workers: Input should be less than or equal to 1024",
            "code": "invalid-request",
            "request_id": "5f0c1f0a8e5b4d43a1d2c3b4a5968778",
            "next": None,
            "errors": [{"pointer": "/workers", "detail": "Input should be less than or equal to 1024"}],
        }
    )

    type: str
    title: str
    status: int
    detail: str
    code: Code
    request_id: str
    next: str | None
    """What to do about it."""
    errors: tuple[FieldErrorAnswer, ...]


class EventAnswer(Answer):
    """The data of one server-sent event: one entry of the change feed."""

    number: int
    at: Moment
    tenant: str | None
    job: str | None
    kind: str
    state: State | None
    text: str
    data: dict[str, Any]
