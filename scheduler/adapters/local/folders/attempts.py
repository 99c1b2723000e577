"""Where a local cluster keeps its workers.

    workers/<attempt>/<rank>/     attempts that run, or whose end was not forgotten
    finished/<attempt>/<rank>/    the latest forgotten attempts: none starts again, and their latest output is kept
    checkpoints/<job>/            what a job's attempts keep for the next one

An attempt's folder may also hold `stop`, see supervisor.records, and `refused`: why its gang could not be started.
"""

import re
import shutil
import threading
from pathlib import Path

from scheduler.adapters.local.folders.checkpoints import CheckpointFolders
from scheduler.adapters.local.supervisor import records
from scheduler.core.model.identifiers import AttemptId, WorkerKey

REFUSED = "refused"

_ATTEMPT = re.compile(r"[a-z0-9][a-z0-9-]{0,126}")


class Folders:
    """The folders of one cluster; every name in them comes from a worker's key."""

    def __init__(self, data: Path, *, finished_kept: int, output_bytes_kept: int) -> None:
        """Make what is missing below `data`. Raises OSError.

        Of the finished attempts the latest `finished_kept` stay, and of their output `output_bytes_kept` in all; the
        output of the very latest stays however large it is.
        """
        self.checkpoints = CheckpointFolders(data.resolve() / "checkpoints")
        self._live = data.resolve() / "workers"
        self._finished = data.resolve() / "finished"
        for folder in (self._live, self._finished):
            folder.mkdir(mode=records.PRIVATE_FOLDER, parents=True, exist_ok=True)
        by_age = sorted(self._finished.iterdir(), key=lambda folder: (folder.stat().st_mtime_ns, folder.name))
        self._output_bytes = {folder.name: _output_bytes(folder) for folder in by_age}
        """Of each finished attempt, oldest first."""
        self._finished_kept = finished_kept
        self._output_bytes_kept = output_bytes_kept
        self._finishing = threading.Lock()
        self._delete(self._drop())

    def live(self, attempt: AttemptId) -> Path:
        """Return the folder of an attempt that was not forgotten, there or not. Raises ValueError for a bad id."""
        return self._live / _checked(attempt)

    def finished(self, attempt: AttemptId) -> Path:
        """Return the folder of a forgotten attempt, there or not. Raises ValueError for a bad id."""
        return self._finished / _checked(attempt)

    def worker(self, key: WorkerKey) -> Path | None:
        """Return a worker's folder, of a forgotten attempt too; None where there is none."""
        for folder in (self.live(key.attempt), self.finished(key.attempt)):
            worker = folder / str(int(key.rank))
            if worker.is_dir():
                return worker
        return None

    def is_refused(self, attempt: AttemptId) -> bool:
        """Say whether an attempt's gang could not be started; of a forgotten attempt too."""
        return any((folder / REFUSED).exists() for folder in (self.live(attempt), self.finished(attempt)))

    def attempts(self) -> list[AttemptId]:
        """Return the attempts that were not forgotten, by id."""
        return sorted(folder.name for folder in self._live.iterdir() if _ATTEMPT.fullmatch(folder.name))

    def workers(self, attempt: AttemptId) -> list[int]:
        """Return the workers of an attempt that have a folder, by their numbers."""
        try:
            return sorted(int(worker.name) for worker in self.live(attempt).iterdir() if worker.name.isdecimal())
        except FileNotFoundError:
            return []

    def finish(self, attempt: AttemptId) -> None:
        """Move an attempt to the finished ones, without its workers' scratch, and delete what is beyond the kept."""
        folder = self.finished(attempt)
        with self._finishing:
            try:
                self.live(attempt).rename(folder)
            except FileNotFoundError:
                return
            folder.touch()
            self._output_bytes[attempt] = _output_bytes(folder)
            dropped = self._drop()
        for worker in folder.iterdir():
            shutil.rmtree(worker / records.SCRATCH, ignore_errors=True)
        self._delete(dropped)

    def close_unknown(self, attempt: AttemptId) -> None:
        """Leave a mark for an attempt that was never started, so that it never will be."""
        with self._finishing:
            if self.live(attempt).exists() or self.finished(attempt).exists():
                return
            self.finished(attempt).mkdir(mode=records.PRIVATE_FOLDER)
            self._output_bytes[attempt] = 0

    def _drop(self) -> list[Path]:
        """Count what is beyond the kept as gone, and return its folders."""
        by_age = list(self._output_bytes)
        too_many = by_age[: max(len(by_age) - self._finished_kept, 0)]
        dropped = [self._finished / attempt for attempt in too_many]
        for attempt in too_many:
            del self._output_bytes[attempt]
        excess = sum(self._output_bytes.values()) - self._output_bytes_kept
        for attempt in by_age[len(too_many) : -1]:
            if excess <= 0:
                break
            if self._output_bytes[attempt]:
                excess -= self._output_bytes[attempt]
                self._output_bytes[attempt] = 0
                dropped += (self._finished / attempt).glob(f"*/{records.OUTPUT}")
        return dropped

    @staticmethod
    def _delete(dropped: list[Path]) -> None:
        for folder in dropped:
            shutil.rmtree(folder, ignore_errors=True)


def _output_bytes(attempt: Path) -> int:
    return sum(segment.stat().st_size for segment in attempt.glob(f"*/{records.OUTPUT}/*"))


def _checked(attempt: AttemptId) -> str:
    """Return the id, which is trusted; still no slip elsewhere may lead out of the data folder."""
    if not _ATTEMPT.fullmatch(attempt):
        message = f"{attempt!r} is not the id of an attempt"
        raise ValueError(message)
    return attempt
