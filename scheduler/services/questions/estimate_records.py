"""How right estimates were lately, as whoever tells of one knows it."""

import logging
from collections.abc import Mapping
from datetime import timedelta

from scheduler.core.forecasting.scoring import records_of
from scheduler.core.model.waiting.estimate import StartBasis
from scheduler.core.model.waiting.record import Record
from scheduler.ports.clock import Clock
from scheduler.ports.journal import StorageUnavailable
from scheduler.ports.records.estimates import Estimates

logger = logging.getLogger(__name__)

LATELY = timedelta(days=7)
MOST_SCORES = 5_000
"""The latest of them, whatever they rested on."""
RENEWED_AFTER_S = 60.0


class EstimateRecords:
    """The records of the last week, read when somebody asks, at most once a minute. Safe to use from any thread."""

    def __init__(self, estimates: Estimates, clock: Clock) -> None:
        self._estimates = estimates
        self._clock = clock
        self._known: tuple[float, Mapping[StartBasis, Record]] | None = None

    def latest(self) -> Mapping[StartBasis, Record]:
        """Return the records by basis; what was known before where the database does not answer."""
        known, now_s = self._known, self._clock.monotonic_s()
        if known is not None and now_s - known[0] < RENEWED_AFTER_S:
            return known[1]
        try:
            records = records_of(self._estimates.scores(self._clock.now() - LATELY, MOST_SCORES))
        except StorageUnavailable:
            logger.warning("how right estimates were is not known: the database does not answer")
            records = {} if known is None else dict(known[1])
        self._known = now_s, records
        return records
