"""Make a cluster's workers what the database wants, and the database what the workers are."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import WorkerRemark
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import AttemptId, job_named_by
from scheduler.core.reconciling.actions import (
    Advance,
    Dismiss,
    Forget,
    Report,
    Start,
    Stop,
    WantedAttempt,
)
from scheduler.core.reconciling.reconcile import Comparison
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterPort, ClusterUnavailable
from scheduler.ports.directory import Directory
from scheduler.ports.journal import (
    MOST_REMARKS,
    AdvanceResize,
    Journal,
    NoteWorkers,
    Observe,
    Rejected,
    Rejection,
    Written,
)
from scheduler.ports.telling.log_context import about
from scheduler.ports.telling.tracing import NO_TRACES, Tracer
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead, LeadershipLost
from scheduler.services.reconciling.wanting import Wanting
from scheduler.services.start_gangs import GangStarter, LaunchTerms, Started

__all__ = ["LaunchTerms", "Reconciler"]

logger = logging.getLogger(__name__)

MOST_ROUNDS = 4
"""A started gang is reported in the same call; what needs more rounds comes with the next one."""
MOST_WRITES = 500
"""So many observations go into one transaction."""
LONGEST_DETAIL = 1_000
SWEEP_PAUSE_S = 1.0
SWEEP_INTERVAL_S = 10.0
"""So often is swept even where there is always more to do."""
OUTAGE_S = 60.0
"""After so long without an answer, what was never begun on the cluster is given up, and the rest is told of."""


_Item = Observe | NoteWorkers | AdvanceResize

_UNCERTAIN = frozenset({State.PLACED, State.STOPPING})
"""What an attempt is in of which it must be seen whether anything of it runs."""


class Reconciler:
    """Drives one cluster while it leads."""

    def __init__(
        self,
        cluster: ClusterPort,
        followed: FollowedState,
        journal: Journal,
        directory: Directory,
        *,
        clock: Clock,
        terms: LaunchTerms,
        lead: Lead,
        tracer: Tracer = NO_TRACES,
    ) -> None:
        self._cluster = cluster
        self._followed = followed
        self._journal = journal
        self._clock = clock
        self._lead = lead
        self._starter = GangStarter(
            cluster, directory, clock, terms=terms, lead=lead, on_done=self._hint, tracer=tracer
        )
        self._barred: set[AttemptId] = set()
        """Live attempts of which no worker will start any more."""
        self._started: set[tuple[AttemptId, int]] = set()
        """Live attempts that were started, with the generation.

        One whose workers do not show yet is no reason to look again at once.
        """
        self._wanting = Wanting(cluster.name, followed)
        self._comparison = Comparison()
        self._inherited = frozenset(self._wanting.now()[0])
        """Live attempts that another process may have begun with; all later ones are placed under this lead."""
        self._hinted = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._settled: Sequence[WantedAttempt] | None = None
        self._swept_at_s = -SWEEP_INTERVAL_S
        self._silent_since_s: float | None = None
        self._told: set[AttemptId] = set()
        """Attempts whose jobs were told of the outage that goes on."""
        self._leave = cluster.listen(self._hint)

    def listen(self, callback: Callable[[], None]) -> None:
        """Call back, from any thread, when the cluster gave a hint or a start that took long came to its end."""
        self._callbacks.append(callback)

    def has_news(self) -> bool:
        """Say whether the cluster gave a hint, something was left to do, or others are wanted than then."""
        if self._hinted.is_set():
            return True
        self._followed.follow()
        return self._settled != self._wanting.now()[1]

    def reconcile_once(self) -> int:
        """Act until nothing is left to do now; return how many actions that took.

        Raises ClusterUnavailable, StorageUnavailable, LeadershipLost; what was done stays done, and the next call
        goes on from what it then sees. While the cluster does not answer, what was never begun there is given up.
        """
        self._hinted.clear()
        self._settled = None
        acted = 0
        wanted: Sequence[WantedAttempt] = []
        for _ in range(MOST_ROUNDS):
            wanted, done = self._round()
            acted += done
            if not done:
                self._settled = wanted
                break
        self._sweep(wanted)
        return acted

    @property
    def is_settled(self) -> bool:
        """Whether the last call came to its end with nothing left to do."""
        return self._settled is not None

    def close(self) -> None:
        """Let go of the cluster; starts that are under way go on to their end."""
        self._callbacks.clear()
        self._leave()
        self._starter.close()

    def _round(self) -> tuple[Sequence[WantedAttempt], int]:
        """Compare once and act; return what was wanted, and how much changed by it."""
        # Seen before wanted: an attempt placed in between is wanted and unseen, which is safe, whereas a worker
        # seen and not yet wanted would be taken for a stray.
        try:
            seen = self._cluster.observe()
        except ClusterUnavailable as outage:
            self._bridge(outage)
            raise
        self._silent_since_s = None
        self._told.clear()
        self._followed.follow()
        live, wanted = self._wanting.now()
        actions = self._comparison.actions(wanted, seen)
        told = [action for action in actions if isinstance(action, Report)]
        reports = [report for report in told if self._is_proven(report)]
        unproven = [report.attempt for report in told if not self._is_proven(report)]
        # Starting comes last: it may take long, and nobody's end should wait for another's start.
        for action in actions:
            if isinstance(action, Stop):
                self._starter.withdraw(action.attempt)
                self._cluster.stop(action.attempt, grace_s=action.grace_s)
                self._barred.add(action.attempt)
            elif isinstance(action, Dismiss):
                self._cluster.dismiss(action.attempt, action.workers, grace_s=action.grace_s)
            elif isinstance(action, Forget):
                self._cluster.forget(action.attempt)
        self._write(self._remarks())
        written = self._write([self._observation(report) for report in reports])
        written += self._write([self._advance(action) for action in actions if isinstance(action, Advance)])
        started = self._starter.start([live[action.attempt] for action in actions if isinstance(action, Start)])
        written += self._write([self._refusal(each, each.refusal) for each in started if each.refusal is not None])
        # What waits for a start that goes on is no reason to look again at once: its end gives a hint.
        postponed = sum(not self._starter.is_under_way(attempt) for attempt in unproven)
        fresh = {(each.live.attempt, each.live.generation) for each in started if each.refusal is None} - self._started
        self._started = {each for each in self._started | fresh if each[0] in live}
        self._barred &= live.keys()
        self._starter.keep(live.keys())
        return wanted, written + postponed + len(fresh)

    def _is_proven(self, report: Report) -> bool:
        """Say whether what is reported was seen late enough.

        That all workers are gone is proven only by a look after the cluster was asked to let none start any more, and
        after each start came to its end.
        """
        is_closed = report.attempt in self._barred and not self._starter.is_under_way(report.attempt)
        return is_closed or not (report.event is Event.GONE or report.is_after_stop)

    def _bridge(self, outage: ClusterUnavailable) -> None:
        """Give up what was never begun on a cluster that does not answer, and tell the jobs of what may have begun.

        A start that was asked for may have got through without an answer, and one that an earlier process asked for as
        well: such an attempt holds its place until it is seen what runs there.
        """
        now_s = self._clock.monotonic_s()
        if self._silent_since_s is None:
            self._silent_since_s = now_s
        is_long = now_s - self._silent_since_s >= OUTAGE_S
        self._followed.follow()
        given_up: list[Observe] = []
        held: list[NoteWorkers] = []
        for live in self._wanting.now()[0].values():
            may_have_begun = live.attempt in self._inherited or self._starter.has_begun(live.attempt)
            if live.group.state is State.STOPPING and not may_have_begun:
                given_up.append(self._observation(Report(live.attempt, live.generation, Event.GONE, None, ())))
            elif live.group.state is State.PLACED and not may_have_begun and is_long:
                said = f"cluster {self._cluster.name} does not answer: {outage}"
                given_up.append(self._refusal(Started(live, said), said))
            elif is_long and live.group.state in _UNCERTAIN and live.attempt not in self._told:
                held.append(self._remark_on_outage(live.attempt))
        self._write(given_up)
        self._write(held)
        self._told.update(note.attempt for note in held)

    def _sweep(self, wanted: Sequence[WantedAttempt]) -> None:
        """Have the cluster sweep: at every interval, and sooner where nothing else is to be done."""
        now_s = self._clock.monotonic_s()
        if now_s >= self._swept_at_s + (SWEEP_PAUSE_S if self.is_settled else SWEEP_INTERVAL_S):
            with self._followed.hold() as state:
                # What is served is as good as unfinished: the next attempt of a replica reads it again.
                served = {name for job in state.jobs.values() if (name := job.spec.serves_training)}
                unfinished = frozenset(state.jobs) | served
            self._cluster.sweep([attempt.attempt for attempt in wanted], unfinished=unfinished)
            self._swept_at_s = now_s

    def _hint(self) -> None:
        self._hinted.set()
        for callback in tuple(self._callbacks):
            callback()

    def _refusal(self, started: Started, refusal: str) -> Observe:
        return Observe(
            attempt=started.live.attempt,
            generation=started.live.generation,
            event=Event.STOP,
            reason=StopReason.START_REFUSED,
            workers=(),
            epoch=self._lead.epoch,
            at=self._clock.now(),
            detail=refusal[:LONGEST_DETAIL],
        )

    def _remark_on_outage(self, attempt: AttemptId) -> NoteWorkers:
        now = self._clock.now()
        text = (
            f"cluster {self._cluster.name} does not answer: what this attempt holds stays held until it is seen what "
            "runs there"
        )
        return NoteWorkers(attempt, (WorkerRemark(None, text, now),), self._lead.epoch, now)

    def _remarks(self) -> list[NoteWorkers]:
        """Return what the cluster newly said of workers, as one item per attempt."""
        said: dict[AttemptId, list[WorkerRemark]] = {}
        for note in self._cluster.notes():
            said.setdefault(note.attempt, []).append(WorkerRemark(note.rank, note.text, note.at))
        now = self._clock.now()
        return [
            NoteWorkers(attempt, tuple(remarks[:MOST_REMARKS]), self._lead.epoch, now)
            for attempt, remarks in sorted(said.items())
        ]

    def _advance(self, action: Advance) -> AdvanceResize:
        now = self._clock.now()
        return AdvanceResize(
            action.attempt, action.generation, action.step, self._lead.epoch, now, workers=action.workers
        )

    def _observation(self, report: Report) -> Observe:
        return Observe(
            attempt=report.attempt,
            generation=report.generation,
            event=report.event,
            reason=report.reason,
            workers=report.workers,
            epoch=self._lead.epoch,
            at=self._clock.now(),
            detail=report.detail,
        )

    def _write(self, items: Sequence[_Item]) -> int:
        """Write items and return how many of them changed something. Raises LeadershipLost, StorageUnavailable."""
        changed = 0
        for batch in _batches(items):
            for item, outcome in zip(batch, self._journal.write(batch), strict=True):
                changed += isinstance(outcome, Written)
                if not isinstance(outcome, Rejected):
                    continue
                if outcome.why is Rejection.STALE_EPOCH:
                    raise LeadershipLost
                if isinstance(item, Observe):
                    with about(job_id=job_named_by(item.attempt), attempt_id=item.attempt, cluster=self._cluster.name):
                        logger.warning("%s of %s was refused: %s", item.event, item.attempt, outcome.why)
        return changed


def _batches(items: Iterable[_Item]) -> Iterable[list[_Item]]:
    rest = iter(items)
    return iter(lambda: list(islice(rest, MOST_WRITES)), [])
