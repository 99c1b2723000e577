"""Make a cluster's workers what the database wants, and the database what the workers are."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scheduler.core.deciding.state import LiveAttempt
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import back_off_s
from scheduler.core.model.chip import ChipType
from scheduler.core.model.group import StopReason
from scheduler.core.model.identifiers import AttemptId
from scheduler.core.reconciling.actions import Forget, Report, Start, Stop, WantedAttempt
from scheduler.core.reconciling.reconcile import reconcile
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterPort, ClusterUnavailable, GangOrder, StartFailed
from scheduler.ports.directory import Directory
from scheduler.ports.journal import Journal, Observe, Rejected, Rejection
from scheduler.services.access.attempt_tokens import AttemptTokens
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead, LeadershipLost

logger = logging.getLogger(__name__)

MOST_ROUNDS = 4
"""A started gang is reported in the same call; what needs more rounds comes with the next one."""


LONGEST_DETAIL = 1_000
MOST_PUT_OFF = 10_000


class _StartBackOff:
    """Starts that a cluster could not answer, and when each is tried again; the oldest are dropped beyond a bound."""

    def __init__(self) -> None:
        self._failures: dict[AttemptId, tuple[int, float]] = {}

    def is_due(self, attempt: AttemptId, now_s: float) -> bool:
        return self._failures.get(attempt, (0, now_s))[1] <= now_s

    def put_off(self, attempt: AttemptId, now_s: float) -> int:
        failures = self._failures.pop(attempt, (0, 0.0))[0] + 1
        wait_s = back_off_s(failures)
        self._failures[attempt] = (failures, now_s + wait_s)
        if len(self._failures) > MOST_PUT_OFF:
            del self._failures[next(iter(self._failures))]
        return wait_s

    def forget(self, attempt: AttemptId) -> None:
        self._failures.pop(attempt, None)


@dataclass(frozen=True, slots=True)
class LaunchTerms:
    """What workers are told besides their job."""

    api_url: str
    """Where they reach the API."""
    tokens: AttemptTokens


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
        self._directory = directory
        self._clock = clock
        self._terms = terms
        self._lead = lead
        self._starts = _StartBackOff()
        self._barred: set[AttemptId] = set()
        """Live attempts of which no worker will start any more."""
        self._hinted = threading.Event()
        self._settled: list[WantedAttempt] | None = None
        cluster.listen(self._hinted.set)

    def has_news(self) -> bool:
        """Say whether the cluster gave a hint, or other attempts are wanted than when all was last settled."""
        self._followed.follow()
        return self._hinted.is_set() or self._settled != _wanted(self._live_here())

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
                break
        return acted

    def _round(self) -> tuple[list[WantedAttempt], int]:
        """Compare once and act; return what was wanted, and how many reports and starts that took."""
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
        self._write([self._observation(report) for report in reports])
        started = sum(self._start(live[action.attempt]) for action in actions if isinstance(action, Start))
        self._barred &= live.keys()
        return wanted, len(reports) + postponed + started

    def _is_proven(self, report: Report) -> bool:
        """Say whether what is reported was seen late enough.

        That all workers are gone is proven only by a look after the cluster was asked to let none start any more.
        """
        return report.event is not Event.GONE or report.attempt in self._barred

    def _live_here(self) -> dict[AttemptId, LiveAttempt]:
        prefix = f"{self._cluster.name}/"
        with self._followed.hold() as state:
            return {name: live for name, live in state.live.items() if live.allocations[0].node.startswith(prefix)}

    def _start(self, live: LiveAttempt) -> bool:
        """Start a gang, or write down that the cluster refused it; say whether either was done."""
        if not self._starts.is_due(live.attempt, self._clock.monotonic_s()):
            return False
        self._lead.check()
        try:
            self._cluster.start(self._order(live))
        except StartFailed as failure:
            logger.warning("attempt %s was not started: %s", live.attempt, failure)
            self._write([self._refusal(live, failure)])
        except ClusterUnavailable as problem:
            # The others go on; this one is tried again, later each time.
            wait_s = self._starts.put_off(live.attempt, self._clock.monotonic_s())
            logger.warning("attempt %s could not be started, next try in %d s: %s", live.attempt, wait_s, problem)
            return False
        self._starts.forget(live.attempt)
        return True

    def _refusal(self, live: LiveAttempt, failure: StartFailed) -> Observe:
        return Observe(
            attempt=live.attempt,
            generation=live.generation,
            event=Event.STOP,
            reason=StopReason.START_REFUSED,
            workers=(),
            epoch=self._lead.epoch,
            at=self._clock.now(),
            detail=str(failure)[:LONGEST_DETAIL],
        )

    def _order(self, live: LiveAttempt) -> GangOrder:
        chips: Mapping[str, ChipType] = {chip.name: chip for chip in self._directory.chips()}
        return GangOrder(
            job=live.job,
            attempt=live.attempt,
            number=live.number,
            generation=live.generation,
            allocations=live.allocations,
            torch_devices=tuple(chips[allocation.chip].torch_device for allocation in live.allocations),
            api_url=self._terms.api_url,
            token=self._terms.tokens.mint(live.attempt, live.generation),
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
        )

    def _write(self, observations: Sequence[Observe]) -> None:
        if not observations:
            return
        for observation, outcome in zip(observations, self._journal.write(observations), strict=True):
            if not isinstance(outcome, Rejected):
                continue
            if outcome.why is Rejection.STALE_EPOCH:
                raise LeadershipLost
            logger.warning("%s of %s was refused: %s", observation.event, observation.attempt, outcome.why)


def _wanted(live: Mapping[AttemptId, LiveAttempt]) -> list[WantedAttempt]:
    return [
        WantedAttempt(
            attempt=attempt.attempt,
            generation=attempt.generation,
            state=attempt.group.state,
            ranks=len(attempt.allocations),
            grace_s=attempt.job.spec.grace_s,
        )
        for attempt in live.values()
    ]
