"""Queues, what they are due and may have, and groups of chip types."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.text import Answer, Body, Name, with_examples
from scheduler.core.model.sharing.queue import MOST_WEIGHT

MOST_CHIPS_OF_A_GROUP = 64
MOST_UNITS = 1_000_000_000
QUEUE_EXAMPLE: dict[str, Any] = {
    "name": "night",
    "parent": "demo",
    "tenant": "demo",
    "weight": 2,
    "most_waiting": 1_000,
    "most_running": None,
    "most_running_per_user": 4,
    "highest_priority": 0,
}
QUOTA_EXAMPLE: dict[str, Any] = {
    "queue": "demo",
    "resource": "h100-sxm",
    "guaranteed": 32,
    "limit": 64,
    "borrowing": None,
    "lending": 16,
}
GROUP_EXAMPLE: dict[str, Any] = {"name": "hopper", "chips": ["h100-sxm", "h200-sxm"]}

Units = Annotated[int, Field(ge=0, le=MOST_UNITS, strict=True)]
Jobs = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]


class QueueBody(Body):
    """What a queue is to be; what is left out is as for a new one."""

    model_config = with_examples({key: value for key, value in QUEUE_EXAMPLE.items() if key != "name"})

    parent: Name | None = Field(default=None, description="The queue that it is in; null: at the top.")
    tenant: Name | None = Field(
        default=None, description="Whose jobs wait in it; null for one that holds others together. It stays."
    )
    weight: Annotated[int, Field(ge=1, le=MOST_WEIGHT, strict=True)] = Field(
        default=1, description="Against its siblings: twice the weight is due twice the share."
    )
    most_waiting: Jobs | None = Field(default=None, description="It takes no further job while so many wait in it.")
    most_running: Jobs | None = Field(default=None, description="So many of its jobs run at one time.")
    most_running_per_user: Jobs | None = Field(default=None, description="So many of each user's.")
    highest_priority: Annotated[int, Field(ge=-100, le=100, strict=True)] | None = Field(
        default=None, description="It takes no job with a higher one."
    )


class QueueAnswer(Answer):
    """A queue: a place where jobs wait, or one that holds others together."""

    model_config = with_examples(QUEUE_EXAMPLE)

    name: str
    parent: str | None
    tenant: str | None
    weight: int
    most_waiting: int | None
    most_running: int | None
    most_running_per_user: int | None
    highest_priority: int | None


class QueuePage(Answer):
    """Queues by name."""

    model_config = with_examples({"items": [QUEUE_EXAMPLE], "next": None})

    items: tuple[QueueAnswer, ...]
    next: str | None


class QueueQuotaBody(Body):
    """What a queue is due and may have of a resource, in whole devices, or in units of compute."""

    model_config = with_examples({"guaranteed": 32, "limit": 64, "lending": 16})

    guaranteed: Units = Field(default=0, description="That it may take back from those who have more than theirs.")
    limit: Units | None = Field(default=None, description="It never holds more; null: no limit.")
    borrowing: Units | None = Field(
        default=None, description="It holds at most so much more than is guaranteed; null: as much as others leave."
    )
    lending: Units | None = Field(
        default=None, description="Others hold at most so much of what is guaranteed and not used; null: all of it."
    )


class QueueQuotaAnswer(Answer):
    """What a queue is due and may have of one resource: a chip type, a group of them, or `compute`."""

    model_config = with_examples(QUOTA_EXAMPLE)

    queue: str
    resource: str
    guaranteed: int
    limit: int | None
    borrowing: int | None
    lending: int | None


class QueueQuotaPage(Answer):
    """A queue's quotas by resource."""

    model_config = with_examples({"items": [QUOTA_EXAMPLE], "next": None})

    items: tuple[QueueQuotaAnswer, ...]
    next: str | None


class ChipGroupBody(Body):
    """Chip types that quotas are to count together."""

    model_config = with_examples({"chips": GROUP_EXAMPLE["chips"]})

    chips: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST_CHIPS_OF_A_GROUP)]


class ChipGroupAnswer(Answer):
    """Chip types that quotas count together."""

    model_config = with_examples(GROUP_EXAMPLE)

    name: str
    chips: tuple[str, ...]


class ChipGroupPage(Answer):
    """Groups of chip types by name."""

    model_config = with_examples({"items": [GROUP_EXAMPLE], "next": None})

    items: tuple[ChipGroupAnswer, ...]
    next: str | None
