"""Hints that something changed. A hint may be lost without harm: whoever waits also looks by itself.

Where several processes work on one database, a hint given in one reaches the listeners of all.
"""

from collections.abc import Callable
from typing import Protocol


class Waiter(Protocol):
    """One listener."""

    def wait(self, timeout_s: float) -> bool:
        """Block until a hint came since the last call or the time is over; say whether one came."""
        ...

    def hint(self) -> None:
        """Wake this waiter and no other, from any thread: for news that concern nobody else."""
        ...

    def close(self) -> None:
        """Stop listening and release whoever waits."""
        ...


class WakeUp(Protocol):
    """Fan-out of hints."""

    def notify(self, *, decided: int = 0) -> None:
        """Wake every listener: those of this process at once, those of others soon. Never blocks, never raises.

        `decided` is a change up to which every waiting job had its decision, for whoever waits for one.
        """
        ...

    @property
    def decided(self) -> int:
        """The highest `decided` that any process gave and this one heard of, 0 where there is none: a hint as well."""
        ...

    def waiter(self) -> Waiter:
        """Return a new listener for a thread."""
        ...

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at every hint, from any thread; the callback must not block. Returns what ends it."""
        ...
