"""Make a cluster's workers what the database wants, and the database what the workers are."""

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from scheduler.core.deciding.state import LiveAttempt
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import WorkerRemark
from scheduler.core.model.group import StopReason
from scheduler.core.model.identifiers import AttemptId
from scheduler.core.reconciling.actions import Forget, Report, Start, Stop, WantedAttempt
from scheduler.core.reconciling.reconcile import reconcile
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterPort
from scheduler.ports.directory import Directory
from scheduler.ports.journal import MOST_REMARKS, Journal, NoteWorkers, Observe, Rejected, Rejection, Written
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead, LeadershipLost
from scheduler.services.start_gangs import GangStarter, LaunchTerms, Started

__all__ = ["LaunchTerms", "Reconciler"]

logger = logging.getLogger(__name__)

MOST_ROUNDS = 4
"""A started gang is reported in the same call; what needs more rounds comes with the next one."""
MOST_WRITES = 500
"""So many observations go into one transaction."""
LONGEST_DETAIL = 1_000


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
    ) -> None:
        self._cluster = cluster
        self._followed = followed
        self._journal = journal
        self._clock = clock
        self._lead = lead
        self._starter = GangStarter(cluster, directory, clock, terms=terms, lead=lead)
        self._barred: set[AttemptId] = set()
        """Live attempts of which no worker will start any more."""
        self._started: set[AttemptId] = set()
        """Live attempts that were started: one whose workers do not show yet is no reason to look again at once."""
        self._hinted = threading.Event()
        self._settled: list[WantedAttempt] | None = None
        self._leave = cluster.listen(self._hinted.set)

    def has_news(self) -> bool:
        """Say whether the cluster gave a hint, something was left to do, or others are wanted than then."""
        if self._hinted.is_set():
            return True
        self._followed.follow()
        return self._settled != _wanted(self._live_here())

    def reconcile_once(self) -> int:
        """Act until nothing is left to do now; return how many actions that took.

        Raises ClusterUnavailable, StorageUnavailable, LeadershipLost; what was done stays done, and the next call
        goes on from what it then sees.
        """
        self._hinted.clear()
        self._settled = None
        acted = 0
        for _ in range(MOST_ROUNDS):
            wanted, done = self._round()
            acted += done
            if not done:
                self._settled = wanted
                self._cluster.sweep([attempt.attempt for attempt in wanted])
                break
        return acted

    @property
    def is_settled(self) -> bool:
        """Whether the last call came to its end with nothing left to do."""
        return self._settled is not None

    def close(self) -> None:
        """Let go of the cluster; starts that are under way go on to their end."""
        self._leave()
        self._starter.close()

    def _round(self) -> tuple[list[WantedAttempt], int]:
        """Compare once and act; return what was wanted, and how much changed by it."""
        # Seen before wanted: an attempt placed in between is wanted and unseen, which is safe, whereas a worker
        # seen and not yet wanted would be taken for a stray.
        seen = self._cluster.observe()
        self._followed.follow()
        live = self._live_here()
        wanted = _wanted(live)
        actions = reconcile(wanted, seen)
        reports = [action for action in actions if isinstance(action, Report) and self._is_proven(action)]
        postponed = sum(isinstance(action, Report) for action in actions) - len(reports)
        # Starting comes last: it may take long, and nobody's end should wait for another's start.
        for action in actions:
            if isinstance(action, Stop):
                self._cluster.stop(action.attempt, grace_s=action.grace_s)
                self._barred.add(action.attempt)
            elif isinstance(action, Forget):
                self._cluster.forget(action.attempt)
        self._write(self._remarks())
        written = self._write([self._observation(report) for report in reports])
        started = self._starter.start([live[action.attempt] for action in actions if isinstance(action, Start)])
        written += self._write([self._refusal(each, each.refusal) for each in started if each.refusal is not None])
        fresh = {each.live.attempt for each in started if each.refusal is None} - self._started
        self._started = (self._started | fresh) & live.keys()
        self._barred &= live.keys()
        return wanted, written + postponed + len(fresh)

    def _is_proven(self, report: Report) -> bool:
        """Say whether what is reported was seen late enough.

        That all workers are gone is proven only by a look after the cluster was asked to let none start any more.
        """
        return report.event is not Event.GONE or report.attempt in self._barred

    def _live_here(self) -> dict[AttemptId, LiveAttempt]:
        prefix = f"{self._cluster.name}/"
        with self._followed.hold() as state:
            return {name: live for name, live in state.live.items() if live.allocations[0].node.startswith(prefix)}

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

    def _write(self, items: Sequence[Observe | NoteWorkers]) -> int:
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
                    logger.warning("%s of %s was refused: %s", item.event, item.attempt, outcome.why)
        return changed


def _batches(items: Iterable[Observe | NoteWorkers]) -> Iterable[list[Observe | NoteWorkers]]:
    rest = iter(items)
    return iter(lambda: list(islice(rest, MOST_WRITES)), [])


def _wanted(live: Mapping[AttemptId, LiveAttempt]) -> list[WantedAttempt]:
    return [
        WantedAttempt(
            attempt=attempt.attempt,
            generation=attempt.generation,
            state=attempt.group.state,
            ranks=len(attempt.allocations),
            grace_s=attempt.job.spec.grace_s,
            stop_reason=attempt.group.stop_reason,
        )
        for attempt in live.values()
    ]
