"""Arrays as the API shows them."""

from typing import Any

from api.schemas.text import Answer, Moment, with_examples
from scheduler.core.model.group import State

MEMBER_EXAMPLE: dict[str, Any] = {
    "id": "01jd3v9k2m0a7b4a",
    "name": "sweep",
    "index": 0,
    "count": 100,
    "most_at_once": 8,
}
ARRAY_EXAMPLE: dict[str, Any] = {
    "id": "01jd3v9k2m0a7b4a",
    "tenant": "demo",
    "name": "sweep",
    "count": 100,
    "most_at_once": 8,
    "submitted_by": "ada",
    "submitted_at": "2026-01-01T00:00:00.000000Z",
    "states": {"queued": 90, "running": 8, "succeeded": 2},
}


class ArrayMemberAnswer(Answer):
    """Which of an array's jobs a job is."""

    id: str
    """The array's."""
    name: str
    """The array's."""
    index: int
    """From 0."""
    count: int
    most_at_once: int | None


class ArrayAnswer(Answer):
    """An array of jobs."""

    model_config = with_examples(ARRAY_EXAMPLE)

    id: str
    tenant: str
    name: str
    count: int
    most_at_once: int | None
    submitted_by: str
    submitted_at: Moment
    states: dict[State, int]
    """How many of its jobs are in each state that one is in."""


class ArrayProspectAnswer(Answer):
    """Of an array that is not submitted: how many of its jobs would be placed now."""

    wanted: int
    at_once: int
    """So many of them may run at one time."""
    tried: int
    """So many of these were looked at, one after the other, up to the first without a place."""
    placed: int


class ArrayPage(Answer):
    """Arrays, newest first."""

    model_config = with_examples({"items": [ARRAY_EXAMPLE], "next": None})

    items: tuple[ArrayAnswer, ...]
    next: str | None
    """Cursor of the next page; null on the last one."""
