"""When every stage computes what in one step."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.float64]


class Direction(StrEnum):
    """Which way through the model."""

    FORWARD = "forward"
    BACKWARD = "backward"


@dataclass(frozen=True, slots=True)
class Span:
    """One micro-batch computed by one stage."""

    stage: int
    micro_batch: int
    direction: Direction
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """One step of one replica. Arrays are micro-batches by stages, in seconds from the step's beginning."""

    forward_start_s: Seconds
    forward_end_s: Seconds
    backward_start_s: Seconds
    backward_end_s: Seconds
    step_s: float
    """With the gradients' all-reduce and the optimiser's step."""

    @property
    def stages(self) -> int:
        """How many there are."""
        return int(self.forward_start_s.shape[1])

    @property
    def micro_batches(self) -> int:
        """How many there are."""
        return int(self.forward_start_s.shape[0])

    @property
    def peak_in_flight(self) -> tuple[int, ...]:
        """Per stage: the most micro-batches that are in it at once, from a forward's start to its backward's end."""
        return tuple(self._peak(stage) for stage in range(self.stages))

    def spans(self, stage: int) -> Iterator[Span]:
        """Give what a stage computes, in the order of time."""
        found = [
            Span(stage, micro_batch, direction, float(starts[micro_batch, stage]), float(ends[micro_batch, stage]))
            for direction, starts, ends in (
                (Direction.FORWARD, self.forward_start_s, self.forward_end_s),
                (Direction.BACKWARD, self.backward_start_s, self.backward_end_s),
            )
            for micro_batch in range(self.micro_batches)
        ]
        yield from sorted(found, key=lambda span: (span.start_s, span.end_s))

    def _peak(self, stage: int) -> int:
        begun = np.arange(1, self.micro_batches + 1)
        rounding_s = 1e-9 * self.step_s
        done = np.searchsorted(self.backward_end_s[:, stage], self.forward_start_s[:, stage] + rounding_s, side="right")
        return int((begun - done).max())
