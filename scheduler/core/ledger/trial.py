"""Trying changes out on the real ledger."""

from types import TracebackType
from typing import Self

from scheduler.core.ledger.changes import LedgerChange
from scheduler.core.ledger.ledger import Ledger


class Trial:
    """Changes that are taken back, newest first, when the `with` block ends, however it ends."""

    __slots__ = ("_ledger", "_undos")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._undos: list[LedgerChange] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.back_to(0)

    def apply(self, change: LedgerChange) -> None:
        """Do a change for as long as the trial lasts. Raises what the ledger raises."""
        self._undos.append(self._ledger.apply(change))

    @property
    def changes(self) -> int:
        """How many changes were done and not taken back."""
        return len(self._undos)

    def back_to(self, changes: int) -> None:
        """Take back the newest changes, until there are no more than so many."""
        while len(self._undos) > changes:
            self._ledger.apply(self._undos.pop())
