"""What workers tell of themselves: writes of the journal."""

from dataclasses import dataclass
from datetime import datetime

from scheduler.core.model.attempt import Progress
from scheduler.core.model.identifiers import AttemptId


@dataclass(frozen=True, slots=True)
class RegisterRendezvous:
    """Keep rank 0's address for the other ranks; a second registration replaces the first.

    It adds no change: nobody but those ranks asks for it. Its `Written.change` is the latest change there is.

    Refused: NOT_FOUND, STALE_ATTEMPT (closed, or another generation).
    """

    attempt: AttemptId
    generation: int
    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReportProgress:
    """Keep a training's report; of one attempt the latest 1,000 are kept.

    Unchanged where it is kept already, or was made less than 0.2 s from the attempt's latest kept one, and ever later
    as the attempt grows old, up to 30 s: every kept report stays in the change feed, and trainings may step faster than
    anybody looks. The report of the last step
    (`step` is `steps`) is kept nevertheless, unless the latest kept one is of a last step too.

    Refused: NOT_FOUND, STALE_ATTEMPT, ILLEGAL (a figure that is not finite).
    """

    attempt: AttemptId
    generation: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Beat:
    """Keep that an attempt was heard of, over the time before; each one counts, and none is an entry of the feed.

    The first one of the generation that its attempt was called to says that the gang has met. Entries tell of that and
    of what is new in it: progress, kept as ReportProgress keeps it, and a checkpoint that is further than
    the last one, unless it comes within a second of that: the next heartbeat tells of it again. Unchanged where neither
    is new.

    Refused: NOT_FOUND, STALE_ATTEMPT, ILLEGAL (a figure of the progress that is not finite).
    """

    attempt: AttemptId
    generation: int
    at: datetime
    reports: int = 0
    """How much its program reported of itself by now; 0: nothing, and nothing is expected of it."""
    memory_mib: int | None = None
    device_memory_mib: int | None = None
    progress: Progress | None = None
    checkpoint_step: int | None = None
    """The newest."""
