"""Why one job was placed before another one: the answer."""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.core.model.asking.grounds import Grounds, QueueShare
from scheduler.core.model.identifiers import JobId


class Because(StrEnum):
    """What decided it, or why it is not so."""

    NOT_PLACED = "not-placed"
    OTHER_FIRST = "other-first"
    CAME_LATER = "came-later"
    UNKNOWN = "unknown"
    NO_PLACE = "no-place"
    """The other one came first in the order, and could not start then: for want of room, or of quota."""
    SHARE = "share"
    LEVEL = "level"
    PRIORITY = "priority"
    EARLIER = "earlier"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer, with the figures it rests on."""

    job: JobId
    other: JobId
    because: Because
    policy: str = ""
    priorities: tuple[int, int] = (0, 0)
    shares: tuple[QueueShare, ...] = ()
    """Of the queues of the two where they part on the way from the root, as far as they were noted."""
    levels: tuple[float | None, float | None] = (None, None)
    grounds: Grounds | None = None
