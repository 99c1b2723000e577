"""Group commit: one thread writes what all others hand over, as much as has gathered, in one transaction."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar, cast

from scheduler.adapters.database.committing import Call, Committer, Items, Request
from scheduler.adapters.database.transaction import Transaction
from scheduler.core.model.access.audit import Actor
from scheduler.ports.journal import Outcome, StorageUnavailable, Write
from scheduler.ports.telling.telemetry import SILENCE, Telemetry
from scheduler.ports.wake_up import WakeUp

T = TypeVar("T")
log = logging.getLogger(__name__)

MOST_ITEMS_PER_TRANSACTION = 2_000
MOST_ITEMS_QUEUED = 20_000
ANSWER_TIMEOUT_S = 60.0

_CLOSED = "The storage is closed."
_Waiting = tuple[Request, Future[Any]]
"""A request, and where its caller waits for the answer."""


class Writer:
    """The only one who writes. Callers block until their request is durable or refused."""

    def __init__(self, committer: Committer, wake_up: WakeUp, telemetry: Telemetry = SILENCE) -> None:
        self._committer = committer
        self._telemetry = telemetry
        self._wake_up = wake_up
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._queued_items = 0
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="medley-writer", daemon=True)
        self._thread.start()

    def write(self, items: Sequence[Write], actor: Actor | None = None) -> list[Outcome]:
        """Write a batch of the journal, in somebody's name. Raises StorageUnavailable."""
        return cast("list[Outcome]", self._hand_over(Items(items, actor)))

    def call(self, function: Callable[[Transaction], T], actor: Actor | None = None, *, size: int = 1) -> T:
        """Run a function in a transaction; what it raises is raised here, and nothing it wrote stays.

        It may be run more than once, so it acts on nothing but its transaction. `size` is how many items it is worth.
        Raises StorageUnavailable.
        """
        return cast("T", self._hand_over(Call(function, actor, size)))

    def post(self, function: Callable[[Transaction], object], actor: Actor | None = None) -> None:
        """Run a function in a transaction soon, and wait for nothing; where many writes wait already, not at all."""
        with self._changed:
            if self.is_open and self._queued_items < MOST_ITEMS_QUEUED // 2:
                self._enqueue(Call(function, actor))

    @property
    def is_open(self) -> bool:
        """True while requests are taken."""
        return not self._is_closed and self._thread.is_alive()

    def close(self) -> None:
        """Take no more requests, write what is queued, and end the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(ANSWER_TIMEOUT_S)

    def _hand_over(self, request: Request) -> Any:
        with self._changed:
            if not self.is_open:
                raise StorageUnavailable(_CLOSED)
            if self._queued_items + request.size > MOST_ITEMS_QUEUED:
                raise StorageUnavailable(f"{self._queued_items} writes already wait for the database.")
            answer = self._enqueue(request)
        try:
            return answer.result(ANSWER_TIMEOUT_S)
        except TimeoutError as error:
            raise StorageUnavailable(f"The database did not answer for {ANSWER_TIMEOUT_S:.0f} s.") from error

    def _enqueue(self, request: Request) -> Future[Any]:
        answer: Future[Any] = Future()
        self._queue.append((request, answer))
        self._queued_items += request.size
        self._changed.notify()
        return answer

    def _run(self) -> None:
        """Write until closed. However this ends, nobody is left waiting for an answer that cannot come."""
        batch: list[_Waiting] = []
        try:
            while batch := self._gather():
                self._write_all(batch)
        except BaseException:
            log.critical("nothing is written any more: restart Medley", exc_info=True)
        finally:
            self._turn_away(batch)

    def _write_all(self, batch: Sequence[_Waiting]) -> None:
        began_s = time.monotonic()
        committed = self._committer.commit([request for request, _ in batch])
        self._telemetry.committed(time.monotonic() - began_s, sum(request.size for request, _ in batch))
        if committed.has_changes:
            self._hint()
        for (_, future), answer in zip(batch, committed.answers, strict=True):
            if answer.error is not None:
                future.set_exception(answer.error)
            else:
                future.set_result(answer.value)

    def _hint(self) -> None:
        """Say that something changed. A hint that fails is lost without harm; the writes must go on."""
        try:
            self._wake_up.notify()
        except BaseException:
            log.exception("a hint was lost")

    def _turn_away(self, batch: Sequence[_Waiting]) -> None:
        """Take no more requests, and answer those that have no answer yet."""
        with self._changed:
            self._is_closed = True
            for _, future in (*batch, *self._queue):
                if not future.done():
                    future.set_exception(StorageUnavailable(_CLOSED))
            self._queue.clear()
            self._queued_items = 0

    def _gather(self) -> list[_Waiting]:
        """Wait for requests and return what has queued, bounded; empty once closed and drained."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._is_closed)
            batch: list[_Waiting] = []
            size = 0
            while self._queue and (not batch or size + self._queue[0][0].size <= MOST_ITEMS_PER_TRANSACTION):
                batch.append(self._queue.popleft())
                size += batch[-1][0].size
            self._queued_items -= size
            return batch
