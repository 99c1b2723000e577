"""What reconciling asks for."""

from dataclasses import dataclass

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import WorkerRecord
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import AttemptId


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


@dataclass(frozen=True, slots=True)
class Forget:
    """Nobody needs the ended attempt's workers in the cluster any more."""

    attempt: AttemptId


Action = Start | Stop | Report | Forget
