"""The output of one cluster's workers."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from scheduler.adapters.kubernetes.configuration.cluster import LogLimits
from scheduler.adapters.kubernetes.logs.errands import Errands
from scheduler.adapters.kubernetes.logs.fetching import Fetch, LogSource, Outcome, Result
from scheduler.adapters.kubernetes.logs.following import Followers
from scheduler.adapters.kubernetes.logs.reading import UNKNOWN, read_spool
from scheduler.adapters.kubernetes.logs.shelf import Shelf
from scheduler.adapters.kubernetes.logs.spool import Spool
from scheduler.adapters.kubernetes.logs.turns import Turns
from scheduler.adapters.kubernetes.views import PodView
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import LogChunk

MOST_TRIES = 3
"""Then output that a node does not give is given up."""
MOST_SLOW_TRIES = 20
"""Then also output that comes a bit further each time."""
GENERAL_FAILURES = 8
"""So many failures in a row, on whichever nodes, are no fault of one node: then one try has to do."""
AGAIN_S = 1.0
"""So long after a try comes the next one at the earliest."""

_TURN_S = 5.0
_LAST_WORDS_S = 3.0
_LONGEST_NOTE = 300
_MOST_REMEMBERED = 10_000

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Tries:
    """What was tried for one worker's output without a follower."""

    failures: int = 0
    in_vain: int = 0
    not_before_s: float = float("-inf")


class LogKeeper:
    """Reads what workers print, and keeps it in a folder, also across restarts. Calls may come from any thread.

    Output is counted from where it was first taken: what a node's own rotation had dropped before is not seen.
    """

    def __init__(
        self,
        source: LogSource,
        folder: Path,
        *,
        limits: LogLimits,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`source` is a transport; the folder is made when it is needed, and used by one process at a time."""
        self._source = source
        self._shelf = Shelf(folder, limits)
        self._monotonic = monotonic
        self._turns = Turns()
        self._followers = Followers(source, self._shelf, self._turns, monotonic=monotonic)
        self._errands = Errands()
        self._guard = threading.Lock()
        self._tries: OrderedDict[WorkerKey, _Tries] = OrderedDict()
        self._failures_in_a_row = 0
        self._is_closed = False

    def read(
        self, worker: WorkerKey, pod: PodView | None, *, offset: int, limit: int, within_s: float = 5.0
    ) -> LogChunk:
        """Return at most `limit` bytes of a worker's output from `offset` on; empty and incomplete if unknown.

        `pod` is the worker's as it was last seen, None where it is gone. The first call for one that runs begins to
        follow it; of one that has ended, all output is fetched. Nobody is asked by the calling thread: it waits for
        `within_s` at most, and then returns what is here.
        """
        folder = self._shelf.folder(worker)
        if folder is None:
            return UNKNOWN
        is_behind = False
        if pod is not None and not self._shelf.has_all(worker):
            if pod.is_over:
                self._errands.run(worker, lambda: self.collect(worker, pod), within_s=within_s)
                is_behind = not self._shelf.has_all(worker)
            elif has_begun(pod):
                is_behind = not self._follow(worker, pod, folder, within_s)
        chunk = UNKNOWN
        with suppress(OSError):
            chunk = read_spool(folder, offset=offset, limit=limit)
        return replace(chunk, is_behind=is_behind) if is_behind else chunk

    def follow_before_stop(self, pods: Iterable[PodView]) -> list[tuple[WorkerKey, PodView]]:
        """Follow pods that will be asked to end: their last words go with them. Returns those there is no room for."""
        left = []
        for pod in pods:
            if pod.ownership is not None and not pod.is_over and has_begun(pod):
                worker = WorkerKey(pod.ownership.attempt, pod.ownership.rank)
                if self._followers.follow(worker, pod, last_words=True) is None:
                    left.append((worker, pod))
        return left

    def collect(self, worker: WorkerKey, pod: PodView | None) -> bool:
        """Store the rest of an ended worker's output; says whether its pod may be removed now, else call again.

        Takes seconds at most, unless there is much to fetch. What a node does not give in three tries, or never will,
        is marked in the output and does not keep the pod from being removed.
        """
        folder = self._shelf.folder(worker)
        if folder is None or self._shelf.has_all(worker):
            return True
        self._followers.end(worker, last_words_s=_LAST_WORDS_S if pod is None else 0)
        with self._turns.turn(worker, within_s=_TURN_S) as has_turn:
            if self._shelf.has_all(worker):
                return True
            tries = self._tries_of(worker)
            if not has_turn or self._monotonic() < tries.not_before_s:
                return False
            try:
                is_settled = self._settle(pod, self._shelf.spool(worker, folder), tries)
            except OSError as error:
                logger.warning("the output of worker %s cannot be kept: %s", worker.name, error)
                is_settled = True
            tries.not_before_s = self._monotonic() + AGAIN_S
        if is_settled:
            with self._guard:
                self._tries.pop(worker, None)
            self._shelf.make_room(self._followers.attempts() | {worker.attempt})
        return is_settled

    def give_up(self, worker: WorkerKey, why: str) -> None:
        """Take what is here of an ended worker's output for all of it, with a mark that says why the rest is not."""
        folder = self._shelf.folder(worker)
        if folder is None:
            return
        self._followers.end(worker, last_words_s=0)
        with self._turns.turn(worker, within_s=_TURN_S) as has_turn, suppress(OSError):
            if has_turn and not self._shelf.has_all(worker):
                spool = self._shelf.spool(worker, folder)
                spool.add(f"[medley] the rest cannot be read: {why}"[:_LONGEST_NOTE].encode() + b"\n")
                spool.record.has_ended = True
                spool.save()

    def close(self) -> None:
        """End all following; what was taken stays. May be called again, and has to be before the transport closes."""
        self._is_closed = True
        self._errands.close()
        self._followers.close()

    def _follow(self, worker: WorkerKey, pod: PodView, folder: Path, within_s: float) -> bool:
        """Begin to follow a worker, or fetch once where there is no room; says whether that caught up in time."""
        follower = self._followers.follow(worker, pod)
        if follower is not None:
            return follower.caught_up.wait(within_s)
        return self._errands.run(worker, lambda: self._fetch_once(worker, pod, folder), within_s=within_s)

    def _fetch_once(self, worker: WorkerKey, pod: PodView, folder: Path) -> None:
        with self._turns.turn(worker, within_s=_TURN_S) as has_turn:
            tries = self._tries_of(worker)
            if not has_turn or self._monotonic() < tries.not_before_s:
                return
            with suppress(OSError):
                self._fetch(pod, self._shelf.spool(worker, folder))
            tries.not_before_s = self._monotonic() + AGAIN_S

    def _tries_of(self, worker: WorkerKey) -> _Tries:
        with self._guard:
            tries = self._tries.setdefault(worker, _Tries())
            self._tries.move_to_end(worker)
            if len(self._tries) > _MOST_REMEMBERED:
                self._tries.popitem(last=False)
            return tries

    def _settle(self, pod: PodView | None, spool: Spool, tries: _Tries) -> bool:
        """Fetch the rest, and mark what cannot be had. Raises OSError."""
        result = self._last_fetch(pod, spool)
        mark = ""
        if result.outcome is Outcome.GONE and not spool.record.saw_end:
            mark = f"the rest cannot be read: {result.detail or 'its pod is gone'}"
        elif result.outcome is Outcome.REFUSED:
            mark = f"the rest cannot be read: {result.detail}"
        elif result.outcome is Outcome.FAILED:
            tries.failures += 1
            tries.in_vain += result.is_in_vain
            if (
                tries.in_vain < MOST_TRIES
                and tries.failures < MOST_SLOW_TRIES
                and self._failures_in_a_row < GENERAL_FAILURES
            ):
                return False
            mark = f"the rest cannot be read: {result.detail}"
        elif result.outcome in (Outcome.NO_ANSWER, Outcome.STOPPED):
            return False
        if mark:
            spool.add(f"[medley] {mark}"[:_LONGEST_NOTE].encode() + b"\n")
        spool.record.has_ended = True
        spool.save()
        return True

    def _last_fetch(self, pod: PodView | None, spool: Spool) -> Result:
        if pod is None or spool.record.uid not in ("", pod.uid):
            return Result(Outcome.GONE)
        if not has_begun(pod):
            return Result(Outcome.NOTHING_YET)
        return self._fetch(pod, spool)

    def _fetch(self, pod: PodView, spool: Spool) -> Result:
        spool.record.uid = pod.uid
        has_ended = pod.is_over or (pod.container is not None and pod.container.has_ended)
        result = Fetch(self._source, pod.namespace, pod.name, is_followed=False, has_ended=has_ended).run(spool)
        if self._is_closed:
            spool.record.saw_end = False  # what ended then may have been the connection, not the log
            spool.save()
            return Result(Outcome.STOPPED)
        with self._guard:
            if result.is_in_vain:
                self._failures_in_a_row += 1
            elif result.outcome is Outcome.DONE:
                self._failures_in_a_row = 0
        return result


def has_begun(pod: PodView) -> bool:
    """Say whether a pod's main container may have printed anything."""
    container = pod.container
    if not pod.node or container is None:
        return False
    return container.has_ended or container.running_since is not None or container.started_at is not None
