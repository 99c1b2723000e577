"""One decision cycle: follow the feed, decide on the state in memory, commit, follow again."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduler.core.deciding.cycle import decide, next_due
from scheduler.core.model.decision import Decision, Placed, Refused
from scheduler.core.model.identifiers import GroupId, job_named_by
from scheduler.ports.clock import Clock
from scheduler.ports.journal import Journal, Outcome, Place, Refuse, Rejected, Rejection, Written
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
    rejected: int
    """Decisions that the database refused; they are made anew from the followed state."""
    next_due: datetime | None
    """When a back-off ends that nothing else announces."""


NOTHING_TO_DECIDE = CycleResult(placed=0, refused=0, rejected=0, next_due=None)


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
        telemetry: Telemetry = SILENCE,
        tracer: Tracer = NO_TRACES,
        counter: ChangeCounter | None = None,
    ) -> None:
        """`counter` listens to the followed state; it is told which jobs had their first decision."""
        self._followed = followed
        self._journal = journal
        self._clock = clock
        self._wake_up = wake_up
        self._lead = lead
        self._telemetry = telemetry
        self._tracer = tracer
        self._counter = counter
        self._latest = NOTHING_TO_DECIDE

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
            decisions = decide(state, now)
            seen = self._followed.change
        self._latest = self._carry_out(decisions, now)
        self._measure(self._latest, self._clock.monotonic_s() - began_s, seen)
        if not self._latest.rejected:
            self._followed.mark_decided(seen)
            if decisions:
                self._wake_up.notify(decided=seen)  # whoever waits for it: the commit's hint came before the mark
        return self._latest

    def _measure(self, result: CycleResult, duration_s: float, seen: int) -> None:
        self._telemetry.cycle(CycleFigures(duration_s, result.placed, result.refused, result.rejected))
        if self._counter is not None and not result.rejected:
            self._counter.decided(seen, self._clock.now())

    def _is_due(self, now: datetime) -> bool:
        """Say whether deciding again could give anything new: the same state at no new due time decides the same."""
        latest = self._latest
        due = latest.next_due is not None and latest.next_due <= now
        return due or latest.rejected > 0 or self._followed.change != self._followed.decided_change

    def _carry_out(self, decisions: Sequence[Decision], now: datetime) -> CycleResult:
        effective = [decision for decision in decisions if isinstance(decision, Placed | Refused)]
        parents = self._trace_decisions(effective, now)
        outcomes: list[Outcome] = []
        for first in range(0, len(effective), DECISIONS_PER_COMMIT):
            batch = effective[first : first + DECISIONS_PER_COMMIT]
            began = self._clock.now()
            written = self._commit(batch, now)
            self._trace_commits(batch, written, parents, began)
            outcomes += written
        if effective:
            self._followed.follow()
        with self._followed.hold() as state:
            due = next_due(state, now)
        return _summary(effective, outcomes, due)

    def _trace_decisions(self, decisions: Sequence[Placed | Refused], began: datetime) -> Mapping[GroupId, str | None]:
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
        decisions: Sequence[Placed | Refused],
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

    def _commit(self, decisions: Sequence[Placed | Refused], now: datetime) -> list[Outcome]:
        writes = [
            Place(decision, self._lead.epoch, now)
            if isinstance(decision, Placed)
            else Refuse(decision, self._lead.epoch, now)
            for decision in decisions
        ]
        outcomes = self._journal.write(writes)
        for decision, outcome in zip(decisions, outcomes, strict=True):
            if isinstance(outcome, Rejected):
                if outcome.why is Rejection.STALE_EPOCH:
                    raise LeadershipLost
                with about(job_id=job_named_by(decision.group)):
                    logger.warning("decision on %s was refused: %s %s", decision.group, outcome.why, outcome.detail)
        return outcomes


def _summary(decisions: Sequence[Decision], outcomes: Sequence[Outcome], due: datetime | None) -> CycleResult:
    pairs = list(zip(decisions, outcomes, strict=True))
    return CycleResult(
        placed=sum(isinstance(d, Placed) and isinstance(o, Written) for d, o in pairs),
        refused=sum(isinstance(d, Refused) and isinstance(o, Written) for d, o in pairs),
        rejected=sum(isinstance(o, Rejected) for _, o in pairs),
        next_due=due,
    )
