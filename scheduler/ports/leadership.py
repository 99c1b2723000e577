"""Who may decide: a row with a growing epoch, checked inside every leader's transaction."""

from typing import Protocol


class Leadership(Protocol):
    """The epoch row."""

    def take(self, holder: str) -> int:
        """Make `holder` the leader and return its epoch; every older epoch is refused from then on."""
        ...

    def current(self) -> tuple[int, str]:
        """Return the present epoch and its holder; (0, "") where nobody ever led."""
        ...
