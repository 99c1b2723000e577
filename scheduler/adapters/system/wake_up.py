"""Hints between the threads of one process."""

import threading
from collections.abc import Callable


class InProcessWakeUp:
    """Fulfils ports.wake_up.WakeUp. A hint that comes while nobody waits is kept, once, for the next wait."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._callbacks: dict[object, Callable[[], None]] = {}
        self._decided = 0

    @property
    def decided(self) -> int:
        """The highest `decided` of all hints."""
        return self._decided

    def notify(self, *, decided: int = 0) -> None:
        """Wake every listener."""
        with self._guard:
            self._decided = max(self._decided, decided)
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            callback()

    def waiter(self) -> "InProcessWaiter":
        """Return a new listener for a thread."""
        return InProcessWaiter(self)

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at every hint, from the thread that gave it. Returns what ends it."""
        key = object()
        with self._guard:
            self._callbacks[key] = callback

        def end() -> None:
            with self._guard:
                self._callbacks.pop(key, None)

        return end


class InProcessWaiter:
    """Fulfils ports.wake_up.Waiter."""

    def __init__(self, wake_up: InProcessWakeUp) -> None:
        self._hint = threading.Event()
        self._is_closed = False
        self._end = wake_up.listen(self._hint.set)

    def wait(self, timeout_s: float) -> bool:
        """Block until a hint came since the last call or the time is over; False at once where it was closed."""
        if not self._hint.wait(timeout_s) or self._is_closed:
            return False
        self._hint.clear()
        return not self._is_closed

    def hint(self) -> None:
        """Wake this waiter and no other."""
        self._hint.set()

    def close(self) -> None:
        """Stop listening and release whoever waits, for good."""
        self._end()
        self._is_closed = True
        self._hint.set()
