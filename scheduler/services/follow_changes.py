"""Keep a state in memory equal to the change feed."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import Change
from scheduler.core.model.identifiers import AttemptId
from scheduler.core.placement.scoring.configuration import DEFAULT_SCORING, Scoring
from scheduler.core.queueing.policies.ordering import DEFAULT_ORDERING, Ordering
from scheduler.ports.clock import Clock
from scheduler.ports.views import Snapshot, Views
from scheduler.services.collecting import nothing_collected

logger = logging.getLogger(__name__)

CHANGES_PER_READ = 1_000

Listener = Callable[[Change, SchedulerState], None]
"""Is told each change before it is applied, with the state as it is by then; must be quick."""


def _nobody(_change: Change, _state: SchedulerState) -> None:
    """Listen to nothing."""


def told(*listeners: Listener) -> Listener:
    """Return a listener that tells several ones, in their order."""

    def listen(change: Change, state: SchedulerState) -> None:
        for listener in listeners:
            listener(change, state)

    return listen


def state_of(
    snapshot: Snapshot, scoring: Scoring = DEFAULT_SCORING, ordering: Ordering = DEFAULT_ORDERING
) -> SchedulerState:
    """Return the state of the moment that was read."""
    state = SchedulerState.from_parts(
        clusters=snapshot.clusters,
        nodes=snapshot.nodes,
        jobs=snapshot.jobs,
        groups=snapshot.groups,
        attempts=snapshot.attempts,
        chips=snapshot.chips,
        shares=snapshot.shares,
        scoring=scoring,
    )
    for job, run_s in snapshot.runs:
        state.run_times.note(job, run_s)
    state.reorder(ordering, snapshot.past)
    state.dependents.arrays.recall(snapshot.ended_in_arrays)
    state.promised.update((promise.group, promise) for promise in snapshot.promises)
    return state


class FollowedState:
    """The scheduler's state in memory, stamped with the change it stands at. Safe to use from several threads.

    Between calls the state is exactly what the feed says up to `change`: whoever tries something out on it must
    put it back before letting go of it.
    """

    def __init__(
        self,
        views: Views,
        clock: Clock,
        scoring: Scoring = DEFAULT_SCORING,
        *,
        ordering: Ordering = DEFAULT_ORDERING,
        listener: Listener = _nobody,
    ) -> None:
        self._views = views
        self._listener = listener
        self._clock = clock
        self._scoring = scoring
        self._ordering = ordering
        self._lock = threading.RLock()
        self._state, self._change = self._load()
        self._followed_at_s = clock.monotonic_s()
        self._decided_change = 0

    def _load(self) -> tuple[SchedulerState, int]:
        snapshot = self._views.snapshot()
        with nothing_collected():
            state = state_of(snapshot, self._scoring, self._ordering)
        return state, snapshot.change

    @property
    def change(self) -> int:
        """The number of the last change that is in the state."""
        return self._change

    @property
    def decided_change(self) -> int:
        """The change up to which every waiting job had its decision here; 0 where this process does not decide."""
        return self._decided_change

    def mark_decided(self, change: int) -> None:
        """Note that all jobs up to a change had their decision."""
        self._decided_change = change

    @property
    def age_s(self) -> float:
        """Seconds since the state was last compared with the feed."""
        return self._clock.monotonic_s() - self._followed_at_s

    def follow(self) -> int:
        """Apply what the feed has gained; return how many changes that was."""
        applied = 0
        with self._lock:
            while True:
                changes = self._views.changes_after(self._change, limit=CHANGES_PER_READ)
                self._apply(changes)
                applied += len(changes)
                if len(changes) < CHANGES_PER_READ:
                    self._followed_at_s = self._clock.monotonic_s()
                    return applied

    def _apply(self, changes: Sequence[Change]) -> None:
        """Apply changes; where one does not apply, take the whole state anew from the database."""
        try:
            for change in changes:
                self._listener(change, self._state)
                self._state.apply(change)
                self._change = change.number
        except Exception:
            logger.exception("change %d does not apply; the state is loaded anew", self._change + 1)
            self._state, self._change = self._load()

    def live_attempts(self) -> dict[AttemptId, LiveAttempt]:
        """Return the attempts that hold devices, as of the change that the state stands at."""
        with self._lock:
            return dict(self._state.live)

    def live_attempt(self, attempt: AttemptId) -> LiveAttempt | None:
        """Return an attempt that holds devices, as far as is known here; waits for nobody."""
        return self._state.live.get(attempt)

    def count_live(self) -> int:
        """Return how many attempts hold devices; waits for nobody."""
        return len(self._state.live)

    @contextmanager
    def hold(self) -> Iterator[SchedulerState]:
        """Give the state to one thread alone, for milliseconds; nothing that blocks belongs in there."""
        with self._lock:
            yield self._state
