"""Work for later: done by a few threads, one piece of work of a name at a time, and again until it is done."""

import heapq
import logging
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from random import Random

from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterUnavailable, StartFailed

MOST_WAITING = 50_000
FIRST_RETRY_S = 0.25
LONGEST_RETRY_S = 30.0
CLOSING_LIMIT_S = 5.0

logger = logging.getLogger(__name__)

Work = Callable[[], float | None]
"""Returns after how many seconds to do it again, None once it is done. May raise: then it is tried again."""


@dataclass(slots=True)
class _Chore:
    work: Work
    failures: int = 0
    is_running: bool = False
    is_asked_again: bool = False


class Chores:
    """A bounded set of chores by name. For any thread."""

    def __init__(self, name: str, *, threads: int, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._condition = threading.Condition()
        self._chores: dict[Hashable, _Chore] = {}
        self._due: list[tuple[float, int, Hashable]] = []
        self._number = 0
        self._is_closed = False
        self._random = Random(name)  # noqa: S311 - spreads retries
        self._threads = [
            threading.Thread(target=self._run, name=f"kubernetes-{name}-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Begin to work; to be called once."""
        for thread in self._threads:
            thread.start()

    def add(self, name: Hashable, work: Work) -> bool:
        """Have a chore done soon. One of this name that waits stays as it is; one that runs is done once more.

        Returns False where there are too many: whoever asked asks again.
        """
        with self._condition:
            known = self._chores.get(name)
            if known is None:
                if self._is_closed or len(self._chores) >= MOST_WAITING:
                    return False
                self._chores[name] = _Chore(work)
                self._put(name, 0.0)
            elif known.is_running:
                known.is_asked_again = True
            return True

    def close(self) -> None:
        """Drop what waits, and wait for what runs, for at most 5 s in all; may be called again."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()
        give_up_s = self._clock.monotonic_s() + CLOSING_LIMIT_S
        for thread in self._threads:
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join(max(give_up_s - self._clock.monotonic_s(), 0.0))

    def _put(self, name: Hashable, after_s: float) -> None:
        self._number += 1
        heapq.heappush(self._due, (self._clock.monotonic_s() + after_s, self._number, name))
        self._condition.notify()

    def _run(self) -> None:
        while (found := self._next()) is not None:
            name, chore = found
            try:
                again_s = chore.work()
                chore.failures = 0
            except Exception as error:  # a thread that ends would leave things behind for ever
                if not isinstance(error, ClusterUnavailable | StartFailed):
                    logger.exception("%s: %s failed, it is tried again", self._name, name)
                elif not chore.failures:
                    logger.warning("%s: %s has to wait: %s", self._name, name, error)
                again_s = min(FIRST_RETRY_S * 2.0 ** min(chore.failures, 10), LONGEST_RETRY_S)
                again_s *= (1 + self._random.random()) / 2
                chore.failures += 1
            self._put_back(name, chore, again_s)

    def _put_back(self, name: Hashable, chore: _Chore, again_s: float | None) -> None:
        with self._condition:
            chore.is_running = False
            if chore.is_asked_again and again_s is None:
                again_s = 0.0
            chore.is_asked_again = False
            if again_s is None or self._is_closed:
                del self._chores[name]
            else:
                self._put(name, again_s)

    def _next(self) -> tuple[Hashable, _Chore] | None:
        with self._condition:
            while not self._is_closed:
                wait_s = self._due[0][0] - self._clock.monotonic_s() if self._due else None
                if wait_s is not None and wait_s <= 0:
                    _, _, name = heapq.heappop(self._due)
                    chore = self._chores[name]
                    chore.is_running = True
                    return name, chore
                self._condition.wait(wait_s)
            return None
