"""A worker that is only a script: when it ends, with what, and whether it listens."""

import math
import signal
from dataclasses import dataclass, field

from scheduler.core.model.attempt import WorkerEnd, WorkerPhase


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a fake worker does by itself."""

    runs_s: float = math.inf
    """How long it runs where nobody stops it."""
    ready_after_s: float = 0.0
    """How long it is PENDING first."""
    exit_code: int = 0
    grace_used_s: float = 0.0
    """How long it takes to end when asked; infinite for one that never listens."""
    output: str = ""
    """What it prints when it starts."""


@dataclass(slots=True)
class FakeWorker:
    """One worker's state. Times are seconds of its cluster's clock."""

    behaviour: Behaviour
    generation: int
    started_s: float
    time_limit_s: float
    grace_s: float
    printed: bytearray = field(default_factory=bytearray)
    phase: WorkerPhase = WorkerPhase.PENDING
    end: WorkerEnd | None = None
    exit_code: int | None = None
    ended_s: float | None = None
    asked_s: float = math.inf
    kill_s: float = math.inf
    reason: WorkerEnd = WorkerEnd.EXITED
    detail: str | None = None

    def ask_to_end(self, reason: WorkerEnd, *, now_s: float, grace_s: float) -> None:
        """Of several requests the first gives the reason, and the shortest grace the time."""
        if self.asked_s == math.inf:
            self.asked_s, self.reason = now_s, reason
        self.kill_s = min(self.kill_s, now_s + grace_s)

    @property
    def is_over(self) -> bool:
        """Whether it ended."""
        return self.phase in (WorkerPhase.EXITED, WorkerPhase.LOST)

    @property
    def due_s(self) -> float:
        """When it does something by itself or as it was asked, if nothing else is asked of it; infinite for never."""
        limit_s = self.started_s + self.time_limit_s
        has_limit_ahead = self.asked_s == math.inf or limit_s + self.grace_s < self.kill_s
        ready_s = self.started_s + self.behaviour.ready_after_s
        return min(
            ready_s if self.phase is WorkerPhase.PENDING else math.inf,
            limit_s if has_limit_ahead else math.inf,
            self._by_itself_s,
            self.kill_s,
            self._listens_s,
        )

    @property
    def _by_itself_s(self) -> float:
        return self.started_s + self.behaviour.ready_after_s + self.behaviour.runs_s

    @property
    def _listens_s(self) -> float:
        return self.asked_s + self.behaviour.grace_used_s

    def advance(self, now_s: float) -> bool:
        """Let it do what it does until now; says whether it ended."""
        if self.is_over:
            return False
        if self.phase is WorkerPhase.PENDING and self.started_s + self.behaviour.ready_after_s <= now_s:
            self.phase = WorkerPhase.RUNNING
        by_itself_s = self._by_itself_s
        limit_s = self.started_s + self.time_limit_s
        if limit_s <= now_s and limit_s < by_itself_s:
            self.ask_to_end(WorkerEnd.TIME_LIMIT, now_s=limit_s, grace_s=self.grace_s)
        ended_s, exit_code = min(
            (by_itself_s, self.behaviour.exit_code), (self._listens_s, -signal.SIGTERM), (self.kill_s, -signal.SIGKILL)
        )
        if ended_s > now_s:
            return False
        reason = self.reason if ended_s >= self.asked_s else WorkerEnd.EXITED
        self.finish(reason, exit_code, now_s=ended_s)
        return True

    def finish(self, end: WorkerEnd, exit_code: int | None, *, now_s: float) -> None:
        """End it."""
        self.phase = WorkerPhase.LOST if end is WorkerEnd.LOST else WorkerPhase.EXITED
        self.end, self.exit_code, self.ended_s = end, exit_code, now_s
