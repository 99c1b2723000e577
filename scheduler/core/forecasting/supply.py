"""So much of something that is taken and comes back: devices of a pool, a queue's quota, the turns of an array."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

MOST_GAPS = 16
"""So many times in which something stands idle are remembered; the oldest is forgotten."""


@dataclass(slots=True, eq=False)
class Gap:
    """So much stands idle from one time to another: somebody gathers it who needs more."""

    from_s: float
    until_s: float
    amount: int
    rank: int
    """How firm its beginning is."""


Return = tuple[float, int, int, int, bool]
"""When something comes back, a number that tells equals apart, how much, how firm that is, and whether it runs now."""


class Supply:
    """One supply, as time passes in it. Times are seconds from the moment of the forecast, and never go back."""

    __slots__ = ("_last_s", "_left", "_numbers", "_returns", "_running", "at_s", "free", "gaps", "rank", "reach")

    def __init__(self, free: int) -> None:
        self.free = free
        self.reach = free
        """So much will be free once all has come back that ever does."""
        self.at_s = 0.0
        self.rank = -1
        """Of the least firm of what came back so far; -1: nothing did."""
        self.gaps: list[Gap] = []
        self._returns: list[Return] = []
        self._last_s = 0.0
        self._numbers = count()
        self._running = 0
        self._left = 0

    def give_back(self, amount: int, at_s: float, rank: int, *, runs_now: bool = False) -> None:
        """Let something come back at a time; `runs_now`: that is held at the moment of the forecast."""
        self.reach += amount
        self._last_s = max(self._last_s, at_s)
        heappush(self._returns, (at_s, next(self._numbers), amount, rank, runs_now))
        if runs_now:
            self._running += amount
            self._left += amount

    def about_s(self, need: int, scattered: int = 0) -> float:
        """Return about when so much will be free, if what comes back does so evenly: to choose among supplies."""
        lacks = need - self._usable(scattered)
        if lacks <= 0:
            return self.at_s
        coming = max(1, self.reach - self.free)
        return self.at_s + min(1.0, lacks / coming) * max(0.0, self._last_s - self.at_s)

    def wait_for(self, need: int, scattered: int = 0, *, at_least_one: bool = False) -> None:
        """Let time pass until so much is free.

        `scattered`: so much of what is free at first is of no use, for it lies in pieces; the less of what runs now is
        left the less that counts. `at_least_one`: what is free now does not do, whatever the numbers say.
        """
        returns, gathered = self._returns, [(self.at_s, self.free, self.rank)]
        while returns and (self._usable(scattered) < need or (at_least_one and self.rank < 0)):
            back = heappop(returns)
            self.free += back[2]
            self.rank = max(self.rank, back[3])
            self.at_s = max(self.at_s, back[0])
            if len(gathered) < MOST_GAPS:
                gathered.append((self.at_s, back[2], self.rank))
            if back[4]:
                self._left -= back[2]
        for at_s, amount, rank in gathered if len(gathered) > 1 else ():
            if self.at_s > at_s and amount > 0:
                self._note_gap(at_s, self.at_s, amount, rank)

    def take(self, amount: int, from_s: float, until_s: float | None, rank: int) -> None:
        """Let somebody have so much from a time on, that is no earlier than this supply's; until None: for ever."""
        self.free -= amount
        self.reach -= amount
        if from_s > self.at_s:
            self._note_gap(self.at_s, from_s, amount, self.rank)
        if until_s is not None:
            self.give_back(amount, until_s, rank)

    def withdraw(self, amount: int) -> None:
        """Let so much of what is free be for somebody who gives it back by itself."""
        self.free -= amount
        self.reach -= amount

    def fit_in_gap(self, amount: int, run_s: float, *, not_now: bool = False) -> tuple[float, int] | None:
        """Let somebody have what stands idle for so long; return from when, and how firm that is; None: nothing does.

        `not_now`: what is idle now does not do.
        """
        for gap in self.gaps:
            if gap.amount >= amount and gap.from_s + run_s <= gap.until_s and (gap.from_s > 0 or not not_now):
                gap.amount -= amount
                return gap.from_s, gap.rank
        return None

    def _usable(self, scattered: int) -> float:
        return self.free - (scattered * self._left / self._running if scattered and self._running else 0)

    def _note_gap(self, from_s: float, until_s: float, amount: int, rank: int) -> None:
        self.gaps.append(Gap(from_s, until_s, amount, rank))
        if len(self.gaps) > MOST_GAPS:
            del self.gaps[0]
