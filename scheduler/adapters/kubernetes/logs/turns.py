"""One writer per worker's output at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from scheduler.core.model.identifiers import WorkerKey


class Turns:
    """Gives turns to threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken: set[WorkerKey] = set()

    @contextmanager
    def turn(self, worker: WorkerKey, *, within_s: float) -> Iterator[bool]:
        """Hold a worker's turn; gives False where somebody else kept it for so long."""
        with self._changed:
            has_turn = self._changed.wait_for(lambda: worker not in self._taken, timeout=within_s)
            if has_turn:
                self._taken.add(worker)
        try:
            yield has_turn
        finally:
            if has_turn:
                with self._changed:
                    self._taken.discard(worker)
                    self._changed.notify_all()
