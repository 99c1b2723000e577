"""Hints that something changed. A hint may be lost without harm: whoever waits also looks by itself."""

from collections.abc import Callable
from typing import Protocol


class Waiter(Protocol):
    """One listener."""

    def wait(self, timeout_s: float) -> bool:
        """Block until a hint came since the last call or the time is over; say whether one came."""
        ...

    def close(self) -> None:
        """Stop listening and release whoever waits."""
        ...


class WakeUp(Protocol):
    """Fan-out of hints."""

    def notify(self) -> None:
        """Wake every listener; never blocks."""
        ...

    def waiter(self) -> Waiter:
        """Return a new listener for a thread."""
        ...

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at every hint, from any thread; the callback must not block. Returns what ends it."""
        ...
