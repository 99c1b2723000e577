"""The local cluster: simulated nodes, and real workers as processes of this machine."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from scheduler.adapters.local import checking, reading
from scheduler.adapters.local.descriptors import raise_limit
from scheduler.adapters.local.folders.attempts import Folders
from scheduler.adapters.local.gangs import Gangs, StillEnding
from scheduler.adapters.local.launch import Runtime
from scheduler.adapters.local.observing import Observer
from scheduler.adapters.local.serving.probing import Prober
from scheduler.adapters.local.settling import Settler
from scheduler.adapters.local.spawning import NoAnswer
from scheduler.adapters.local.watching import Watcher
from scheduler.core.model.attempt import SeenWorker
from scheduler.core.model.identifiers import AttemptId, ClusterName, JobId, WorkerKey
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.ports.cluster import (
    Claims,
    ClusterUnavailable,
    Finding,
    GangOrder,
    LogChunk,
    WorkerNote,
    objection_by_claims,
)

FINISHED_KEPT = 1000
"""So many forgotten attempts are known as over, and keep their output."""
OUTPUT_BYTES_KEPT = 8 * 1024**3
"""So much output they keep in all; the oldest goes first."""

_WATCHED_SHARE = 0.75
"""The part of this process's descriptors that may go to watching workers; the rest is for files and connections."""

CLAIMS = Claims(
    binds_devices=True,
    enforces_shares=True,
    enforces_time_limit=True,
    enforces_memory=True,
    keeps_logs=True,
    runs_images=False,
    starts_at_once=1,
    probes_readiness=True,
)
"""Devices are simulated: they exist in the inventory file only, and workers compute on the CPU. To give a worker slots,
or a share of one, is to tell it so; there is nothing that it could take beyond it. What is enforced is what a worker
has for real: its memory and its time."""


class LocalCluster:
    """Fulfils ports.cluster.ClusterPort on a data folder.

    The folder is the truth: a new object on it, in this process or after its death, knows all workers and goes on. One
    process may use a folder at a time, and any number of its threads.
    """

    def __init__(
        self,
        name: ClusterName,
        nodes: Sequence[Node],
        data: Path,
        *,
        runtime_command: tuple[str, ...],
        server_environment: Mapping[str, str],
    ) -> None:
        """Make what is missing of the folder `data`. Raises OSError.

        Each worker runs `runtime_command`, such as (python, "-m", "medley_runtime"), and gets PATH, LANG and TZ of
        `server_environment`, nothing else of it.
        """
        self._name = name
        self._nodes = tuple(nodes)
        self._data = data
        self._folders = Folders(data, finished_kept=FINISHED_KEPT, output_bytes_kept=OUTPUT_BYTES_KEPT)
        self._listening = threading.Lock()
        self._callbacks: dict[object, Callable[[], None]] = {}
        self._watcher = Watcher(self._tell, below=int(raise_limit() * _WATCHED_SHARE))
        settler = Settler()
        self._prober = Prober(self._tell)
        self._observer = Observer(self._folders, settler, self._prober, self._watcher.watch)
        runtime = Runtime.of(runtime_command, server_environment)
        self._gangs = Gangs(self._folders, settler, runtime, on_running=self._watcher.watch)

    @property
    def name(self) -> ClusterName:
        """The cluster's name."""
        return self._name

    @property
    def claims(self) -> Claims:
        """All but images; of what binding devices and enforcing shares mean here, see `CLAIMS`."""
        return CLAIMS

    def inventory(self) -> list[Node]:
        """Return the nodes that the operator declared."""
        return list(self._nodes)

    def start(self, order: GangOrder) -> None:
        """Start every worker of the gang that was never started; takes a few hundredths of a second, 10 s at most."""
        try:
            self._gangs.start(order)
        except NoAnswer as error:
            raise ClusterUnavailable("this machine is too busy: workers did not start within 10 s") from error
        except StillEnding as error:
            raise ClusterUnavailable(f"what was started of a refused gang does not end: {error}") from error
        except OSError as error:
            raise ClusterUnavailable(f"workers cannot be started now: {error}") from error

    def stop(self, attempt: AttemptId, *, grace_s: int) -> None:
        """Ask all workers of an attempt to end; their supervisors see to it, also without this process."""
        try:
            self._gangs.stop(attempt, grace_s=grace_s)
        except OSError as error:
            raise ClusterUnavailable(f"workers cannot be asked to end now: {error}") from error

    def dismiss(self, attempt: AttemptId, workers: Collection[int], *, grace_s: int) -> None:  # noqa: ARG002 - the job's
        """Ask some workers to end; their supervisors give them the grace of their job."""
        try:
            self._gangs.dismiss(attempt, workers)
        except OSError as error:
            raise ClusterUnavailable(f"workers cannot be asked to end now: {error}") from error

    def observe(self) -> list[SeenWorker]:
        """Return every worker, from the folder alone.

        What is left of a lost one is killed before it is reported; one of which something cannot be killed runs.
        """
        try:
            seen = self._observer.look()
            present = {worker.key.attempt for worker in seen}
            unseen = [attempt for attempt in self._folders.attempts() if attempt not in present]
        except OSError as error:
            raise ClusterUnavailable(f"the workers' folders cannot be read: {error}") from error
        for attempt in unseen:
            with suppress(OSError):  # a later look can do it
                if self._gangs.is_to_end(attempt):
                    self._gangs.finish(attempt)  # it was over before it had started: nobody else would forget it
        return seen

    def forget(self, attempt: AttemptId) -> None:
        """Move an attempt to the finished ones; without effect on one that runs."""
        try:
            self._gangs.finish(attempt)
        except OSError as error:
            raise ClusterUnavailable(f"attempt {attempt} cannot be forgotten now: {error}") from error

    def logs(
        self,
        worker: WorkerKey,
        *,
        offset: int,
        limit: int,
        within_s: float = 5.0,  # noqa: ARG002 - nothing has to be waited for
    ) -> LogChunk:
        """Return a piece of a worker's output; of a forgotten attempt while it is among the kept ones.

        What was read counts only if the folder is still there: it moves once, when its attempt is forgotten.
        """
        for _ in ("where it runs", "where it is kept"):
            folder = self._folders.worker(worker)
            if folder is None:
                break
            with suppress(FileNotFoundError):
                chunk = reading.read_output(folder, offset=offset, limit=limit)
                if folder.is_dir():
                    return chunk
        return reading.UNKNOWN

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back from a thread when a worker ends that `start` or `observe` has met."""
        key = object()
        with self._listening:
            self._callbacks[key] = callback

        def end() -> None:
            with self._listening:
                self._callbacks.pop(key, None)

        return end

    def objection(self, job: Job) -> str | None:
        """Object to images, volumes and secrets: workers are plain processes here."""
        return objection_by_claims(self._name, CLAIMS, job)

    def keeps_checkpoints(self, job: Job) -> bool:  # noqa: ARG002 - every job has a folder
        """Say yes: they are folders beside those of the workers."""
        return True

    def notes(self) -> list[WorkerNote]:
        """Return nothing: all that is known of a worker here is its record."""
        return []

    def lag_s(self) -> float | None:
        """Return 0: every look reads what there is."""
        return 0.0

    def check(self) -> tuple[Finding, ...]:
        """Say whether the data folder can be used."""
        return (checking.check_folder(self._data),)

    def sweep(
        self,
        live: Collection[AttemptId],  # noqa: ARG002 - what is left of the others, `observe` clears away
        *,
        unfinished: Collection[JobId],
    ) -> None:
        """Delete the checkpoints of jobs that are over, beyond what is kept of them."""
        self._folders.checkpoints.sweep(unfinished)

    def close(self) -> None:
        """End the threads; may be called again."""
        with self._listening:
            self._callbacks.clear()
        self._watcher.close()
        self._prober.close()

    def _tell(self) -> None:
        with self._listening:
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            callback()
