"""When a gang that waits will start, as far as can be told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.core.model.waiting.record import Record


class StartBasis(StrEnum):
    """What an expected start rests on, firmest first."""

    FREE = "free"
    """What is free now."""
    PROMISED = "promised"
    """Room that is kept for it."""
    LIMITS = "limits"
    """Time limits that end what holds its room."""
    LEARNT = "learnt"
    """How long jobs like those ran that hold its room, or come before it."""
    GUESSED = "guessed"
    """Guesses of how long some of those run, of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An expected start."""

    earliest: datetime
    """If everybody before it runs as long as half of those like them did, or half of their limit."""
    latest: datetime
    """If everybody before it runs as long as is to be expected at most. No promise, unless the basis is PROMISED."""
    basis: StartBasis
    made_at: datetime
    record: Record | None = None
    """How right estimates on this basis were lately; None where too few are known, or nobody asked."""


class UnknownStart(StrEnum):
    """Why nothing can be said of a start."""

    AFTER_OTHERS = "after-others"
    """It comes after other jobs."""
    QUOTA = "quota"
    """No end of what runs brings its quota enough."""
    NO_ROOM = "no-room"
    """No end of what runs brings it room: servers run on, or there are too few nodes."""


@dataclass(frozen=True, slots=True)
class NoEstimate:
    """Nothing can be said."""

    why: UnknownStart
    made_at: datetime
