"""What gangs are told of their start is kept and, once they have started, compared with what became of it."""

import logging
from datetime import datetime, timedelta

from scheduler.core.model.identifiers import AttemptId, GroupId
from scheduler.core.model.waiting.estimate import Estimate, StartBasis
from scheduler.core.model.waiting.score import ToldStart
from scheduler.ports.clock import Clock
from scheduler.ports.journal import StorageUnavailable
from scheduler.ports.records.estimates import Estimates
from scheduler.ports.telling.telemetry import SILENCE, Telemetry
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead, LeadershipLost
from scheduler.services.questions.forecasting import Forecaster

logger = logging.getLogger(__name__)

AFTER_S = 60.0
"""What is told of a gang is kept from when it has waited for so long: most start before, and say nothing."""
KEPT = timedelta(days=30)
"""What was told longer ago is forgotten, whatever became of it."""
MOST_OPEN = 20_000
"""Of so many that wait it is kept at most what they were told."""
MOST_AT_ONCE = 1_000


class EstimateScorer:
    """Keeps and scores what the waiting gangs are told, while it leads."""

    def __init__(
        self,
        followed: FollowedState,
        forecaster: Forecaster,
        estimates: Estimates,
        clock: Clock,
        *,
        lead: Lead,
        telemetry: Telemetry = SILENCE,
    ) -> None:
        self._followed = followed
        self._forecaster = forecaster
        self._estimates = estimates
        self._clock = clock
        self._lead = lead
        self._telemetry = telemetry
        self._open: set[tuple[AttemptId, StartBasis]] | None = None
        """What was told and is not settled; None until it was read."""
        self._since: dict[AttemptId, datetime] = {}
        """Since when these wait, as far as was seen."""

    def score_once(self) -> None:
        """Keep what is told now, and score whoever started. Raises LeadershipLost."""
        try:
            if self._open is None:
                self._open = self._estimates.open()
            self._score(self._open)
        except StorageUnavailable:
            logger.warning("what gangs were told of their start is not kept: the database does not answer")

    def _score(self, known: set[tuple[AttemptId, StartBasis]]) -> None:
        now = self._clock.now()
        with self._followed.hold() as state:
            waiting = {group.next_attempt: group.id for group in state.waiting.values()}
        self._since = {name: self._since.get(name, now) for name in waiting}
        over = {name for name, _ in known if name not in waiting}
        told = self._told(waiting, known, now)
        if not told and not over:
            return
        scores = self._estimates.keep(told, over, now - KEPT, self._lead.epoch)
        if scores is None:
            raise LeadershipLost
        known -= {one for one in known if one[0] in over}
        known |= {(one.attempt, one.basis) for one in told}
        for score in scores:
            self._telemetry.estimated(score.told.basis, score.ratio)

    def _told(
        self, waiting: dict[AttemptId, GroupId], known: set[tuple[AttemptId, StartBasis]], now: datetime
    ) -> list[ToldStart]:
        """Return what is told now of those that have waited long enough, and was not on that basis before."""
        most = min(MOST_AT_ONCE, MOST_OPEN - len(known))
        long_enough = now - timedelta(seconds=AFTER_S)
        patient = [(attempt, group) for attempt, group in waiting.items() if self._since[attempt] <= long_enough]
        if not patient or most <= 0:
            return []
        forecast = self._forecaster.latest()  # one for all: on a busy cluster each call makes another
        told: list[ToldStart] = []
        for attempt, group in patient:
            found = forecast.of(group, now)
            if isinstance(found, Estimate) and (attempt, found.basis) not in known:
                told.append(ToldStart(attempt, found.basis, now, found.earliest, found.latest))
                if len(told) >= most:
                    break
        return told
