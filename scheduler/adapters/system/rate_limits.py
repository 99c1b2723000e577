"""Allowances of callers, kept in this process."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from scheduler.ports.clock import Clock
from scheduler.ports.rate_limit import Allowance, Charge, balance

MOST_ALLOWANCES = 20_000
"""Beyond these the one that was charged longest ago is forgotten, which is to fill it."""
_ROUNDING_S = 1e-9


class InProcessRateLimits:
    """Fulfils ports.rate_limit.RateLimits for the threads of one process.

    Of each allowance the moment is kept at which it is full again (the generic cell rate algorithm, ITU-T I.371): one
    number, from which all else follows.
    """

    def __init__(self, clock: Clock, *, most: int = MOST_ALLOWANCES) -> None:
        self._clock = clock
        self._most = most
        self._guard = threading.Lock()
        self._full_at_s: OrderedDict[tuple[str, str], float] = OrderedDict()
        """In the order of the last charge."""

    def charge(self, allowances: Sequence[Allowance], cost: int) -> Charge:
        """Spend `cost` units of each allowance, or nothing where one of them has not so much."""
        now_s = self._clock.monotonic_s()
        with self._guard:
            before = [
                max(self._full_at_s.get((allowance.name, allowance.key), now_s) - now_s, 0.0)
                for allowance in allowances
            ]
            after = [
                missing_s + _time_of(allowance, cost) for missing_s, allowance in zip(before, allowances, strict=True)
            ]
            wait_s = max(
                (each - allowance.rate.window_s for each, allowance in zip(after, allowances, strict=True)), default=0
            )
            is_granted = wait_s <= _ROUNDING_S
            if is_granted:
                self._keep(allowances, after, now_s)
        stands = after if is_granted else before
        balances = tuple(balance(allowance, each) for allowance, each in zip(allowances, stands, strict=True))
        return Charge(is_granted, 0.0 if is_granted else wait_s, balances)

    def _keep(self, allowances: Sequence[Allowance], full_in_s: Sequence[float], now_s: float) -> None:
        for allowance, each_s in zip(allowances, full_in_s, strict=True):
            key = allowance.name, allowance.key
            self._full_at_s[key] = now_s + each_s
            self._full_at_s.move_to_end(key)
        while len(self._full_at_s) > self._most:
            self._full_at_s.popitem(last=False)


def _time_of(allowance: Allowance, cost: int) -> float:
    """Return how long an allowance takes to refill what a cost takes out of it."""
    return min(cost, allowance.rate.units) * allowance.rate.window_s / allowance.rate.units
