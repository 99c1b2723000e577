"""Places in the order of the queue, and what placements rested on."""

from typing import Any

from api.schemas.text import Answer, Moment, with_examples

STANDING_EXAMPLE: dict[str, Any] = {
    "policy": "fair",
    "queue": "vision",
    "place": 3,
    "priority": 0,
    "age_s": 7300.0,
    "ageing_s": 600.0,
    "shares": [{"queue": "vision", "share": 0.125, "weight": 2}],
    "level": None,
    "text": "fair: 3rd in queue vision; queue vision has 12.5 % at weight 2, priority 0, 2 hours old",
}


class QueueShareAnswer(Answer):
    """What a queue has of the cluster."""

    queue: str
    share: float
    """Of the chip type of which it has most, as a part of all there are: a tenth of it now, the rest lately."""
    weight: int


class StandingAnswer(Answer):
    """What a place in the order of the queue rests on."""

    policy: str
    queue: str
    place: int
    """Within its queue, from 1."""
    priority: int
    age_s: float
    """Since it was submitted."""
    ageing_s: float
    """What a point of priority is worth: as if it had been submitted so much earlier; 0: it goes before all else."""
    shares: tuple[QueueShareAnswer, ...]
    """Of its queue and those that it is in, its own first; empty where queues do not come before jobs."""
    level: float | None
    """By las its step of attained service, by srtf and srsf what is left, by rounds 0 where its turn is in this one,
    else 1; null where nothing is known."""
    text: str


class GroundsAnswer(Answer):
    """What a placement rested on, as it was noted with it."""

    standing: StandingAnswer
    overtook: int
    """How many of its own queue were before it and had no place."""
    overtaken: tuple[str, ...]
    """The first jobs of them."""
    siblings: tuple[QueueShareAnswer, ...]
    """Other queues in which somebody waited, those due most first."""
    kept: tuple[Moment, ...]
    """When the reservations begin that others had, and that it left alone."""
    text: str


class ComparisonAnswer(Answer):
    """Why a job was placed before another one."""

    model_config = with_examples(
        {
            "job": "01jd3v9k2m0a7b4c",
            "other": "01jd3v9k2m0a7b4b",
            "because": "share",
            "text": "Its queue vision had 12.5 % of the cluster at weight 1, and queue language 50 % at weight 1.",
            "grounds": None,
        }
    )

    job: str
    other: str
    because: str
    """What decided it, or why it is not so."""
    text: str
    grounds: GroundsAnswer | None
    """What the placement of the job rested on."""
