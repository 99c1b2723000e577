"""Which denied calls go into the audit trail: a flood of them must not fill the disk."""

import threading
from collections import OrderedDict

from scheduler.ports.clock import Clock

SAME_EVERY_S = 60.0
"""One token's denied calls of one operation are told once in this time."""
PER_MINUTE = 10
MOST_AT_ONCE = 60
MOST_REMEMBERED = 1_000


class DeniedCalls:
    """Decides which denied calls are told of. Over all, 10 a minute and 60 at once: 15,000 entries a day at most."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._told: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._left = float(MOST_AT_ONCE)
        self._at_s = clock.monotonic_s()
        self._left_out = 0

    def count(self, token_id: str, operation: str) -> int | None:
        """Return how many calls were left out before this one, None where this one is left out too."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            self._left = min(float(MOST_AT_ONCE), self._left + (now_s - self._at_s) * PER_MINUTE / 60)
            self._at_s = now_s
            last_s = self._told.get((token_id, operation))
            if self._left < 1 or (last_s is not None and now_s - last_s < SAME_EVERY_S):
                self._left_out += 1
                return None
            self._left -= 1
            self._told[token_id, operation] = now_s
            self._told.move_to_end((token_id, operation))
            if len(self._told) > MOST_REMEMBERED:
                self._told.popitem(last=False)
            left_out, self._left_out = self._left_out, 0
            return left_out
