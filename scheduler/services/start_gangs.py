"""Start gangs on one cluster: as many at the same time as it takes, each again later where it did not answer."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from scheduler.core.deciding.state import LiveAttempt
from scheduler.core.lifecycle.transitions import back_off_s
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import AttemptId, ChipName
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterPort, ClusterUnavailable, GangOrder, StartFailed, StartRefusal
from scheduler.ports.directory import Directory
from scheduler.services.access.attempt_tokens import AttemptTokens
from scheduler.services.keep_lead import Lead

logger = logging.getLogger(__name__)

MOST_STARTS = 64
"""So many gangs are started before the cluster is looked at again: nobody's end should wait for all starts."""
MOST_PUT_OFF = 10_000

_WHO_REFUSED = {
    StartRefusal.QUOTA: "the cluster's own quota is used up: ",
    StartRefusal.DENIED: "the cluster's admission rules forbid it: ",
    StartRefusal.FORBIDDEN: "Medley lacks a permission on the cluster: ",
    StartRefusal.INVALID: "the cluster finds it malformed: ",
    StartRefusal.NAME_TAKEN: "something else has its name on the cluster: ",
    StartRefusal.NOT_ALLOWED: "the cluster does not offer what the job asks for: ",
}
"""What stands before the cluster's own words, where more is known than that it refused."""


@dataclass(frozen=True, slots=True)
class LaunchTerms:
    """What workers are told besides their job."""

    api_url: str
    """Where they reach the API."""
    tokens: AttemptTokens


@dataclass(frozen=True, slots=True)
class Started:
    """A gang that need not be started again."""

    live: LiveAttempt
    refusal: str | None
    """Why the cluster refused it, for people; None where it was started."""


class GangStarter:
    """Starts gangs. One thread calls it; close it in the end."""

    def __init__(
        self, cluster: ClusterPort, directory: Directory, clock: Clock, *, terms: LaunchTerms, lead: Lead
    ) -> None:
        self._cluster = cluster
        self._directory = directory
        self._clock = clock
        self._terms = terms
        self._lead = lead
        self._put_off = _PutOff()
        self._threads: ThreadPoolExecutor | None = None

    def start(self, gangs: Sequence[LiveAttempt]) -> list[Started]:
        """Start those of the gangs that are due, at most MOST_STARTS; return what was started or refused, in order.

        One that the cluster does not answer about is put off, later each time, and is no other's concern.
        Raises LeadershipLost, StorageUnavailable; what was started stays so.
        """
        now_s = self._clock.monotonic_s()
        due = [gang for gang in gangs if self._put_off.is_due(gang.attempt, now_s)][:MOST_STARTS]
        if not due:
            return []
        chips = {chip.name: chip for chip in self._directory.chips()}
        started = []
        for gang, answer in zip(due, self._try_all(due, chips), strict=True):
            if isinstance(answer, Started):
                self._put_off.forget(gang.attempt)
                started.append(answer)
            else:
                wait_s = self._put_off.put_off(gang.attempt, now_s)
                logger.warning("attempt %s could not be started, next try in %d s: %s", gang.attempt, wait_s, answer)
        return started

    def close(self) -> None:
        """Begin nothing more; starts that are under way go on to their end."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _try_all(self, gangs: Sequence[LiveAttempt], chips: Mapping[ChipName, ChipType]) -> list[Started | Exception]:
        """Return one answer per gang. Raises when all are over, not before."""
        at_once = self._cluster.claims.starts_at_once
        if at_once == 1:
            return [self._try(gang, chips) for gang in gangs]
        if self._threads is None:
            self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=f"starting on {self._cluster.name}")
        tries = [self._threads.submit(self._try, gang, chips) for gang in gangs]
        wait(tries)
        return [each.result() for each in tries]

    def _try(self, gang: LiveAttempt, chips: Mapping[ChipName, ChipType]) -> Started | Exception:
        """Start one gang; what it alone met comes back as a value."""
        self._lead.check()
        try:
            self._cluster.start(self._order(gang, chips))
        except StartFailed as failure:
            logger.warning("attempt %s was not started: %s", gang.attempt, failure)
            return Started(gang, _WHO_REFUSED.get(failure.refusal, "") + str(failure))
        except ClusterUnavailable as problem:
            return problem
        except Exception as fault:
            logger.exception("attempt %s could not be started", gang.attempt)
            return fault
        return Started(gang, None)

    def _order(self, live: LiveAttempt, chips: Mapping[ChipName, ChipType]) -> GangOrder:
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


class _PutOff:
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
