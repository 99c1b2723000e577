"""What leaves which nodes, earliest first, as far as is known at one moment: sorted once for each pool of nodes."""

from __future__ import annotations

from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.ends import expected_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from scheduler.core.deciding.backfilling.ends import ExpectedEnd
    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.identifiers import AttemptId
    from scheduler.core.placement.request import GangRequest

    Ends = Callable[[LiveAttempt], ExpectedEnd | None]
    Moment = tuple[datetime, Mapping[AttemptId, ExpectedEnd]]
    """A time, and what leaves then."""

NOBODY = ""
"""Sorted before all attempts: a moment at which something else changes."""


class KnownEnds:
    """When what runs will have ended, each worked out once for one moment."""

    def __init__(self, state: SchedulerState, now: datetime) -> None:
        self._state = state
        self._now = now
        self._known: dict[AttemptId, ExpectedEnd | None] = {}

    def __call__(self, live: LiveAttempt) -> ExpectedEnd | None:
        """Return when an attempt will have ended, None where it will not by itself."""
        if live.attempt not in self._known:
            self._known[live.attempt] = expected_end(live, live.since, self._state.run_times, self._now)
        return self._known[live.attempt]


class Departures:
    """The attempts of a state by when they end; while it is used, none comes or goes."""

    def __init__(self, state: SchedulerState, ends: Ends) -> None:
        """What has no end by `ends` never leaves."""
        self._state = state
        self._ends = ends
        self._in_pool: dict[PoolName, list[tuple[datetime, AttemptId]]] = {}
        self._known: dict[AttemptId, ExpectedEnd] = {}

    def moments(self, request: GangRequest, others: Iterable[datetime] = ()) -> Iterator[Moment]:
        """Yield when something leaves the nodes that a gang may use, in order, and what; the `others` among them."""
        clusters = [cluster for cluster in self._state.ledger.clusters() if cluster not in request.without]
        pools = [self._of((cluster, chip)) for cluster in clusters for chip in request.chips]
        rows = merge(sorted((at, NOBODY) for at in others), *pools)
        for at, leaving in groupby(rows, key=itemgetter(0)):
            yield at, {attempt: self._known[attempt] for _, attempt in leaving if attempt != NOBODY}

    def _of(self, pool: PoolName) -> list[tuple[datetime, AttemptId]]:
        rows = self._in_pool.get(pool)
        if rows is None:
            rows = self._in_pool[pool] = []
            for attempt in self._state.occupants.of(pool):
                end = self._ends(self._state.live[attempt])
                if end is not None:
                    self._known[attempt] = end
                    rows.append((end.at, attempt))
            rows.sort()
        return rows
