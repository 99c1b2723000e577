"""What the folders say of the workers. Nothing is known from memory that the folders do not hold."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from scheduler.adapters.local.folders.attempts import Folders
from scheduler.adapters.local.launch import door_of
from scheduler.adapters.local.serving.ports import LOOPBACK
from scheduler.adapters.local.serving.probing import Door, Prober
from scheduler.adapters.local.settling import Settler, Standing
from scheduler.adapters.local.supervisor import records
from scheduler.adapters.local.supervisor.processes import ProcessIdentity
from scheduler.core.model.attempt import SeenWorker, WorkerEnd, WorkerPhase, WorkerRecord
from scheduler.core.model.identifiers import AttemptId, WorkerKey


class Observer:
    """Reads the state of all workers. An ended worker is read once; a running one costs two calls of the system."""

    def __init__(
        self, folders: Folders, settler: Settler, prober: Prober, on_running: Callable[[ProcessIdentity], None]
    ) -> None:
        """`on_running` is told the supervisor of each running worker at every look."""
        self._prober = prober
        self._doors: dict[WorkerKey, tuple[int, str | None] | None] = {}
        self._folders = folders
        self._settler = settler
        self._on_running = on_running
        self._looking = threading.Lock()
        self._started: dict[WorkerKey, records.Started] = {}
        self._ended: dict[WorkerKey, SeenWorker] = {}

    def look(self) -> list[SeenWorker]:
        """Return every worker that starts, runs, or ended and was not forgotten, by key. Raises OSError.

        One that nobody is at, and that is not proven gone, runs.
        """
        with self._looking:
            seen = [worker for attempt in self._folders.attempts() for worker in self._look_at_attempt(attempt)]
            present = {worker.key for worker in seen}
            self._started = {key: known for key, known in self._started.items() if key in present}
            self._ended = {key: known for key, known in self._ended.items() if key in present}
            self._doors = {key: door for key, door in self._doors.items() if key in present - self._ended.keys()}
            self._prober.keep(self._doors)
            return seen

    def _look_at_attempt(self, attempt: AttemptId) -> list[SeenWorker]:
        keys = [WorkerKey(attempt, number) for number in self._folders.workers(attempt)]
        seen = [seen for key in keys if (seen := self._ended.get(key) or self._look_at_worker(key)) is not None]
        if any(worker.key in self._ended for worker in seen) and self._folders.is_refused(attempt):
            # They were ended because others could not start. To report them would hide why from whoever starts again.
            return [worker for worker in seen if worker.key not in self._ended]
        return seen

    def _look_at_worker(self, key: WorkerKey) -> SeenWorker | None:
        """Return what one worker is; None where it never was and never will be."""
        folder = str(self._folders.live(key.attempt) / str(key.rank))
        try:
            ended, standing = self._settler.settle(folder)
        except FileNotFoundError:
            return None  # it was forgotten or deleted meanwhile
        started = self._started.get(key) or self._read_start(key, folder)
        if started is None:
            return _not_started(key, folder, standing)
        if ended is None:
            if standing is not Standing.STUCK:
                self._on_running(started.supervisor)
            return SeenWorker(key, started.generation, self._running_record(key, folder, started))
        self._ended[key] = SeenWorker(key, started.generation, _ended_record(key.rank, started, ended))
        return self._ended[key]

    def _running_record(self, key: WorkerKey, folder: str, started: records.Started) -> WorkerRecord:
        record = WorkerRecord(key.rank, WorkerPhase.RUNNING, started_at=_time(started.at_s))
        if key not in self._doors:
            self._doors[key] = None if key.rank else door_of(folder)
        door = self._doors[key]
        if door is None:
            return record
        port, path = door
        is_ready = path is None or self._prober.is_ready(key, Door(port, path))
        phase = WorkerPhase.RUNNING if is_ready else WorkerPhase.UNREADY
        return replace(record, phase=phase, address=f"{LOOPBACK}:{port}")

    def _read_start(self, key: WorkerKey, folder: str) -> records.Started | None:
        try:
            started = records.Started.read(folder)
        except records.BrokenRecord:
            return None  # the settler has complained of it
        if started is not None:
            self._started[key] = started
        return started


def _not_started(key: WorkerKey, folder: str, standing: Standing) -> SeenWorker | None:
    """A worker waits for its start while a supervisor is at it; without one it still is as good as not there."""
    if standing is Standing.IDLE:
        return None
    try:
        generation = records.Plan.read(folder).generation
    except (FileNotFoundError, records.BrokenRecord):
        return None  # its supervisor cannot start it either, and says so to whoever called for the start
    return SeenWorker(key, generation, WorkerRecord(key.rank, WorkerPhase.PENDING))


def _ended_record(rank: int, started: records.Started, ended: records.Ended) -> WorkerRecord:
    end = WorkerEnd(ended.end)
    return WorkerRecord(
        rank=rank,
        phase=WorkerPhase.LOST if end is WorkerEnd.LOST else WorkerPhase.EXITED,
        started_at=_time(started.at_s),
        ended_at=_time(ended.at_s),
        exit_code=ended.exit_code,
        end=end,
    )


def _time(unix_s: float) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)
