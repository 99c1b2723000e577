"""What readers want fetched, done by a few threads, so that no reader has to wait for it."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from scheduler.core.model.identifiers import WorkerKey

MOST_THREADS = 8
MOST_WAITING = 256

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Errand:
    worker: WorkerKey
    work: Callable[[], object]
    is_over: threading.Event = field(default_factory=threading.Event)


class Errands:
    """One errand per worker at a time. Threads begin when there is something to do, and end when there is not."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._errands: dict[WorkerKey, _Errand] = {}
        self._waiting: deque[_Errand] = deque()
        self._threads = 0
        self._is_closed = False

    def run(self, worker: WorkerKey, work: Callable[[], object], *, within_s: float) -> bool:
        """Have `work` done, unless something is under way for this worker; says whether that was over in time.

        Where too much is under way already, nothing is begun and nothing waited for.
        """
        with self._guard:
            errand = self._errands.get(worker)
            if errand is None:
                if self._is_closed or len(self._errands) >= MOST_WAITING:
                    return False
                errand = self._errands[worker] = _Errand(worker, work)
                self._waiting.append(errand)
                if self._threads < MOST_THREADS:
                    self._threads += 1
                    threading.Thread(target=self._work, name="log-errands", daemon=True).start()
        return errand.is_over.wait(within_s)

    def close(self) -> None:
        """Drop what has not begun; may be called again."""
        with self._guard:
            self._is_closed = True
            while self._waiting:
                errand = self._waiting.popleft()
                del self._errands[errand.worker]
                errand.is_over.set()

    def _work(self) -> None:
        while True:
            with self._guard:
                if not self._waiting:
                    self._threads -= 1
                    return
                errand = self._waiting.popleft()
            try:
                errand.work()
            except Exception:
                logger.exception("the output of worker %s is not fetched", errand.worker.name)
            finally:
                with self._guard:
                    del self._errands[errand.worker]
                errand.is_over.set()
