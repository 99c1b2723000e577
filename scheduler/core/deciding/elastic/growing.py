"""What a pass does for elastic jobs once all who wait had their turn: wishes for fewer workers, and room for more."""

from __future__ import annotations

from bisect import bisect
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from scheduler.core.deciding.elastic.shrinking import may_be_resized, shrunk
from scheduler.core.ledger.changes import Seat
from scheduler.core.model.decision import ResizeCause, Resized
from scheduler.core.model.job import AnyOf
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.placement.gang import place
from scheduler.core.queueing.quota import used_milli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from scheduler.core.deciding.lacks import Numbers
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.changes import LedgerChange
    from scheduler.core.model.identifiers import AttemptId
    from scheduler.core.placement.placement import GangPlace

COOL_DOWN_S = 120.0
"""A gang grows no sooner after it began to run, or was given another size: each time costs it a checkpoint."""
MOST_LOOKED_AT = 64
"""In one pass; the next one goes on behind them."""
MOST_GROWN = 8
"""In one pass."""
MOST_REFUSED = 1_024


class Growing:
    """Remembers whose turn is next, and what was refused of what was decided."""

    def __init__(self, cool_down_s: float = COOL_DOWN_S) -> None:
        self._cool_down = timedelta(seconds=cool_down_s)
        self._last: AttemptId = ""
        self._refused: set[tuple[AttemptId, int]] = set()

    def candidates(self, state: SchedulerState, now: datetime) -> list[LiveAttempt]:
        """Return the attempts that are to have another size, if there is room: those first that were not looked at."""
        if not state.sizes.unsized:
            return []
        names = sorted(state.sizes.unsized)
        first = bisect(names, self._last)
        turn = (names[first:] + names[:first])[:MOST_LOOKED_AT]
        self._last = turn[-1]
        return [live for live in map(state.live.__getitem__, turn) if self._is_due(live, now)]

    def decide(
        self, state: SchedulerState, turn: list[LiveAttempt], apply: Callable[[LedgerChange], object], numbers: Numbers
    ) -> Iterator[Resized]:
        """Yield other sizes; what comes by them counts as held from then on."""
        grown = 0
        for live in turn:
            wanted = live.job.spec.workers
            if len(live.allocations) > wanted:
                yield shrunk(live, wanted, ResizeCause.WISHED)
            elif grown < MOST_GROWN and (found := _more(state, live, numbers)) is not None:
                grown += 1
                account = live.job.account._replace(is_part=True)
                apply(Seat(f"{live.attempt}+", live.job.tenant, found.seatings, account, found.compute_milli))
                numbers.forget()
                yield _grown(state, live, found)

    def next_due(self, state: SchedulerState, now: datetime) -> datetime | None:
        """Return when the next gang may grow that may not now; None where none is held up by time alone."""
        lives = (state.live[name] for name in state.sizes.unsized)
        return min((due for live in lives if (due := self._due(live)) > now), default=None)

    def refused(self, decision: Resized) -> None:
        """Decide no more on an attempt that the database knows otherwise, until something becomes of its group."""
        if len(self._refused) >= MOST_REFUSED:
            self._refused.clear()
        self._refused.add((decision.attempt, decision.version))

    def _due(self, live: LiveAttempt) -> datetime:
        return (live.resizing.began_at or live.since) + self._cool_down

    def _is_due(self, live: LiveAttempt, now: datetime) -> bool:
        if not may_be_resized(live) or (live.attempt, live.group.version) in self._refused:
            return False
        is_wished = live.is_hurried or len(live.allocations) > live.job.spec.workers
        return is_wished or self._due(live) <= now


def _more(state: SchedulerState, live: LiveAttempt, numbers: Numbers) -> GangPlace | None:
    """Return a place for as many more workers as there is room for; None where there is none for any."""
    have, spec = len(live.allocations), live.job.spec
    first = live.allocations[0]
    cluster = first.node.partition("/")[0]
    elsewhere = tuple(name for name in state.ledger.clusters() if name != cluster)
    chips = AnyOf(() if first.chip is None else (first.chip,))
    for size in spec.sizes:
        if size <= have:
            return None
        more = replace(spec, workers=size - have, chips=chips, elastic=None, objecting_clusters=elsewhere)
        request = state.speeds.asked_by(replace(live.job, spec=more))
        (option,) = request.options
        if state.sharing.over_quota(request.queue, option.charge_milli):
            continue
        if numbers.allow(request) and (found := place(state.placer, request, option)) is not None:
            return found
    return None


def _grown(state: SchedulerState, live: LiveAttempt, found: GangPlace) -> Resized:
    """Return the decision that a gang has more workers, which the ledger counts already."""
    generation, have, number = live.generation + 1, len(live.allocations), live.next_number
    new = [replace(one, rank=have + one.rank, since=generation, number=number + one.rank) for one in found.allocations]
    notes = tuple(replace(note, rank=have + note.rank) for note in found.notes)
    group, held = live.group, (*live.allocations, *new)
    cause = ResizeCause.ROOM if _is_guaranteed(state, live) else ResizeCause.LOAN
    return Resized(group.id, group.version, live.attempt, generation, held, cause, notes)


def _is_guaranteed(state: SchedulerState, live: LiveAttempt) -> bool:
    """Say whether on the way of a job's queue all that is held of its chips is within what is guaranteed there."""
    uses, chips = state.ledger.uses, {held.chip for held in live.allocations}
    for rule in state.sharing.book.rules_on_path(live.job.queue):
        guaranteed = rule.quota.guaranteed * WHOLE_DEVICE_MILLI
        if guaranteed and chips <= set(rule.weights) and used_milli(uses, rule.quota.queue, rule.weights) <= guaranteed:
            return True
    return False
