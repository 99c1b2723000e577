"""Start gangs on one cluster: as many at the same time as it takes, each again later where it did not answer."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.lifecycle.transitions import back_off_s
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import AttemptId, ChipName
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterPort, ClusterUnavailable, GangOrder, StartFailed, StartRefusal
from scheduler.ports.directory import Directory
from scheduler.ports.journal import StorageUnavailable
from scheduler.ports.telling.log_context import about
from scheduler.ports.telling.tracing import NO_TRACES, Tracer
from scheduler.services.access.attempt_tokens import AttemptTokens
from scheduler.services.keep_lead import Lead, LeadershipLost

logger = logging.getLogger(__name__)

MOST_STARTS = 64
"""So many gangs are being started at a time; where it is one after the other, in one call."""
PATIENCE_S = 2.0
"""So long a call waits for the starts that it began: those that are quick, as most are, are reported with it."""
GIVE_UP_S = 300.0
"""A gang whose start got no answer for so long is given up, so that it may run elsewhere."""
LONGEST_PAUSE_S = 15
"""Between two tries of one start: a gang that holds devices should not wait for long once the cluster answers again."""
MOST_PUT_OFF = 10_000
NO_TORCH_DEVICE = "cpu"
"""What a worker without devices computes on, as torch names it."""

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
    """Why it was refused or given up, for people; None where it was started."""


_Answer = Started | Exception
"""What came of a start; an exception is what it met that may be gone at the next try."""


class GangStarter:
    """Starts gangs; where the cluster takes several at once, in threads. One thread calls it; close it in the end."""

    def __init__(
        self,
        cluster: ClusterPort,
        directory: Directory,
        clock: Clock,
        *,
        terms: LaunchTerms,
        lead: Lead,
        on_done: Callable[[], None],
        tracer: Tracer = NO_TRACES,
    ) -> None:
        """`on_done` is called, from any thread, when a start ended that took longer than the call that began it."""
        self._cluster = cluster
        self._directory = directory
        self._clock = clock
        self._terms = terms
        self._lead = lead
        self._on_done = on_done
        self._tracer = tracer
        self._put_off = _PutOff()
        self._threads: ThreadPoolExecutor | None = None
        self._under_way: dict[AttemptId, tuple[LiveAttempt, Future[_Answer]]] = {}
        self._begun: set[AttemptId] = set()

    def start(self, gangs: Sequence[LiveAttempt]) -> list[Started]:
        """Begin with those of the gangs that are due; return what was started, refused or given up since the last call.

        One that the cluster does not answer about is put off, later each time, is given up after 300 s, and is no
        other's concern. Waits two seconds at most where the cluster takes several at once. Raises LeadershipLost,
        StorageUnavailable; what was started stays so.
        """
        now_s = self._clock.monotonic_s()
        due = [
            gang for gang in gangs if gang.attempt not in self._under_way and self._put_off.is_due(gang.attempt, now_s)
        ][: MOST_STARTS - len(self._under_way)]
        answers = [(gang, answer) for gang, answer in self._begin(due)] if due else []
        now_s = self._clock.monotonic_s()
        judged = [self._judge(gang, answer, now_s) for gang, answer in [*answers, *self._collect()]]
        return [started for started in judged if started is not None]

    def is_under_way(self, attempt: AttemptId) -> bool:
        """Say whether a start of the attempt was begun that `start` has not come back to since."""
        return attempt in self._under_way

    def has_begun(self, attempt: AttemptId) -> bool:
        """Say whether the cluster was ever asked here to start the attempt."""
        return attempt in self._begun

    def withdraw(self, attempt: AttemptId) -> None:
        """Take back the start of an attempt, where it still waits for its turn behind others."""
        known = self._under_way.get(attempt)
        if known is not None and known[1].cancel():
            del self._under_way[attempt]

    def keep(self, live: Collection[AttemptId]) -> None:
        """Remember nothing of attempts that are not live."""
        self._begun.intersection_update(live)

    def close(self) -> None:
        """Begin nothing more; starts that are under way go on to their end."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self, gangs: Sequence[LiveAttempt]) -> list[tuple[LiveAttempt, _Answer]]:
        """Begin with gangs; return the answers of those that were started here and now, in this thread."""
        chips = {chip.name: chip for chip in self._directory.chips()}
        self._begun.update(gang.attempt for gang in gangs)
        at_once = self._cluster.claims.starts_at_once
        if at_once == 1:
            return [(gang, self._try(gang, chips)) for gang in gangs]
        if self._threads is None:
            self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=f"starting on {self._cluster.name}")
        # Where older starts hang, these may have to wait for threads, and nobody should wait for them again and again.
        patience_s = 0.0 if self._under_way else PATIENCE_S
        tries = {gang.attempt: (gang, self._threads.submit(self._try, gang, chips)) for gang in gangs}
        self._under_way |= tries
        for late in wait([each for _, each in tries.values()], timeout=patience_s).not_done:
            late.add_done_callback(lambda _: self._on_done())
        return []

    def _collect(self) -> list[tuple[LiveAttempt, _Answer]]:
        """Return the answers of starts under way that ended. Raises LeadershipLost where one found that."""
        ended = [(gang, each) for gang, each in self._under_way.values() if each.done()]
        for gang, _ in ended:
            del self._under_way[gang.attempt]
        return [(gang, each.result()) for gang, each in ended]

    def _judge(self, gang: LiveAttempt, answer: _Answer, now_s: float) -> Started | None:
        """Return what is to be written down of a start, None where it is tried again."""
        if isinstance(answer, Started):
            self._put_off.forget(gang.attempt)
            return answer
        wait_s = self._put_off.put_off(gang.attempt, now_s)
        with about(tenant=gang.job.tenant, job_id=gang.job.id, attempt_id=gang.attempt, cluster=self._cluster.name):
            if wait_s > 0:
                logger.warning("attempt %s could not be started, next try in %d s: %s", gang.attempt, wait_s, answer)
                return None
            self._put_off.forget(gang.attempt)
            logger.warning("attempt %s could not be started and is given up: %s", gang.attempt, answer)
        return Started(gang, f"it could not be started within {GIVE_UP_S:.0f} s: {answer}")

    def _try(self, gang: LiveAttempt, chips: Mapping[ChipName, ChipType]) -> _Answer:
        """Start one gang; what it alone met comes back as a value. Raises LeadershipLost."""
        said = about(tenant=gang.job.tenant, job_id=gang.job.id, attempt_id=gang.attempt, cluster=self._cluster.name)
        with said, self._tracer.span("start gang", gang.job.traceparent, self._noted(gang)) as span:
            answer = self._try_to_start(gang, chips)
            if isinstance(answer, Exception) or answer.refusal is not None:
                span.fail(str(answer) if isinstance(answer, Exception) else str(answer.refusal))
            return answer

    def _noted(self, gang: LiveAttempt) -> dict[str, str | int]:
        if not self._tracer.is_on:
            return {}
        return {
            "medley.job": gang.job.id,
            "medley.attempt": gang.attempt,
            "medley.tenant": gang.job.tenant,
            "medley.cluster": self._cluster.name,
            "medley.workers": len(gang.allocations),
        }

    def _try_to_start(self, gang: LiveAttempt, chips: Mapping[ChipName, ChipType]) -> _Answer:
        try:
            self._lead.check()
            self._cluster.start(self._order(gang, chips))
        except LeadershipLost:
            raise
        except StartFailed as failure:
            logger.warning("attempt %s was not started: %s", gang.attempt, failure)
            return Started(gang, _WHO_REFUSED.get(failure.refusal, "") + str(failure))
        except (ClusterUnavailable, StorageUnavailable) as problem:
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
            torch_devices=tuple(_torch_device(allocation.chip, chips) for allocation in live.allocations),
            api_url=self._terms.api_url,
            token=self._terms.tokens.mint(live.attempt, live.generation),
        )


def _torch_device(chip: ChipName | None, chips: Mapping[ChipName, ChipType]) -> str:
    return NO_TORCH_DEVICE if chip is None else chips[chip].torch_device


class _PutOff:
    """Starts that a cluster could not answer, and when each is tried again; the oldest are dropped beyond a bound."""

    def __init__(self) -> None:
        self._tries: dict[AttemptId, _Tries] = {}

    def is_due(self, attempt: AttemptId, now_s: float) -> bool:
        return attempt not in self._tries or self._tries[attempt].due_s <= now_s

    def put_off(self, attempt: AttemptId, now_s: float) -> float:
        """Return after how many seconds to try again: 0 where it was tried for long enough."""
        before = self._tries.pop(attempt, _Tries(0, first_s=now_s, due_s=now_s))
        failures = before.failures + 1
        wait_s = max(0.0, min(back_off_s(failures), LONGEST_PAUSE_S, before.first_s + GIVE_UP_S - now_s))
        self._tries[attempt] = _Tries(failures, first_s=before.first_s, due_s=now_s + wait_s)
        if len(self._tries) > MOST_PUT_OFF:
            del self._tries[next(iter(self._tries))]
        return wait_s

    def forget(self, attempt: AttemptId) -> None:
        self._tries.pop(attempt, None)


@dataclass(frozen=True, slots=True)
class _Tries:
    """The tries of one start that were in vain."""

    failures: int
    first_s: float
    due_s: float
