"""Hear heartbeats: say when the next one is wanted, and keep no more of them than the database should be asked to take.

Each kept heartbeat is a row written over, whoever sends it. So all attempts together are asked to send no more than
MOST_PER_S, and what comes sooner than it was asked for is not kept.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from scheduler.core.model.attempt import Progress
from scheduler.core.model.identifiers import AttemptId
from scheduler.ports.clock import Clock
from scheduler.ports.journal import Journal, Rejected
from scheduler.ports.workers.reports import Beat
from scheduler.services.access.attempt_tokens import AttemptClaim
from scheduler.services.follow_changes import FollowedState

MOST_PER_S = 200
"""Heartbeats that are wanted of all attempts together: 3,000 attempts are heard every 15 s, 60,000 every 300 s."""
SHORTEST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 600.0
CLOSEST_S = 0.2
"""What comes closer together than this is not kept, whatever news it brings."""
KEPT_SHARE = 0.5
"""Of the wanted pause: a heartbeat without news that comes sooner than that is not kept."""
MOST_KNOWN = 200_000


@dataclass(frozen=True, slots=True)
class Said:
    """A heartbeat as a worker sends it."""

    reports: int
    memory_mib: int | None
    device_memory_mib: int | None
    checkpoint_step: int | None
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a heartbeat."""

    is_kept: bool
    """False: it came too soon; what was new in it is to be told again."""
    next_s: float
    """When the next one is wanted."""
    generation: int | None = None
    """That the attempt's workers are to be of, where that is a later one than whoever spoke is of."""


@dataclass(frozen=True, slots=True)
class _Latest:
    at_s: float
    generation: int
    checkpoint_step: int | None
    is_last_step: bool


def wanted_pause_s(attempts: int) -> float:
    """Return how far apart heartbeats should be where so many attempts live."""
    return min(max(attempts / MOST_PER_S, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)


class Hearing:
    """Hears the attempts that speak to this process; may be used from several threads."""

    def __init__(self, journal: Journal, clock: Clock, followed: FollowedState) -> None:
        self._journal = journal
        self._clock = clock
        self._followed = followed
        self._lock = threading.Lock()
        self._latest: OrderedDict[AttemptId, _Latest] = OrderedDict()

    def hear(self, claim: AttemptClaim, said: Said) -> Heard | Rejected:
        """Keep a heartbeat, unless it came too soon. Raises StorageUnavailable."""
        next_s = wanted_pause_s(self._followed.count_live())
        live = self._followed.live_attempt(claim.attempt)
        called = 0 if live is None else live.resizing.called
        generation = called if called > claim.generation else None
        if not self._is_due(claim, said, next_s):
            return Heard(is_kept=False, next_s=next_s, generation=generation)
        item = Beat(
            attempt=claim.attempt,
            generation=claim.generation,
            at=self._clock.now(),
            reports=said.reports,
            memory_mib=said.memory_mib,
            device_memory_mib=said.device_memory_mib,
            progress=said.progress,
            checkpoint_step=said.checkpoint_step,
        )
        outcome = self._journal.write([item])[0]
        return outcome if isinstance(outcome, Rejected) else Heard(is_kept=True, next_s=next_s, generation=generation)

    def _is_due(self, claim: AttemptClaim, said: Said, next_s: float) -> bool:
        """Say whether a heartbeat is to be kept; from then on it is the attempt's latest."""
        now_s = self._clock.monotonic_s()
        is_last = said.progress is not None and said.progress.step == said.progress.steps
        with self._lock:
            attempt, latest = claim.attempt, self._latest.get(claim.attempt)
            if latest is not None:
                brings_news = said.checkpoint_step != latest.checkpoint_step or is_last > latest.is_last_step
                brings_news = brings_news or claim.generation != latest.generation
                closest_s = CLOSEST_S if brings_news else max(CLOSEST_S, next_s * KEPT_SHARE)
                if now_s - latest.at_s < closest_s:
                    return False
            self._latest[attempt] = _Latest(now_s, claim.generation, said.checkpoint_step, is_last)
            self._latest.move_to_end(attempt)
            if len(self._latest) > MOST_KNOWN:
                self._latest.popitem(last=False)
            return True
