"""Leads an engine through virtual time: jobs come, nodes change, and what is due happens, moment by moment."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import ceil
from typing import Generic, TypeVar

from scheduler.core.model.node import Node
from scheduler.simulator.stepping.engine import Engine, Numbered
from scheduler.simulator.workloads.arrival import Arrival

_NEVER = float("inf")
T = TypeVar("T", Arrival, "NodesChange")


@dataclass(frozen=True, slots=True)
class NodesChange:
    """Nodes are otherwise from a time on."""

    at_s: float
    nodes: tuple[Node, ...]
    """As they are then; one that is GONE takes down what runs on it."""


@dataclass(slots=True)
class Progress:
    """How far a simulation is."""

    now_s: int = 0
    """Virtual seconds after its start."""
    submitted: int = 0
    turned_away: int = 0
    """Jobs that were not taken, for too many of their tenant were there."""
    moments: int = 0
    """How many times something happened."""


@dataclass(slots=True)
class Simulation:
    """One run. What comes at the same second happens together: it is the smallest step of virtual time."""

    engine: Engine
    arrivals: Iterable[Arrival]
    """In the order of their times."""
    node_changes: Iterable[NodesChange] = ()
    """In the order of their times."""
    until_s: int | None = None
    """What would come later does not; None: as long as there are jobs and anything happens."""
    on_moment: Callable[[Progress], None] = lambda _progress: None
    """Is told after every moment; what it raises ends the run."""
    progress: Progress = field(default_factory=Progress)

    def run(self) -> Progress:
        """Lead it to its end."""
        jobs, changes = _Ahead(self.arrivals), _Ahead(self.node_changes)
        until_s = _NEVER if self.until_s is None else self.until_s
        while True:
            due_s = self.engine.next_due_s()
            now_s = min(jobs.next_s, changes.next_s, _NEVER if due_s is None else due_s)
            is_over = jobs.next_s == _NEVER and not self.engine.has_jobs
            if now_s > until_s or now_s == _NEVER or (until_s == _NEVER and is_over):
                break
            self._step(ceil(now_s), jobs, changes)
        if self.until_s is not None:
            self.engine.advance(self.until_s)
            self.progress.now_s = self.until_s
        return self.progress

    def _step(self, now_s: int, jobs: "_Ahead[Arrival]", changes: "_Ahead[NodesChange]") -> None:
        progress = self.progress
        self.engine.advance(now_s)
        come = [
            Numbered(f"{number:016d}", arrival)
            for number, arrival in enumerate(jobs.until(now_s), start=progress.submitted + 1)
        ]
        progress.submitted += len(come)
        if come:
            progress.turned_away += self.engine.submit(come)
        for change in changes.until(now_s):
            self.engine.change_nodes(change.nodes)
        self.engine.settle()
        progress.now_s = now_s
        progress.moments += 1
        self.on_moment(progress)


class _Ahead(Generic[T]):
    """Things to come, of which the next one is known."""

    def __init__(self, things: Iterable[T]) -> None:
        self._things: Iterator[T] = iter(things)
        self._next: T | None = None
        self.next_s: float = 0.0
        self._take()

    def until(self, now_s: float) -> Iterator[T]:
        """Yield what comes by now."""
        while self._next is not None and self.next_s <= now_s:
            yield self._next
            self._take()

    def _take(self) -> None:
        self._next = next(self._things, None)
        self.next_s = _NEVER if self._next is None else self._next.at_s
