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


class SchedulerCheckAnswer(Answer):
    """Whether the scheduler's state in memory is what the database holds, and the database agrees with itself."""

    model_config = with_examples(
        {
            "change": 1204,
            "is_ok": False,
            "is_equal": False,
            "digest_in_memory": "9f2c6d",
            "digest_of_database": "41d07b",
            "differences": ["job 01jd3v9k2m0a7b4c is in memory only"],
            "capacity_errors": [],
            "text": (
                "At change 1204 the state in memory differs from the database in 1 part. "
                "The database's counters are what live attempts hold."
            ),
            "next": "restart this server: it then loads its state anew; and report what is listed here",
        }
    )

    change: int
    """The change that both stood at when they were compared."""
    is_ok: bool
    """Both are equal, and no counter is wrong."""
    is_equal: bool
    digest_in_memory: str
    """SHA-256 of all that decisions are made on, in hex."""
    digest_of_database: str
    differences: tuple[str, ...]
    """Which parts differ, at most 20."""
    capacity_errors: tuple[str, ...]
    """Where the database's counters differ from what live attempts hold, at most 100."""
    text: str
    next: str | None
    """What to do about it; null where there is nothing to do."""


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
