"""Quantities over virtual time, and the times that jobs waited."""

from collections.abc import Sequence
from math import ceil

MOST_STEPS = 480
"""When a curve has so many, each two become one: a long run costs no more memory than a short one."""
FIRST_STEP_S = 60


class Meter:
    """A quantity that changes at times: its mean in steps of equal length, and over all."""

    __slots__ = ("_at_s", "_begun", "_step_s", "_sums", "value")

    def __init__(self, value: float = 0.0) -> None:
        self.value = value
        """What it is now."""
        self._at_s = 0
        self._step_s = FIRST_STEP_S
        self._sums: list[float] = []
        """Of the steps that are over, in units times seconds."""
        self._begun = 0.0

    def add(self, at_s: int, amount: float) -> None:
        """Let it be more from a time on, or less; times do not go back."""
        if at_s != self._at_s:
            self.pass_until(at_s)
        self.value += amount

    def pass_until(self, at_s: int) -> None:
        """Let it stay what it is until a time."""
        end_s = (len(self._sums) + 1) * self._step_s
        while at_s >= end_s:
            self._sums.append(self._begun + self.value * (end_s - self._at_s))
            self._begun, self._at_s = 0.0, end_s
            if len(self._sums) >= MOST_STEPS:
                self._halve()
            end_s = (len(self._sums) + 1) * self._step_s
        self._begun += self.value * (at_s - self._at_s)
        self._at_s = at_s

    @property
    def step_s(self) -> int:
        """How long a step is."""
        return self._step_s

    def means(self) -> list[float]:
        """Return its mean in each step, the last of which may have just begun."""
        means = [total / self._step_s for total in self._sums]
        begun_s = self._at_s - len(self._sums) * self._step_s
        return [*means, self._begun / begun_s] if begun_s else means

    def total(self) -> float:
        """Return its sum over time, in units times seconds."""
        return sum(self._sums) + self._begun

    def _halve(self) -> None:
        self._sums = [self._sums[place] + self._sums[place + 1] for place in range(0, len(self._sums), 2)]
        self._step_s *= 2


def quantile(ordered: Sequence[float], part: float) -> float | None:
    """Return the smallest of sorted values that is no less than a part of them; None of none."""
    return ordered[max(0, ceil(part * len(ordered)) - 1)] if ordered else None
