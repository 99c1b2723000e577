"""What a user could change of a job that waits or was refused, tried out on the followed state."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from scheduler.core.advising.moves import moves_to_start
from scheduler.core.advising.smallest_changes import changes_to_fit, changes_to_start
from scheduler.core.model.asking.moves import Move
from scheduler.core.model.asking.remedies import Remedy
from scheduler.core.model.job import Job
from scheduler.core.model.reason import CannotServe, KeptForOthers, NeverFits, QuotaExceeded, Reason, TooFewFree
from scheduler.services.follow_changes import FollowedState


@dataclass(frozen=True, slots=True)
class Advice:
    """What would help, each change by itself, the smallest first."""

    remedies: tuple[Remedy, ...]
    starts_now: bool
    """Who does it has a place now; else it is no more than that it would fit if nothing else ran."""
    moves: tuple[Move, ...] = ()
    """Of others, which together would let it start now."""


_ROOM = TooFewFree | NeverFits | CannotServe | QuotaExceeded | KeptForOthers
NO_ADVICE = Advice((), starts_now=False)


def advise(
    followed: FollowedState, job: Job, reasons: Collection[Reason], now: datetime, *, waits: bool = False
) -> Advice:
    """Return what would help a job against the reasons why it has no place; nothing where it is not room it lacks.

    `waits`: it is there and waits, so that it is also said which moves of others would.
    """
    if not reasons or not all(isinstance(one, _ROOM) for one in reasons):
        return NO_ADVICE
    with followed.hold() as state:
        moves = moves_to_start(state, job, now) if waits and job.id in state.jobs else ()
        if (changes := changes_to_start(state, job, now)) or moves:
            return Advice(changes, starts_now=True, moves=moves)
        if any(isinstance(one, NeverFits | CannotServe) for one in reasons):
            return Advice(changes_to_fit(state, job), starts_now=False)
    return NO_ADVICE
