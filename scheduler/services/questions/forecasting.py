"""When those that wait will start, answered from the followed state."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from scheduler.core.deciding.prospect import Prospect
from scheduler.core.forecasting.forecast import Forecast
from scheduler.core.forecasting.scene import Scene, Waiter, demands_of, line_up, look_for_rooms, take_scene
from scheduler.core.forecasting.scoring import widened
from scheduler.core.model.group import first_group
from scheduler.core.model.identifiers import GroupId
from scheduler.core.model.job import Job
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate, StartBasis
from scheduler.ports.clock import Clock
from scheduler.services.collecting import nothing_collected
from scheduler.services.follow_changes import FollowedState
from scheduler.services.questions.estimate_records import EstimateRecords

RENEWED_AFTER_S = 3.0
"""A forecast that is asked for and so old is made anew meanwhile."""
LONGEST_PART = 0.05
"""Making forecasts takes no larger part of the time: of a long queue they are made less often."""
TOO_OLD_S = 120.0
"""One that is so old is of no use: whoever asks waits for the next."""


@dataclass(frozen=True, slots=True)
class _Known:
    forecast: Forecast
    at_s: float
    change: int
    took_s: float


class Forecaster:
    """Keeps the latest forecast. Safe to use from several threads; none of them holds the state for long."""

    def __init__(
        self,
        followed: FollowedState,
        clock: Clock,
        *,
        in_background: bool = True,
        records: EstimateRecords | None = None,
    ) -> None:
        """`in_background`: who asks is given what there is, and the next is made meanwhile; else who asks waits.

        With `records` of past estimates, ranges are as wide as these say that they have to be.
        """
        self._followed = followed
        self._clock = clock
        self._records = records
        self._threads = ThreadPoolExecutor(1, "forecasting") if in_background else None
        self._making, self._asking = threading.Lock(), threading.Lock()
        self._known: _Known | None = None
        self._renewal: Future[Forecast] | None = None

    def close(self) -> None:
        """Make no forecasts any more."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)

    def estimate(self, group: GroupId) -> Estimate | NoEstimate | None:
        """Return when a group is expected to start; None where that is not known yet, or it does not wait."""
        return self._told(self.latest().of(group, self._clock.now()))

    def known(self, group: GroupId) -> Estimate | NoEstimate | None:
        """Return the same where a forecast is there that is of use, and wait for none: for lists of many groups."""
        known = self._known
        is_there = known is not None and self._clock.monotonic_s() - known.at_s <= TOO_OLD_S
        if self._threads is not None and not is_there:
            self._renew(known, self._threads)
            return None
        return self.estimate(group)

    def _told(self, found: Estimate | NoEstimate | None) -> Estimate | NoEstimate | None:
        if self._records is None or not isinstance(found, Estimate):
            return found
        return widened(found, self._records.latest(), self._clock.now())

    def estimate_new(self, job: Job, prospect: Prospect) -> Estimate | NoEstimate | None:
        """Return when a job would start that is tried and not submitted; None for one that would be refused."""
        now = self._clock.now()
        if prospect.is_hopeless:
            return None
        if prospect.places:
            return Estimate(now, now, StartBasis.FREE, now)
        scene = self._look()
        scene.waiters = scene.waiters[: prospect.position - 1]
        group = first_group(job.id, 0)
        with self._followed.hold() as state:
            request = state.speeds.asked_by(job)
        return self._told(Forecast(scene, Waiter(group, job, request)).of(group.id, now))

    def latest(self) -> Forecast:
        """Return the latest forecast, before past estimates have their say: what is scored.

        Who asks about many asks once: where nothing is made in the background, each call may make it anew.
        """
        known = self._known
        age_s = 0.0 if known is None else self._clock.monotonic_s() - known.at_s
        if known is None or age_s > TOO_OLD_S:
            return self._make(known)
        if known.change != self._followed.change or age_s > TOO_OLD_S / 2:
            if self._threads is None:
                return self._make(known)
            if age_s > max(RENEWED_AFTER_S, known.took_s / LONGEST_PART):
                self._renew(known, self._threads)
        return known.forecast

    def _renew(self, known: _Known | None, threads: ThreadPoolExecutor) -> None:
        with self._asking:
            if self._renewal is None or self._renewal.done():
                self._renewal = threads.submit(self._make, known)

    def _make(self, before: _Known | None) -> Forecast:
        """Make a forecast, unless somebody else did meanwhile."""
        with self._making:
            if self._known is not None and self._known is not before:
                return self._known.forecast
            began_s, change = self._clock.monotonic_s(), self._followed.change
            forecast = Forecast(self._look())
            ended_s = self._clock.monotonic_s()
            self._known = _Known(forecast, began_s, change, ended_s - began_s)
            return forecast

    def _look(self) -> Scene:
        """Read what a forecast has to know: the state is held twice for a moment, and not in between."""
        with self._followed.hold() as state, nothing_collected():
            scene = take_scene(state, self._clock.now())
        line_up(scene, state)
        demands = demands_of(scene)
        with self._followed.hold() as state:
            look_for_rooms(scene, state, demands)
        return scene
