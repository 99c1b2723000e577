"""What the ranks of a training decide together, at the same step: to save, to stop.

One rank's clock says that a checkpoint is due, and a request to end reaches each rank at another moment. Were every
rank to act on what it knows, one would wait in a collective for another that saves. So they put together what they
know; not at each step, since that costs a round trip, but as often as the first rank says, which counts in steps.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Callable

PAUSE_S = 0.1
"""The first rank aims at one exchange in so long; a training of slower steps has one at every step."""
MOST_STEPS = 1000

Exchange = Callable[[list[float]], list[float]]
"""Takes a rank's figures and returns, to every rank, the greatest of each over all ranks."""


@dataclass(frozen=True)
class Wishes:
    """What is to be done after this step; the same on every rank."""

    stop: bool = False
    save: bool = False
    memory_mib: int = 0
    """Of the rank that uses most; 0 where nothing was exchanged."""
    generation: int = 0
    """That the gang is called to, as far as any rank knows; 0 where nobody does."""


NOTHING = Wishes()


class Agreement:
    """Asked by every rank after every step."""

    def __init__(
        self, exchange: Exchange | None, *, is_first: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`exchange` is None for a lone worker, who agrees with itself at every step."""
        self._exchange = exchange
        self._is_first = is_first
        self._clock = clock
        self._steps = 1
        self._left = 0
        self._exchanged_s = clock()

    def ask(self, wishes: Callable[[], Wishes]) -> Wishes:
        """Return what all are to do; `wishes` says what this rank knows."""
        if self._exchange is None:
            return wishes()
        if self._left > 0:
            self._left -= 1
            return NOTHING
        own = wishes()
        known = (own.stop, own.save, own.memory_mib, self._next_steps(), own.generation)
        stop, save, memory_mib, steps, generation = self._exchange([float(figure) for figure in known])
        self._steps = max(int(steps), 1)
        self._left = self._steps - 1
        return Wishes(stop > 0, save > 0, int(memory_mib), int(generation))

    def _next_steps(self) -> int:
        """Return after how many steps to exchange again; only the first rank has a say."""
        now_s = self._clock()
        step_s = (now_s - self._exchanged_s) / self._steps
        self._exchanged_s = now_s
        return max(1, min(int(PAUSE_S / max(step_s, 1e-9)), MOST_STEPS)) if self._is_first else 0
