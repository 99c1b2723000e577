"""One decision cycle: follow the feed, decide on the state in memory, commit, follow again."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from scheduler.core.deciding.passes import Passes
from scheduler.core.model.decision import Effect, Evicted, Placed, Refused, Resized
from scheduler.core.model.identifiers import GroupId, job_named_by
from scheduler.core.model.waiting.promise import Dropped, Promise
from scheduler.ports.clock import Clock
from scheduler.ports.journal import (
    Evict,
    GiveRoomBack,
    Journal,
    KeepRoom,
    Outcome,
    Place,
    Refuse,
    Rejected,
    Rejection,
    Resize,
    Write,
    Written,
)
from scheduler.ports.telling.log_context import about
from scheduler.ports.telling.telemetry import SILENCE, CycleFigures, Telemetry
from scheduler.ports.telling.tracing import NO_TRACES, Tracer
from scheduler.ports.wake_up import WakeUp
from scheduler.services.collecting import nothing_collected
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead, LeadershipLost
from scheduler.services.measuring.count_changes import ChangeCounter

logger = logging.getLogger(__name__)

DECISIONS_PER_COMMIT = 500


@dataclass(frozen=True, slots=True)
class CycleResult:
    """What one cycle did."""

    placed: int
    refused: int
    evicted: int
    """Attempts that are stopped for other gangs."""
    rejected: int
    """Decisions that the database refused; they are made anew from the followed state."""
    next_due: datetime | None
    """When a back-off ends that nothing else announces."""


NOTHING_TO_DECIDE = CycleResult(placed=0, refused=0, evicted=0, rejected=0, next_due=None)


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told of what was decided."""

    telemetry: Telemetry = SILENCE
    tracer: Tracer = NO_TRACES
    counter: ChangeCounter | None = None
    """Listens to the followed state; it is told which jobs had their first decision."""


class Decider:
    """Decides while it leads."""

    def __init__(
        self,
        followed: FollowedState,
        journal: Journal,
        clock: Clock,
        wake_up: WakeUp,
        *,
        lead: Lead,
        told: Told | None = None,
        passes: Passes | None = None,
    ) -> None:
        """Decide as `passes` do, and tell whoever is to be `told`."""
        self._followed = followed
        self._journal = journal
        self._clock = clock
        self._wake_up = wake_up
        self._lead = lead
        told = told or Told()
        self._telemetry = told.telemetry
        self._tracer = told.tracer
        self._counter = told.counter
        self._latest = NOTHING_TO_DECIDE
        self._passes = passes or Passes()

    def decide_once(self) -> CycleResult:
        """Run one cycle, unless nothing happened since the last one. Raises LeadershipLost, StorageUnavailable.

        The state is let go of before the commit, so that nobody waits for the disk to read it.
        """
        began_s = self._clock.monotonic_s()
        self._followed.follow()
        now = self._clock.now()
        if not self._is_due(now):
            self._lead.check()  # no write tells an idle process that it leads no longer
            return self._latest
        with self._followed.hold() as state, nothing_collected():
            asked = self._passes.asked
            decisions = self._passes.decide(state, now)
            promised = self._passes.promises.unwritten(state.promised)
            seen = self._followed.change
        self._latest = self._carry_out(decisions, promised, now)
        self._measure(self._latest, self._clock.monotonic_s() - began_s, seen)
        if not self._latest.rejected:
            self._followed.mark_decided(seen)
            if self._passes.asked > asked:
                self._wake_up.notify(decided=seen)  # whoever waits for it: the commit's hint came before the mark
        return self._latest

    def _measure(self, result: CycleResult, duration_s: float, seen: int) -> None:
        self._telemetry.cycle(CycleFigures(duration_s, result.placed, result.refused, result.rejected, result.evicted))
        if self._counter is not None and not result.rejected:
            self._counter.decided(seen, self._clock.now())

    def _is_due(self, now: datetime) -> bool:
        """Say whether deciding again could give anything new: the same state at no new due time decides the same."""
        latest = self._latest
        due = latest.next_due is not None and latest.next_due <= now
        return due or latest.rejected > 0 or self._followed.change != self._followed.decided_change

    def _carry_out(
        self, effective: Sequence[Effect], promised: Sequence[Promise | Dropped], now: datetime
    ) -> CycleResult:
        """Commit decisions, and what is promised since with the last of them."""
        parents = self._trace_decisions(effective, now)
        outcomes: list[Outcome] = []
        try:
            for first in range(0, max(len(effective), min(1, len(promised))), DECISIONS_PER_COMMIT):
                batch = effective[first : first + DECISIONS_PER_COMMIT]
                is_last = first + DECISIONS_PER_COMMIT >= len(effective)
                began = self._clock.now()
                written = self._commit(batch, promised if is_last else (), now)
                self._trace_commits(batch, written, parents, began)
                outcomes += written
            if effective or promised:
                self._followed.follow()
        finally:
            with self._followed.hold() as state:
                done = [isinstance(outcome, Written) for outcome in outcomes]
                undone = [decision for decision, is_done in zip_longest(effective, done) if not is_done]
                self._passes.take_back(undone)
                due = self._passes.next_due(state, now)
        return _summary(effective, outcomes, due)

    def _trace_decisions(self, decisions: Sequence[Effect], began: datetime) -> Mapping[GroupId, str | None]:
        """Record a span per decision within its job's trace; return them as the parents of what follows."""
        if not self._tracer.is_on or not decisions:
            return {}
        ended = self._clock.now()
        with self._followed.hold() as state:
            jobs = {decision.group: state.jobs.get(job_named_by(decision.group)) for decision in decisions}
        spans: dict[GroupId, str | None] = {}
        for decision in decisions:
            job = jobs[decision.group]
            noted = {"medley.group": decision.group, "medley.decision": type(decision).__name__.lower()}
            parent = None if job is None else job.traceparent
            spans[decision.group] = self._tracer.record("decide", parent, noted, began=began, ended=ended)
        return spans

    def _trace_commits(
        self,
        decisions: Sequence[Effect],
        outcomes: Sequence[Outcome],
        parents: Mapping[GroupId, str | None],
        began: datetime,
    ) -> None:
        if not parents:
            return
        ended = self._clock.now()
        for decision, outcome in zip(decisions, outcomes, strict=True):
            noted: dict[str, str | int] = {"medley.writes": len(decisions), "medley.epoch": self._lead.epoch}
            noted |= {"medley.change": outcome.change} if isinstance(outcome, Written) else {}
            noted |= {"medley.refused": outcome.why.value} if isinstance(outcome, Rejected) else {}
            self._tracer.record("commit decision", parents[decision.group], noted, began=began, ended=ended)

    def _commit(
        self, decisions: Sequence[Effect], promised: Sequence[Promise | Dropped], now: datetime
    ) -> list[Outcome]:
        """Write decisions and promises together; return what became of the decisions.

        A promise that was refused is made anew where it still stands: what is written down is compared each time.
        """
        epoch = self._lead.epoch
        writes: list[Write] = [_write_of(decision, epoch, now) for decision in decisions]
        writes += [
            KeepRoom(each, epoch, now) if isinstance(each, Promise) else GiveRoomBack(each, epoch, now)
            for each in promised
        ]
        outcomes = self._journal.write(writes)
        for decision, outcome in zip([*decisions, *promised], outcomes, strict=True):
            if isinstance(outcome, Rejected):
                if outcome.why is Rejection.STALE_EPOCH:
                    raise LeadershipLost
                with about(job_id=job_named_by(decision.group)):
                    logger.warning(
                        "what was decided on %s was refused: %s %s", decision.group, outcome.why, outcome.detail
                    )
        return outcomes[: len(decisions)]


def _summary(decisions: Sequence[Effect], outcomes: Sequence[Outcome], due: datetime | None) -> CycleResult:
    pairs = list(zip(decisions, outcomes, strict=True))
    return CycleResult(
        placed=sum(isinstance(d, Placed) and isinstance(o, Written) for d, o in pairs),
        refused=sum(isinstance(d, Refused) and isinstance(o, Written) for d, o in pairs),
        evicted=sum(isinstance(d, Evicted) and isinstance(o, Written) for d, o in pairs),
        rejected=sum(isinstance(o, Rejected) for _, o in pairs),
        next_due=due,
    )


def _write_of(decision: Effect, epoch: int, now: datetime) -> Place | Refuse | Resize | Evict:
    match decision:
        case Placed():
            return Place(decision, epoch, now)
        case Refused():
            return Refuse(decision, epoch, now)
        case Resized():
            return Resize(decision, epoch, now)
        case Evicted():
            return Evict(decision, epoch, now)
