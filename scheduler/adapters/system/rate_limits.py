"""Budgets of callers, kept in this process."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from scheduler.ports.clock import Clock
from scheduler.ports.rate_limit import Budget, Charge, balance

MOST_BUDGETS = 20_000
"""Beyond these the one that was charged longest ago is forgotten, which is to fill it."""
_ROUNDING_S = 1e-9


class InProcessRateLimits:
    """Fulfils ports.rate_limit.RateLimits for the threads of one process.

    Of each budget the moment is kept at which it is full again (the generic cell rate algorithm, ITU-T I.371): one
    number, from which all else follows.
    """

    def __init__(self, clock: Clock, *, most: int = MOST_BUDGETS) -> None:
        self._clock = clock
        self._most = most
        self._guard = threading.Lock()
        self._full_at_s: OrderedDict[tuple[str, str], float] = OrderedDict()
        """In the order of the last charge."""

    def charge(self, budgets: Sequence[Budget], cost: int) -> Charge:
        """Spend `cost` units of each budget, or nothing where one of them has not so much."""
        now_s = self._clock.monotonic_s()
        with self._guard:
            before = [max(self._full_at_s.get((budget.name, budget.key), now_s) - now_s, 0.0) for budget in budgets]
            after = [missing_s + _time_of(budget, cost) for missing_s, budget in zip(before, budgets, strict=True)]
            wait_s = max((each - budget.rate.window_s for each, budget in zip(after, budgets, strict=True)), default=0)
            is_granted = wait_s <= _ROUNDING_S
            if is_granted:
                self._keep(budgets, after, now_s)
        stands = after if is_granted else before
        balances = tuple(balance(budget, each) for budget, each in zip(budgets, stands, strict=True))
        return Charge(is_granted, 0.0 if is_granted else wait_s, balances)

    def _keep(self, budgets: Sequence[Budget], full_in_s: Sequence[float], now_s: float) -> None:
        for budget, each_s in zip(budgets, full_in_s, strict=True):
            key = budget.name, budget.key
            self._full_at_s[key] = now_s + each_s
            self._full_at_s.move_to_end(key)
        while len(self._full_at_s) > self._most:
            self._full_at_s.popitem(last=False)


def _time_of(budget: Budget, cost: int) -> float:
    """Return how long a budget takes to refill what a cost takes out of it."""
    return min(cost, budget.rate.units) * budget.rate.window_s / budget.rate.units
