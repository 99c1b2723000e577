"""What reconciling asks for."""

from dataclasses import dataclass

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import ResizeStep, WorkerRecord
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import AttemptId


@dataclass(frozen=True, slots=True)
class WantedResize:
    """The workers of an attempt that has had another size before, by their numbers, and how far they are."""

    workers: tuple[int, ...]
    """Of its latest generation, by rank."""
    newcomers: tuple[int, ...]
    """Those of them that came with it."""
    surplus: tuple[int, ...]
    """Those of earlier ones that hold something still."""
    is_called: bool
    """Whether all were asked to be of the latest generation."""
    has_met: bool
    """Whether they are."""

    @property
    def is_under_way(self) -> bool:
        """Whether anything is left to be done for it."""
        return not self.has_met or bool(self.surplus)


@dataclass(frozen=True, slots=True)
class WantedAttempt:
    """An attempt that holds devices, as the database knows it."""

    attempt: AttemptId
    generation: int
    state: State
    """One of the four states that hold devices."""
    ranks: int
    grace_s: int
    stop_reason: StopReason | None = None
    """Why it is STOPPING."""
    serves: bool = False
    """Whether its workers are to run on: the end of one is the end of it, whatever its exit code."""
    resize: WantedResize | None = None
    """None in its first generation, of which each worker's number is its rank."""

    @property
    def workers(self) -> tuple[int, ...]:
        """The numbers of its workers, by rank."""
        return tuple(range(self.ranks)) if self.resize is None else self.resize.workers


@dataclass(frozen=True, slots=True)
class Start:
    """Start those workers of the attempt that were never started."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Stop:
    """End all workers of the attempt, and let none start later."""

    attempt: AttemptId
    grace_s: int


@dataclass(frozen=True, slots=True)
class Report:
    """Write down what happened to the attempt."""

    attempt: AttemptId
    generation: int
    event: Event
    reason: StopReason | None
    workers: tuple[WorkerRecord, ...]
    detail: str | None = None
    """What the cluster said of the worker that gave the reason."""
    is_after_stop: bool = False
    """It is true only as of a look after the cluster was asked to let nobody start any more."""


@dataclass(frozen=True, slots=True)
class Dismiss:
    """End some workers of an attempt that goes on without them."""

    attempt: AttemptId
    workers: tuple[int, ...]
    """Their numbers."""
    grace_s: int


@dataclass(frozen=True, slots=True)
class Advance:
    """Write down that the attempt came a step nearer to its latest generation."""

    attempt: AttemptId
    generation: int
    step: ResizeStep
    workers: tuple[WorkerRecord, ...]
    """What is known by then of those that it is about."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Nobody needs the ended attempt's workers in the cluster any more."""

    attempt: AttemptId


Action = Start | Stop | Dismiss | Report | Advance | Forget
