"""Following the output of workers that run, a bounded number of them at a time."""

import logging
import threading
import time
from collections.abc import Callable

from scheduler.adapters.kubernetes.logs.fetching import Fetch, LogSource, Outcome, Result
from scheduler.adapters.kubernetes.logs.shelf import Shelf
from scheduler.adapters.kubernetes.logs.spool import Spool
from scheduler.adapters.kubernetes.logs.turns import Turns
from scheduler.adapters.kubernetes.views import PodView
from scheduler.core.model.identifiers import AttemptId, WorkerKey

MOST_FOLLOWERS = 64
MOST_THREADS = 2 * MOST_FOLLOWERS
"""With those that made way and still wait for a server that does not answer."""
UNREAD_S = 60.0
"""A follower whose output nobody read for so long ends."""
LAST_WORDS_S = 1800.0
"""One that waits for a worker's last words ends after so long in any case."""

_SPARED_S = 5.0
"""One that was read so recently does not make way for another."""
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 15.0
_TURN_S = 5.0
_JOIN_S = 5.0
"""For all together."""
_OVER = frozenset({Outcome.GONE, Outcome.REFUSED})

logger = logging.getLogger(__name__)


class Follower:
    """A thread that takes one worker's output into its spool as it comes."""

    def __init__(
        self, worker: WorkerKey, pod: PodView, source: LogSource, *, monotonic: Callable[[], float], last_words: bool
    ) -> None:
        """One that waits for last words goes on without readers."""
        self.worker = worker
        self.is_for_last_words = last_words
        self.read_s = monotonic()
        """When somebody last read."""
        self.caught_up = threading.Event()
        """What there was when it began was taken, or cannot be."""
        self._pod = pod
        self._source = source
        self._monotonic = monotonic
        self._begun_s = monotonic()
        self._guard = threading.Lock()
        self._fetch: Fetch | None = None
        self._woken = threading.Event()
        self._is_stopping = False
        self._pod_is_gone = False
        self._thread: threading.Thread | None = None

    def start(self, run: Callable[["Follower"], None]) -> None:
        """Begin `run` in a thread of its own."""
        self._thread = threading.Thread(target=run, args=(self,), name=f"log-{self.worker.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it soon."""
        with self._guard:
            self._is_stopping = True
            fetch = self._fetch
        self._woken.set()
        if fetch is not None:
            fetch.stop()

    def finish(self) -> None:
        """End it with the log, since its pod is gone."""
        self._pod_is_gone = True
        self._woken.set()

    def join(self, within_s: float) -> bool:
        """Wait for its end; says whether it has ended."""
        if self._thread is not None:
            self._thread.join(within_s)
        return self._thread is None or not self._thread.is_alive()

    def take(self, spool: Spool) -> None:
        """Follow until the log is over, or nobody wants it any more. Raises OSError (disk)."""
        if spool.record.uid not in ("", self._pod.uid):
            return
        spool.record.uid = self._pod.uid
        result = self._run(spool, is_followed=False)
        self.caught_up.set()
        pause_s = _FIRST_PAUSE_S
        while self._goes_on_after(result):
            result = self._run(spool, is_followed=True)
            pause_s = _FIRST_PAUSE_S if result.took_bytes else min(pause_s * 2, _LONGEST_PAUSE_S)
            if self._goes_on_after(result):
                self._woken.wait(pause_s)

    def _run(self, spool: Spool, *, is_followed: bool) -> Result:
        fetch = Fetch(self._source, self._pod.namespace, self._pod.name, is_followed=is_followed)
        with self._guard:
            self._fetch = fetch
            if self._is_stopping:
                return Result(Outcome.STOPPED)
        return fetch.run(spool, goes_on=self._is_wanted)

    def _goes_on_after(self, result: Result) -> bool:
        return result.outcome not in _OVER and not self._pod_is_gone and self._is_wanted()

    def _is_wanted(self) -> bool:
        now_s = self._monotonic()
        has_purpose = now_s - self.read_s < UNREAD_S or (
            self.is_for_last_words and now_s - self._begun_s < LAST_WORDS_S
        )
        return has_purpose and not self._is_stopping


class Followers:
    """The followers of one cluster."""

    def __init__(self, source: LogSource, shelf: Shelf, turns: Turns, *, monotonic: Callable[[], float]) -> None:
        self._source = source
        self._shelf = shelf
        self._turns = turns
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._followers: dict[WorkerKey, Follower] = {}
        self._threads = 0
        self._is_closed = False

    def follow(self, worker: WorkerKey, pod: PodView, *, last_words: bool = False) -> Follower | None:
        """Return the follower of a worker, begun where there is none; None where there is no room for it."""
        with self._guard:
            follower = self._followers.get(worker)
            if follower is None:
                if self._is_closed or not self._has_room():
                    return None
                follower = Follower(worker, pod, self._source, monotonic=self._monotonic, last_words=last_words)
                self._followers[worker] = follower
                self._threads += 1
                follower.start(self._run)
        if last_words:
            follower.is_for_last_words = True
        else:
            follower.read_s = self._monotonic()
        return follower

    def end(self, worker: WorkerKey, *, last_words_s: float) -> None:
        """End a worker's follower; above 0 s, its pod is gone and it may take for so long what is under way."""
        with self._guard:
            follower = self._followers.get(worker)
        if follower is None:
            return
        if last_words_s > 0:
            follower.finish()
            follower.join(last_words_s)
        follower.stop()

    def attempts(self) -> frozenset[AttemptId]:
        """Return the attempts that are followed."""
        with self._guard:
            return frozenset(worker.attempt for worker in self._followers)

    def close(self) -> None:
        """End all; may be called again."""
        with self._guard:
            self._is_closed = True
            followers = list(self._followers.values())
        for follower in followers:
            follower.stop()
        give_up_s = time.monotonic() + _JOIN_S
        for follower in followers:
            follower.join(max(give_up_s - time.monotonic(), 0.0))

    def _has_room(self) -> bool:
        """Say whether one more may begin; the one that was not read for the longest time makes way."""
        if self._threads >= MOST_THREADS:
            return False
        if len(self._followers) < MOST_FOLLOWERS:
            return True
        unread = [follower for follower in self._followers.values() if not follower.is_for_last_words]
        oldest = min(unread, key=lambda follower: follower.read_s, default=None)
        if oldest is None or self._monotonic() - oldest.read_s < _SPARED_S:
            return False
        oldest.stop()
        del self._followers[oldest.worker]
        return True

    def _run(self, follower: Follower) -> None:
        try:
            folder = self._shelf.folder(follower.worker)
            with self._turns.turn(follower.worker, within_s=_TURN_S) as has_turn:
                if has_turn and folder is not None and not self._shelf.has_all(follower.worker):
                    follower.take(self._shelf.spool(follower.worker, folder))
        except OSError as error:
            logger.warning("the output of worker %s cannot be kept: %s", follower.worker.name, error)
        except Exception:
            logger.exception("the output of worker %s is not followed", follower.worker.name)
        finally:
            follower.caught_up.set()
            with self._guard:
                self._threads -= 1
                if self._followers.get(follower.worker) is follower:
                    del self._followers[follower.worker]
            self._shelf.make_room(self.attempts() | {follower.worker.attempt})
