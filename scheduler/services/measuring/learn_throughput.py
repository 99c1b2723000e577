"""How fast jobs are on which chip type, learnt from what their workers report."""

import logging
from collections import defaultdict
from math import isfinite
from threading import Lock

from scheduler.core.deciding.parts.speeds import main_devices
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import Change, ProgressReported
from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.measuring.throughput import JobFamily, Measured
from scheduler.core.queueing.run_times import family_of
from scheduler.ports.clock import Clock
from scheduler.ports.journal import StorageUnavailable
from scheduler.ports.records.throughputs import Throughputs
from scheduler.services.keep_lead import Lead, LeadershipLost

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 4_096
"""So many families and chip types are heard of between two writes; what others report meanwhile is let go."""


class ThroughputLearner:
    """Listens to the feed while it leads, and writes down what it heard now and then. Safe to use from two threads."""

    def __init__(self, throughputs: Throughputs, clock: Clock, *, lead: Lead) -> None:
        self._throughputs = throughputs
        self._clock = clock
        self._lead = lead
        self._lock = Lock()
        self._heard: defaultdict[tuple[JobFamily, ChipName], list[float]] = defaultdict(lambda: [0.0, 0.0])
        """Sums of what was reported per device, and how many reports."""

    def see(self, change: Change, state: SchedulerState) -> None:
        """Hear of a change of the feed."""
        if not isinstance(change.body, ProgressReported):
            return
        live = state.live.get(change.body.attempt)
        speed = change.body.progress.tokens_per_s
        found = None if live is None else main_devices(live)
        if live is None or found is None or not isfinite(speed) or speed <= 0:
            return
        chip, devices = found
        key = (family_of(live.job), chip)
        with self._lock:
            if key in self._heard or len(self._heard) < MOST_AT_ONCE:
                sums = self._heard[key]
                sums[0] += speed / devices
                sums[1] += 1

    def learn_once(self) -> None:
        """Write down what was heard; without effect where nothing was. Raises LeadershipLost."""
        with self._lock:
            heard, self._heard = self._heard, defaultdict(lambda: [0.0, 0.0])
        if not heard:
            return
        measured = [
            Measured(family, chip, total / reports, int(reports)) for (family, chip), (total, reports) in heard.items()
        ]
        try:
            is_written = self._throughputs.learn(measured, self._clock.now(), self._lead.epoch)
        except StorageUnavailable:
            logger.warning("what %d families of jobs did is not kept: the database does not answer", len(measured))
            return
        if not is_written:
            raise LeadershipLost
