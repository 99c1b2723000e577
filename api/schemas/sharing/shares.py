"""What each queue is due, and holds."""

from typing import Any

from api.schemas.text import Answer, with_examples

SHARE_EXAMPLE: dict[str, Any] = {
    "queue": "demo",
    "parent": None,
    "tenant": "demo",
    "weight": 2,
    "due": 0.5,
    "held": 0.625,
    "compute_due": 15824,
    "compute_held": 19780,
    "compute_by_catalogue": 19780,
    "running": 3,
    "waiting": 12,
    "chips": [{"chip": "h100-sxm", "devices": 20.0}],
    "quotas": [
        {
            "resource": "h100-sxm",
            "guaranteed": 16,
            "limit": 64,
            "borrowing": None,
            "lending": None,
            "held": 20.0,
            "borrowed": 4.0,
        }
    ],
}


class ChipHeldAnswer(Answer):
    """Devices of one chip type that a queue holds."""

    chip: str
    devices: float


class QuotaUseAnswer(Answer):
    """A quota, and what is used of it."""

    resource: str
    guaranteed: int
    limit: int | None
    borrowing: int | None
    lending: int | None
    held: float
    borrowed: float
    """Above what is guaranteed."""


class QueueShareAnswer(Answer):
    """What a queue with all that is in it is due, and what it holds."""

    model_config = with_examples(SHARE_EXAMPLE)

    queue: str
    parent: str | None
    tenant: str | None
    weight: int
    due: float
    """Its part of all compute, by weight among its siblings: 0 to 1."""
    held: float
    """The part of all compute that it holds now."""
    compute_due: int
    compute_held: int
    """In units of compute as they were charged when jobs were placed: by the measured speed of their family, else at
    the catalogue's planning rates, in TFLOP/s."""
    compute_by_catalogue: int
    """What the same devices are at the catalogue's planning rates now."""
    running: int
    """Attempts that hold something."""
    waiting: int
    chips: tuple[ChipHeldAnswer, ...]
    quotas: tuple[QuotaUseAnswer, ...]


class SharePage(Answer):
    """Shares by queue, as of a change number."""

    model_config = with_examples({"items": [SHARE_EXAMPLE], "next": None, "change": 4711, "age_s": 0.02})

    items: tuple[QueueShareAnswer, ...]
    next: str | None
    change: int
    age_s: float
    """For how long what it was worked out from was not compared with the database."""
