"""Where the output of a cluster's workers lies, and how much of it is kept."""

import logging
import re
import shutil
import threading
from collections.abc import Callable, Collection
from pathlib import Path

from scheduler.adapters.kubernetes.configuration.cluster import LogLimits
from scheduler.adapters.kubernetes.logs.spool import Record, Spool, segments
from scheduler.core.model.identifiers import AttemptId, WorkerKey

MOST_ATTEMPTS = 1000
"""Kept at once; the oldest goes first, unless it is still written."""

_MIB = 1024 * 1024
_ATTEMPT = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_MOST_RANK = 1_000_000

logger = logging.getLogger(__name__)


class Shelf:
    """One folder per attempt, one in it per rank. Calls may come from any thread."""

    def __init__(self, folder: Path, limits: LogLimits, *, most_attempts: int = MOST_ATTEMPTS) -> None:
        self._folder = folder
        self._limits = limits
        self._most_attempts = most_attempts
        self._guard = threading.Lock()
        self._sizes: dict[AttemptId, int] | None = None
        """Bytes of each attempt, oldest first; None until the folder was looked at."""

    def folder(self, worker: WorkerKey) -> Path | None:
        """Return where a worker's output is or would be; None for what is no worker of ours."""
        if _ATTEMPT.fullmatch(worker.attempt) is None or not 0 <= worker.rank <= _MOST_RANK:
            return None
        return self._folder / worker.attempt / f"r{worker.rank}"

    def spool(self, worker: WorkerKey, folder: Path) -> Spool:
        """Open a worker's spool for writing. Raises OSError."""
        return Spool(folder, kept_bytes=self._limits.worker_mib * _MIB, grew=self._counter(worker.attempt))

    def has_all(self, worker: WorkerKey) -> bool:
        """Say whether a worker's output is complete."""
        folder = self.folder(worker)
        return folder is not None and Record.read(folder).has_ended

    def make_room(self, busy: Collection[AttemptId]) -> None:
        """Drop what is over the limits: of attempts their oldest output, then whole old attempts but the busy ones."""
        with self._guard:
            sizes = self._known_sizes()
            large = [attempt for attempt, size in sizes.items() if size > self._limits.attempt_mib * _MIB]
        for attempt in large:
            self._shorten(attempt)
        with self._guard:
            sizes = self._known_sizes()
            total = sum(sizes.values())
            old = [attempt for attempt in sizes if attempt not in busy]
            dropped = []
            for attempt in old:
                if total <= self._limits.total_mib * _MIB and len(sizes) <= self._most_attempts:
                    break
                total -= sizes.pop(attempt)
                dropped.append(attempt)
        for attempt in dropped:
            shutil.rmtree(self._folder / attempt, ignore_errors=True)

    def _counter(self, attempt: AttemptId) -> Callable[[int], None]:
        def grew(by: int) -> None:
            with self._guard:
                sizes = self._known_sizes()
                sizes[attempt] = max(0, sizes.get(attempt, 0) + by)

        grew(0)
        return grew

    def _known_sizes(self) -> dict[AttemptId, int]:
        if self._sizes is None:
            self._sizes = self._measured()
        return self._sizes

    def _measured(self) -> dict[AttemptId, int]:
        try:
            folders = sorted(self._folder.iterdir(), key=lambda folder: (folder.stat().st_mtime_ns, folder.name))
        except OSError:
            return {}
        return {folder.name: _size(folder) for folder in folders if folder.is_dir()}

    def _shorten(self, attempt: AttemptId) -> None:
        """Drop the oldest segments of the workers that keep the most, down to one each at the least."""
        kept = [segments(folder) for folder in (self._folder / attempt).glob("r*")]
        total = _size(self._folder / attempt)
        while total > self._limits.attempt_mib * _MIB:
            largest = max(kept, key=len, default=[])
            if len(largest) < 2:  # noqa: PLR2004
                break
            _, path = largest.pop(0)
            try:
                total -= path.stat().st_size
                path.unlink()
            except OSError as error:
                logger.warning("old output cannot be deleted: %s", error)
                break
        with self._guard:
            self._known_sizes()[attempt] = total


def _size(folder: Path) -> int:
    """Return the bytes of an attempt's output; what vanishes meanwhile counts as nothing."""
    total = 0
    for worker in folder.glob("r*"):
        for _, path in segments(worker):
            try:
                total += path.stat().st_size
            except OSError:
                continue
    return total
