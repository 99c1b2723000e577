"""Where jobs of a local cluster keep their checkpoints, and for how long once they are over."""

import logging
import re
import shutil
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from scheduler.adapters.local.supervisor import records
from scheduler.core.model.identifiers import JobId

logger = logging.getLogger(__name__)

KEPT_S = 7 * 86_400.0
"""What a job that is over has kept stays so long, for people to fetch it."""
BYTES_KEPT = 20 * 1024**3
"""Of all jobs that are over; the oldest go first."""
SWEEP_PAUSE_S = 300.0

_JOB = re.compile(r"[a-z0-9][a-z0-9-]{0,126}")


class CheckpointFolders:
    """One folder per job; used from several threads."""

    def __init__(self, folder: Path, *, kept_s: float = KEPT_S, bytes_kept: int = BYTES_KEPT) -> None:
        self._folder = folder
        self._kept_s = kept_s
        self._bytes_kept = bytes_kept
        self._sweeping = threading.Lock()
        self._swept_at_s = -SWEEP_PAUSE_S

    def of_job(self, job: JobId) -> Path:
        """Return the job's folder, made if it is missing. Raises OSError; ValueError for a bad id."""
        if not _JOB.fullmatch(job):
            message = f"{job!r} is not the id of a job"
            raise ValueError(message)
        folder = self._folder / job
        folder.mkdir(mode=records.PRIVATE_FOLDER, parents=True, exist_ok=True)
        return folder

    def sweep(self, unfinished: Collection[JobId]) -> None:
        """Delete empty folders of jobs that are over, and what they kept for too long or too much; now and then."""
        if time.monotonic() < self._swept_at_s + SWEEP_PAUSE_S or not self._sweeping.acquire(blocking=False):
            return
        try:
            self._swept_at_s = time.monotonic()
            self.delete_old(unfinished, now_s=time.time())
        finally:
            self._sweeping.release()

    def delete_old(self, unfinished: Collection[JobId], *, now_s: float) -> None:
        """Delete what is beyond the kept, by Unix time."""
        over = [folder for folder in self._folders() if folder.name not in unfinished]
        by_age = sorted((_changed_at_s(folder), folder) for folder in over)
        sizes = {folder: _size_bytes(folder) for folder in over}
        excess = sum(sizes.values()) - self._bytes_kept
        for changed_at_s, folder in by_age:
            if sizes[folder] and excess <= 0 and now_s - changed_at_s < self._kept_s:
                continue
            excess -= sizes[folder]
            shutil.rmtree(folder, ignore_errors=True)
            if sizes[folder]:
                logger.info("the checkpoints of job %s were deleted: it is over", folder.name)

    def _folders(self) -> list[Path]:
        try:
            return [folder for folder in self._folder.iterdir() if folder.is_dir()]
        except OSError:
            return []


def _changed_at_s(folder: Path) -> float:
    with suppress(OSError):
        return folder.stat().st_mtime
    return 0.0


def _size_bytes(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            size += path.stat().st_size if path.is_file() else 0
    return size
