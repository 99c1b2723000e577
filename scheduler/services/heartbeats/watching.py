"""Miss what should be heard: end attempts whose heartbeats or whose progress stopped, so that they are tried again."""

import logging
from collections.abc import Callable, Mapping

from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import AttemptId
from scheduler.core.reconciling.life_signs import Patience, Watched, look_again, verdict
from scheduler.ports.clock import Clock
from scheduler.ports.journal import Journal, Observe, Rejected, Rejection
from scheduler.ports.views import Views
from scheduler.services.follow_changes import FollowedState
from scheduler.services.heartbeats.hearing import wanted_pause_s
from scheduler.services.keep_lead import Lead, LeadershipLost

logger = logging.getLogger(__name__)

LOOK_INTERVAL_S = 5.0
LONGEST_COUNTED_S = 3 * LOOK_INTERVAL_S
"""Of the time between two looks: a server that was held up itself has missed what was sent meanwhile."""
MISSED_BEATS = 3
"""Nobody is silent before so many heartbeats that were asked for have not come."""
RESIZE_LIMIT_S = 900.0
"""A gang that is not of its next size by then is ended: within that, images are loaded and checkpoints saved."""
MOST_ENDED = 500
"""At one look."""


class Watch:
    """Watches the running attempts while this process leads."""

    def __init__(
        self,
        views: Views,
        followed: FollowedState,
        journal: Journal,
        *,
        clock: Clock,
        lead: Lead,
        can_hear: Callable[[], bool] = lambda: True,
    ) -> None:
        """`can_hear`: whether heartbeats reach the database now; while they do not, nobody is taken for silent."""
        self._views = views
        self._followed = followed
        self._journal = journal
        self._clock = clock
        self._lead = lead
        self._can_hear = can_hear
        self._watched: dict[AttemptId, Watched] = {}
        self._looked_at_s: float | None = None

    def look(self) -> int:
        """Look at every attempt's signs of life; return how many attempts were ended.

        Raises StorageUnavailable, LeadershipLost.
        """
        signs = self._views.life_signs()
        elapsed_s = self._elapsed_s()
        self._watched = look_again(self._watched, signs, elapsed_s=elapsed_s)
        self._followed.follow()
        live = self._followed.live_attempts()
        ended = [
            self._stop(running, reason, self._watched[name])
            for name, running in self._running(live).items()
            if (reason := verdict(self._watched[name], _patience(running, len(live)))) is not None
        ]
        ended += [self._give_up(each) for each in live.values() if self._is_lost_on_its_way(each)]
        return self._write(ended[:MOST_ENDED])

    def _is_lost_on_its_way(self, live: LiveAttempt) -> bool:
        """Say whether a gang is on its way to another size for too long."""
        began_at = live.resizing.began_at
        if began_at is None or not live.is_resizing or live.group.state is not State.RUNNING:
            return False
        return (self._clock.now() - began_at).total_seconds() > RESIZE_LIMIT_S

    def _give_up(self, live: LiveAttempt) -> Observe:
        detail = (
            f"it was not {len(live.allocations)} workers, generation {live.generation}, within {RESIZE_LIMIT_S:.0f} s"
        )
        return self._ending(live, StopReason.RESIZE_FAILED, detail)

    def _elapsed_s(self) -> float:
        now_s, before_s = self._clock.monotonic_s(), self._looked_at_s
        self._looked_at_s = now_s
        if before_s is None or not self._can_hear():
            return 0.0
        return min(now_s - before_s, LONGEST_COUNTED_S)

    def _running(self, live: Mapping[AttemptId, LiveAttempt]) -> dict[AttemptId, LiveAttempt]:
        return {
            name: live[name]
            for name, watched in self._watched.items()
            if name in live and live[name].group.state is State.RUNNING
            if live[name].generation == watched.sign.generation
        }

    def _stop(self, live: LiveAttempt, reason: StopReason, watched: Watched) -> Observe:
        if reason is StopReason.SILENT:
            detail = f"its latest heartbeat came {watched.silent_s:.0f} s before it was given up"
        else:
            detail = f"it lives, and its latest report came {watched.stalled_s:.0f} s before it was given up"
        return self._ending(live, reason, detail)

    def _ending(self, live: LiveAttempt, reason: StopReason, detail: str) -> Observe:
        logger.warning("attempt %s is ended, %s: %s", live.attempt, reason, detail)
        return Observe(
            attempt=live.attempt,
            generation=live.generation,
            event=Event.STOP,
            reason=reason,
            workers=(),
            epoch=self._lead.epoch,
            at=self._clock.now(),
            detail=detail,
        )

    def _write(self, items: list[Observe]) -> int:
        outcomes = self._journal.write(items) if items else []
        if any(isinstance(each, Rejected) and each.why is Rejection.STALE_EPOCH for each in outcomes):
            raise LeadershipLost
        return len(items)


def _patience(live: LiveAttempt, attempts: int) -> Patience:
    spec = live.job.spec
    return Patience(max(float(spec.silence_limit_s), MISSED_BEATS * wanted_pause_s(attempts)), spec.stall_limit_s)
