"""A cluster whose workers are scripts: nothing runs, time is the clock's, and faults come when they are ordered."""

import codecs
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from heapq import heappop, heappush
from math import inf

from scheduler.adapters.memory.fake_worker import Behaviour, FakeWorker
from scheduler.core.model.attempt import SeenWorker, WorkerEnd, WorkerPhase, WorkerRecord
from scheduler.core.model.identifiers import AttemptId, ClusterName, JobId, WorkerKey
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import (
    Claims,
    ClusterUnavailable,
    Finding,
    GangOrder,
    LogChunk,
    StartFailed,
    StartRefusal,
    WorkerNote,
    elastic_objection,
    objection_by_claims,
)

CLAIMS = Claims(
    binds_devices=True,
    enforces_shares=True,
    enforces_time_limit=True,
    enforces_memory=False,
    keeps_logs=True,
    runs_images=False,
    starts_at_once=1,
    probes_readiness=False,
)

_FORGOTTEN_KEPT = 1000
_MOST_NOTED = 10_000

Script = Callable[[GangOrder, int], Behaviour]
"""Says what the worker of a rank will do."""

_Gang = dict[int, FakeWorker]


class FakeCluster:
    """Fulfils ports.cluster.ClusterPort."""

    def __init__(
        self, name: ClusterName, nodes: Sequence[Node], *, clock: Clock, script: Script, claims: Claims = CLAIMS
    ) -> None:
        self.refusal: str | None = None
        """While set, every start of a new gang fails with this text."""
        self.has_checkpoint_storage = True
        """Whether it says that it keeps checkpoints."""
        self.is_away = False
        """While true, every call raises ClusterUnavailable."""
        self.starts: list[WorkerKey] = []
        """The latest starts of workers, in order."""
        self.swept: list[frozenset[AttemptId]] = []
        """What was live at the latest sweeps, in order."""
        self._name = name
        self._nodes = tuple(nodes)
        self._clock = clock
        self._script = script
        self._claims = claims
        self._live: dict[AttemptId, _Gang] = {}
        self._stopped: set[AttemptId] = set()
        """Live attempts that were asked to end."""
        self._forgotten: OrderedDict[AttemptId, _Gang] = OrderedDict()
        self._due: list[tuple[float, AttemptId, int]] = []
        """When workers do something by themselves; what was overtaken by something else has no effect."""
        self._seen: dict[AttemptId, tuple[SeenWorker, ...]] = {}
        """Of gangs whose workers did nothing since."""
        self._callbacks: dict[object, Callable[[], None]] = {}
        self._said: list[WorkerNote] = []
        self._guard = threading.RLock()

    @property
    def name(self) -> ClusterName:
        """The cluster's name."""
        return self._name

    @property
    def claims(self) -> Claims:
        """What it was made with; all but images and memory by itself."""
        return self._claims

    def inventory(self) -> list[Node]:
        """Return the nodes."""
        with self._guard:
            self._look()
        return list(self._nodes)

    def start(self, order: GangOrder) -> None:
        """Start every worker of the gang that was never started."""
        with self._guard:
            self._look()
            if self._forgotten.get(order.attempt) or order.attempt in self._stopped:
                return
            if order.attempt in self._forgotten:
                raise StartFailed("the attempt was asked to stop before it was started", StartRefusal.STOPPED)
            gang = self._live.get(order.attempt, {})
            new = {one.worker: one.rank for one in order.to_start if one.worker not in gang}
            if new and self.refusal is not None:
                if not gang:
                    self._close(order.attempt, {})
                raise StartFailed(self.refusal)
            self._live[order.attempt] = gang | {each: self._new_worker(order, rank) for each, rank in new.items()}
            self._seen.pop(order.attempt, None)
            for number in new:
                self._schedule(order.attempt, number)
            self.starts += (WorkerKey(order.attempt, each) for each in new)
            del self.starts[:-_MOST_NOTED]

    def stop(self, attempt: AttemptId, *, grace_s: int) -> None:
        """Ask all workers of an attempt to end."""
        with self._guard:
            self._look()
            if attempt not in self._live and attempt not in self._forgotten:
                self._close(attempt, {})
            self._stopped |= {attempt} & self._live.keys()
            for rank, worker in self._live.get(attempt, {}).items():
                worker.ask_to_end(WorkerEnd.STOPPED, now_s=self._clock.monotonic_s(), grace_s=grace_s)
                self._schedule(attempt, rank)
        self._tell()

    def dismiss(self, attempt: AttemptId, workers: Collection[int], *, grace_s: int) -> None:
        """Ask some workers of an attempt to end."""
        with self._guard:
            self._look()
            gang = self._live.get(attempt, {})
            for number in workers:
                if number in gang:
                    gang[number].ask_to_end(WorkerEnd.STOPPED, now_s=self._clock.monotonic_s(), grace_s=grace_s)
                    self._schedule(attempt, number)
        self._tell()

    def observe(self) -> list[SeenWorker]:
        """Return every worker that was not forgotten, by key."""
        with self._guard:
            self._look()
            return [worker for attempt in sorted(self._live) for worker in self._gang(attempt)]

    def next_due_s(self) -> float:
        """Return when a worker does something by itself next, by the clock's monotonic time; infinite for never."""
        with self._guard:
            while self._due and not self._is_due_as_noted(*self._due[0]):
                heappop(self._due)
            return self._due[0][0] if self._due else inf

    def forget(self, attempt: AttemptId) -> None:
        """Drop an ended attempt; without effect on one that runs."""
        with self._guard:
            self._look()
            gang = self._live.get(attempt, {})
            if gang and all(worker.is_over for worker in gang.values()):
                self._seen.pop(attempt, None)
                self._close(attempt, self._live.pop(attempt))
                self._stopped.discard(attempt)

    def logs(
        self,
        worker: WorkerKey,
        *,
        offset: int,
        limit: int,
        within_s: float = 5.0,  # noqa: ARG002 - nothing has to be waited for
    ) -> LogChunk:
        """Return a piece of what a worker printed."""
        with self._guard:
            self._look()
            gang = self._live.get(worker.attempt) or self._forgotten.get(worker.attempt) or {}
            if worker.rank not in gang:
                return LogChunk(text="", start=0, end=0, is_complete=False)
            known = gang[worker.rank]
            content = bytes(known.printed[offset : offset + limit])
            is_complete = known.is_over and offset + len(content) >= len(known.printed)
            decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
            text = decoder.decode(content, final=is_complete)
            cut_off, _ = decoder.getstate()
            end = offset + len(content) - len(cut_off)
            return LogChunk(text=text, start=offset, end=end, is_complete=is_complete)

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back whenever a worker is found to have ended, and at every request to end."""
        key = object()
        with self._guard:
            self._callbacks[key] = callback

        def end() -> None:
            with self._guard:
                self._callbacks.pop(key, None)

        return end

    def objection(self, job: Job) -> str | None:
        """Object to what its claims leave out."""
        return objection_by_claims(self._name, self._claims, job) or elastic_objection(
            self._name, job, keeps_checkpoints=self.has_checkpoint_storage
        )

    def keeps_checkpoints(self, job: Job) -> bool:  # noqa: ARG002 - as it was told
        """Say what it was told to say."""
        return self.has_checkpoint_storage

    def notes(self) -> list[WorkerNote]:
        """Return what `say` said since the last call."""
        with self._guard:
            said, self._said = self._said, []
        return said

    def lag_s(self) -> float | None:
        """Return 0: every look reads what there is."""
        return 0.0

    def check(self) -> tuple[Finding, ...]:
        """Say whether the cluster is away."""
        if self.is_away:
            return (Finding("the cluster answers", is_ok=False, detail="it is away", next_step="set is_away to False"),)
        return (Finding("the cluster answers", is_ok=True, detail="it does"),)

    def sweep(self, live: Collection[AttemptId], *, unfinished: Collection[JobId]) -> None:  # noqa: ARG002
        """Note that it was asked: nothing is ever left over here."""
        self.swept.append(frozenset(live))
        del self.swept[:-_MOST_NOTED]

    def close(self) -> None:
        """Stop calling back."""
        with self._guard:
            self._callbacks.clear()

    def end_worker(self, key: WorkerKey, *, exit_code: int) -> None:
        """Have a running worker end by itself now."""
        self._end(key, WorkerEnd.EXITED, exit_code)

    def lose_worker(self, key: WorkerKey) -> None:
        """Have a running worker vanish now."""
        self._end(key, WorkerEnd.LOST, None)

    def say(self, attempt: AttemptId, rank: int | None, text: str) -> None:
        """Have the cluster say something of a worker now."""
        with self._guard:
            self._said.append(WorkerNote(attempt, rank, text, self._clock.now()))
        self._tell()

    def take_worker(self, key: WorkerKey, end: WorkerEnd, detail: str) -> None:
        """Have the cluster end a running worker now, for a reason of its own."""
        with self._guard:
            self._live[key.attempt][key.rank].detail = detail
        self._end(key, end, None)

    def change_nodes(self, nodes: Sequence[Node]) -> None:
        """Have these nodes from now on."""
        with self._guard:
            self._nodes = tuple(nodes)
        self._tell()

    def print_output(self, key: WorkerKey, text: str) -> None:
        """Have a worker print something."""
        with self._guard:
            self._live[key.attempt][key.rank].printed += text.encode()

    def _end(self, key: WorkerKey, end: WorkerEnd, exit_code: int | None) -> None:
        with self._guard:
            worker = self._live[key.attempt][key.rank]
            if not worker.is_over:
                worker.finish(end, exit_code, now_s=self._clock.monotonic_s())
                self._seen.pop(key.attempt, None)
        self._tell()

    def _new_worker(self, order: GangOrder, rank: int) -> FakeWorker:
        behaviour = self._script(order, rank)
        spec = order.job.spec
        worker = FakeWorker(
            behaviour=behaviour,
            generation=order.generation,
            started_s=self._clock.monotonic_s(),
            time_limit_s=float("inf") if spec.time_limit_s is None else spec.time_limit_s,
            grace_s=spec.grace_s,
            printed=bytearray(behaviour.output.encode()),
        )
        if not behaviour.ready_after_s:
            worker.phase = WorkerPhase.RUNNING
        return worker

    def _close(self, attempt: AttemptId, gang: _Gang) -> None:
        self._forgotten[attempt] = gang
        if len(self._forgotten) > _FORGOTTEN_KEPT:
            self._forgotten.popitem(last=False)

    def _look(self) -> None:
        """Let every worker do what is due. Raises ClusterUnavailable."""
        if self.is_away:
            raise ClusterUnavailable("the fake cluster is away")
        now_s = self._clock.monotonic_s()
        has_news = False
        while self._due and self._due[0][0] <= now_s:
            _, attempt, rank = heappop(self._due)
            worker = self._live.get(attempt, {}).get(rank)
            if worker is not None and not worker.is_over:
                before = worker.phase
                has_news |= worker.advance(now_s) or worker.phase is not before
                self._schedule(attempt, rank)
        if has_news:
            self._tell()

    def _schedule(self, attempt: AttemptId, rank: int) -> None:
        """Note when a worker does something next; what it looks like may have changed."""
        self._seen.pop(attempt, None)
        worker = self._live[attempt][rank]
        if not worker.is_over and worker.due_s < inf:
            heappush(self._due, (worker.due_s, attempt, rank))

    def _is_due_as_noted(self, due_s: float, attempt: AttemptId, rank: int) -> bool:
        worker = self._live.get(attempt, {}).get(rank)
        return worker is not None and not worker.is_over and worker.due_s == due_s

    def _gang(self, attempt: AttemptId) -> tuple[SeenWorker, ...]:
        """Return what is seen of a gang, in the order of ranks."""
        seen = self._seen.get(attempt)
        if seen is None:
            ranks = sorted(self._live[attempt])
            seen = self._seen[attempt] = tuple(self._look_at(WorkerKey(attempt, rank)) for rank in ranks)
        return seen

    def _tell(self) -> None:
        with self._guard:
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            callback()

    def _look_at(self, key: WorkerKey) -> SeenWorker:
        worker = self._live[key.attempt][key.rank]
        began = self._clock.now() - timedelta(seconds=self._clock.monotonic_s())
        record = WorkerRecord(
            rank=key.rank,
            phase=worker.phase,
            started_at=began + timedelta(seconds=worker.started_s),
            ended_at=None if worker.ended_s is None else began + timedelta(seconds=worker.ended_s),
            exit_code=worker.exit_code,
            end=worker.end,
            detail=worker.detail,
        )
        return SeenWorker(key, worker.generation, record)
