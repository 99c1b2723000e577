"""What rank 0 tells of a training while it runs: lines for people, reports for the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from medley_runtime.heartbeats.heart import Progress
from medley_runtime.launch import ReferenceTraining
from medley_runtime.output import print_line

LINES = 12
"""A short training prints about so many lines."""
LONGEST_SILENCE_S = 5.0
REPORT_PAUSE_S = 0.5
"""What is reported reaches the API with the next heartbeat, when the server wants one."""


@dataclass(frozen=True)
class Listeners:
    """Where a narration looks and speaks."""

    clock: Callable[[], float]
    """Seconds, never going back."""
    report: Callable[[Progress], None]


class Narration:
    """Decides after each step whether to tell of it. The first and the last step are always told."""

    def __init__(self, plan: ReferenceTraining, world_size: int, listeners: Listeners, *, first: int = 0) -> None:
        """`first`: so many steps were taken by an earlier attempt."""
        self._steps = plan.steps
        self._tokens_per_step = plan.batch * plan.sequence * world_size
        self._steps_per_line = max(plan.steps // LINES, 1)
        self._listeners = listeners
        self._first = self._told_step = first
        self._told_at = self._printed_at = self._reported_at = listeners.clock()

    def tell(self, step: int, loss: Callable[[], float]) -> None:
        """A step is done; its loss is asked for only if it is told, because reading it waits for the device."""
        now = self._listeners.clock()
        is_edge = step in (self._first + 1, self._steps)
        prints = is_edge or step % self._steps_per_line == 0 or now - self._printed_at >= LONGEST_SILENCE_S
        reports = is_edge or now - self._reported_at >= REPORT_PAUSE_S
        if not prints and not reports:
            return
        progress = self._measure(step, loss(), now)
        if prints:
            line = f"step {step}/{self._steps} loss {progress.loss:.3f} tokens/s {progress.tokens_per_s:.0f}"
            print_line(line)
            self._printed_at = now
        if reports:
            self._listeners.report(progress)
            self._reported_at = now

    def _measure(self, step: int, loss: float, now: float) -> Progress:
        tokens = (step - self._told_step) * self._tokens_per_step
        tokens_per_s = tokens / max(now - self._told_at, 1e-6)
        self._told_step, self._told_at = step, now
        return Progress(step, self._steps, loss, tokens_per_s)
