"""What each queue is due, holds and held lately."""

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
    "standing": {
        "chip": "h100-sxm",
        "held": 0.625,
        "recent": 0.8,
        "half_life_s": 604_800.0,
        "share": 0.7825,
        "against_due": 1.565,
    },
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


class QueueStandingAnswer(Answer):
    """By what a queue is compared with those beside it: what it has of the chip type of which it has most."""

    chip: str | None
    """None: it has nothing, neither now nor lately."""
    held: float
    """The part of all devices of this chip type that it holds now, 0 to 1."""
    recent: float
    """The part that it held lately: an average in which what was held counts half after each half-life."""
    half_life_s: float
    """Of `recent`; 0: only what is held now counts."""
    share: float
    """A tenth `held` and nine tenths `recent`; where the half-life is 0 all of it is `held`."""
    against_due: float
    """`share` / `due`: above 1 it has more than it is due. Of the queues in the same one that of the least is next."""


class QueueShareAnswer(Answer):
    """What a queue with all that is in it is due, what it holds, and where that puts it."""

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
    standing: QueueStandingAnswer | None
    """None where the order policy is not `fair`: then queues are not compared."""


class SharePage(Answer):
    """Shares by queue, as of a change number."""

    model_config = with_examples({"items": [SHARE_EXAMPLE], "next": None, "change": 4711, "age_s": 0.02})

    items: tuple[QueueShareAnswer, ...]
    next: str | None
    change: int
    age_s: float
    """For how long what it was worked out from was not compared with the database."""
