"""Starting and ending gangs in the folders, so that every step may be repeated, also after a death in its middle."""

import signal
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress

from scheduler.adapters.local.folders.attempts import REFUSED, Folders
from scheduler.adapters.local.launch import Runtime, launch_documents, prepare_worker
from scheduler.adapters.local.serving.ports import Ports
from scheduler.adapters.local.settling import Settler, Standing
from scheduler.adapters.local.spawning import spawn
from scheduler.adapters.local.supervisor import records
from scheduler.adapters.local.supervisor.processes import ProcessIdentity
from scheduler.core.model.identifiers import AttemptId
from scheduler.ports.cluster import GangOrder, StartFailed, StartRefusal

_LOCKS = 16
_CLEARING_S = 10.0
_CLEARING_RETRY_S = 0.005


class StillEnding(Exception):
    """Workers of a refused gang did not end in time."""


class Gangs:
    """Starts, ends and finishes attempts. What is done to one attempt is done one after the other."""

    def __init__(
        self,
        folders: Folders,
        settler: Settler,
        runtime: Runtime,
        *,
        on_running: Callable[[ProcessIdentity], None],
    ) -> None:
        """`on_running` is told the supervisor of each worker that was started."""
        self._folders = folders
        self._settler = settler
        self._runtime = runtime
        self._on_running = on_running
        self._ports = Ports()
        self._stopping = threading.Lock()
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))

    def start(self, order: GangOrder) -> None:
        """Start every worker that was never started; nothing of an attempt that was stopped, refused or forgotten.

        Raises StartFailed (nothing of it runs), StillEnding, spawning.NoAnswer, OSError.
        """
        with self._lock(order.attempt):
            if self._is_closed(order.attempt):
                return
            folder = self._folders.live(order.attempt)
            folder.mkdir(mode=records.PRIVATE_FOLDER, exist_ok=True)
            ranks = {one.worker: one.rank for one in order.to_start}
            waiting = [worker for worker in ranks if records.Started.read(str(folder / str(worker))) is None]
            documents = self._documents(order) if waiting else []
            for worker in waiting:
                rank = ranks[worker]
                prepare_worker(folder / str(worker), order, rank, self._runtime, document=documents[rank])
            for worker, error in sorted(spawn(folder, waiting).items()):
                if error:
                    self._refuse(order.attempt, f"worker {worker} could not be started: {error}")
            for worker in waiting:
                if (started := records.Started.read(str(folder / str(worker)))) is not None:
                    self._on_running(started.supervisor)

    def _documents(self, order: GangOrder) -> list[dict[str, object]]:
        serving = order.job.spec.serving
        port = None if serving is None else self._ports.take(serving.port)
        folders, training = self._folders.checkpoints, order.job.spec.serves_training
        served = None if training is None else folders.of_job(training)
        return launch_documents(order, folders.of_job(order.job.id), served=served, port=port)

    def stop(self, attempt: AttemptId, *, grace_s: int) -> None:
        """Ask all workers to end. The request is a file first: a supervisor that is just starting finds it."""
        folder = self._folders.live(attempt)
        kill_at_s = time.monotonic() + grace_s
        with self._stopping:
            earlier_s = records.read_stop(str(folder))
            try:
                if earlier_s is None or kill_at_s < earlier_s:
                    records.write_stop(str(folder), kill_at_s)
            except FileNotFoundError:
                self._folders.close_unknown(attempt)
                return
        self.dismiss(attempt, self._folders.workers(attempt))

    def dismiss(self, attempt: AttemptId, workers: Iterable[int]) -> None:
        """Ask some workers to end; where their attempt was not asked to, each is given the grace of its job."""
        for number in workers:
            worker = str(self._folders.live(attempt) / str(number))
            with suppress(records.BrokenRecord):  # a supervisor that is there looks for the request itself
                started = records.Started.read(worker)
                if started is not None and records.Ended.read(worker) is None:
                    started.supervisor.send(signal.SIGTERM)

    def finish(self, attempt: AttemptId) -> None:
        """Move an attempt to the finished ones; without effect while something of it runs or starts."""
        lock = self._lock(attempt)
        if not lock.acquire(blocking=False):
            return
        try:
            if self._is_idle(attempt):
                self._folders.finish(attempt)
        finally:
            lock.release()

    def is_to_end(self, attempt: AttemptId) -> bool:
        """Say whether an attempt that was not forgotten was stopped or refused."""
        return self._is_stopped(attempt) or self._folders.is_refused(attempt)

    def _is_stopped(self, attempt: AttemptId) -> bool:
        return records.read_stop(str(self._folders.live(attempt))) is not None

    def _lock(self, attempt: AttemptId) -> threading.Lock:
        return self._locks[zlib.crc32(attempt.encode()) % _LOCKS]

    def _is_closed(self, attempt: AttemptId) -> bool:
        """Say whether the attempt has lived, so that nothing of it may start. Raises StartFailed where it never did."""
        if (self._folders.live(attempt) / REFUSED).exists():
            self._clear(attempt)
        finished = self._folders.finished(attempt)
        with suppress(FileNotFoundError):
            raise StartFailed((finished / REFUSED).read_text())
        folder = self._folders.live(attempt) if self._is_stopped(attempt) else finished
        if not folder.exists():
            return False
        if any(records.Started.read(str(worker)) is not None for worker in folder.iterdir() if worker.is_dir()):
            return True
        raise StartFailed("the attempt was asked to stop before it was started", StartRefusal.STOPPED)

    def _refuse(self, attempt: AttemptId, why: str) -> None:
        """End what runs of a gang. The reason is a file first: a later call goes on where this one was cut off."""
        records.write_durably(str(self._folders.live(attempt)), REFUSED, why.encode())
        self._clear(attempt)
        raise StartFailed(why)

    def _clear(self, attempt: AttemptId) -> None:
        self.stop(attempt, grace_s=0)
        give_up_s = time.monotonic() + _CLEARING_S
        while not self._is_idle(attempt):
            if time.monotonic() > give_up_s:
                raise StillEnding(attempt)
            time.sleep(_CLEARING_RETRY_S)
        self._folders.finish(attempt)

    def _is_idle(self, attempt: AttemptId) -> bool:
        """Say whether nothing of an attempt runs or is about to."""
        workers = [self._folders.live(attempt) / str(number) for number in self._folders.workers(attempt)]
        return all(self._settler.settle(str(worker))[1] is Standing.IDLE for worker in workers)
