"""When to leave a server that fails alone, and when to try it again."""

import threading
from collections import deque
from collections.abc import Callable

FAILURES = 3
FAILURES_WITHIN_S = 5.0
"""So many failures within so long open the breaker, whatever succeeds in between."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
STEADY_S = 10.0
"""One that opens again sooner than this after it closed pauses twice as long."""


class Breaker:
    """Closed while the server is used; open while it is left alone, but for a probe after each pause. For threads."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._guard = threading.Lock()
        self._failed_at_s: deque[float] = deque(maxlen=FAILURES)
        self._is_open = False
        self._pause_s = FIRST_PAUSE_S
        self._probe_at_s = 0.0
        self._closed_at_s = float("-inf")

    @property
    def is_closed(self) -> bool:
        """Whether the server is to be used."""
        return not self._is_open

    @property
    def probe_in_s(self) -> float:
        """After how long a server that is left alone is to be tried; 0 where it is to be now."""
        return max(self._probe_at_s - self._monotonic_s(), 0.0)

    def note_failure(self) -> bool:
        """Note that a call failed; says whether that opened the breaker."""
        with self._guard:
            now_s = self._monotonic_s()
            self._failed_at_s.append(now_s)
            if self._is_open:
                return False
            if len(self._failed_at_s) < FAILURES or now_s - self._failed_at_s[0] > FAILURES_WITHIN_S:
                return False
            was_steady = now_s - self._closed_at_s > STEADY_S
            self._open(now_s, FIRST_PAUSE_S if was_steady else self._pause_s * 2)
            return True

    def note_probe(self, *, is_answered: bool) -> None:
        """Close after a probe that was answered; else pause, longer each time."""
        with self._guard:
            if not self._is_open:
                return
            now_s = self._monotonic_s()
            if is_answered:
                self._is_open = False
                self._closed_at_s = now_s
                self._failed_at_s.clear()
            else:
                self._open(now_s, self._pause_s * 2)

    def _open(self, now_s: float, pause_s: float) -> None:
        self._is_open = True
        self._pause_s = min(pause_s, LONGEST_PAUSE_S)
        self._probe_at_s = now_s + self._pause_s
