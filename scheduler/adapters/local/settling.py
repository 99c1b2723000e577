"""What has become of a worker, and the end of one that nobody is at any more."""

import enum
import logging
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from scheduler.adapters.local.leftovers import kill_leftovers
from scheduler.adapters.local.supervisor import records
from scheduler.core.model.attempt import WorkerEnd

logger = logging.getLogger(__name__)

_PATIENCE_S = 2.0
"""So long the first try to end what is left of a worker may take; a later one looks once."""


class Standing(enum.Enum):
    """Who is at a worker."""

    IDLE = enum.auto()
    """Nobody: nothing of it runs or is about to."""
    SUPERVISED = enum.auto()
    """Its supervisor, or somebody who settles it right now."""
    STUCK = enum.auto()
    """Nobody, and yet it is not proven that nothing of it runs."""


class Settler:
    """Settles workers one at a time each, and logs one that stays unsettled once."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._stuck: set[str] = set()

    def settle(self, folder: str) -> tuple[records.Ended | None, Standing]:
        """Return how a worker ended, None where it did not or was never started, and who is at it.

        One that was started and has neither an end nor a supervisor is lost: what is left of it is killed, then its
        loss is recorded. While that fails it is stuck, and others are none the worse. Raises FileNotFoundError: it
        has no folder.
        """
        try:
            ended, standing, why = self._settle(folder)
        except FileNotFoundError:
            raise
        except OSError as error:
            ended, standing, why = None, Standing.STUCK, f"its files cannot be used: {error}"
        self._note(folder, why)
        return ended, standing

    def _settle(self, folder: str) -> tuple[records.Ended | None, Standing, str]:
        ended = records.Ended.read(folder)
        if ended is not None:
            return ended, Standing.IDLE, ""
        lock = records.try_lock(folder)
        if lock is None:
            return None, Standing.SUPERVISED, ""
        try:
            ended = records.Ended.read(folder)  # it may have ended meanwhile
            started = records.Started.read(folder)
            if ended is None and started is not None:
                left = kill_leftovers(Path(folder) / records.LAUNCH, started.child, patience_s=self._patience_s(folder))
                if left:
                    return None, Standing.STUCK, f"its supervisor is gone, and these processes do not end: {left}"
                ended = records.Ended(WorkerEnd.LOST, None, datetime.now(UTC).timestamp())
                ended.write(folder)
            return ended, Standing.IDLE, ""
        finally:
            os.close(lock)

    def _patience_s(self, folder: str) -> float:
        with self._guard:
            return 0.0 if folder in self._stuck else _PATIENCE_S

    def _note(self, folder: str, why: str) -> None:
        """Remember whether a worker is stuck; say so when it becomes it."""
        with self._guard:
            if not why:
                self._stuck.discard(folder)
                return
            if folder in self._stuck:
                return
            self._stuck = {known for known in self._stuck if Path(known).is_dir()} | {folder}
        logger.error("the worker in %s counts as running until it is proven gone: %s", folder, why)
