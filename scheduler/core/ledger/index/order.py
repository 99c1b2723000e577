"""Domains sorted by how many workers fit into them."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.core.ledger.index.domain import Domain

Row = tuple[int, str, "Domain"]


class Order:
    """Domains with room, tightest first, ties by path. A domain without room is not in it."""

    __slots__ = ("_sums", "rows", "total")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        """Room, path and domain, tightest first; for reading only."""
        self.total = 0
        """How many workers fit into all of them."""
        self._sums: dict[Domain, int] = {}

    def put(self, domain: Domain, workers: int) -> None:
        """Let so many workers fit into a domain from now on."""
        before = self._sums.get(domain, 0)
        if before == workers:
            return
        self.total += workers - before
        if before:
            del self.rows[bisect_left(self.rows, (before, domain.path))]
        if workers:
            insort(self.rows, (workers, domain.path, domain))
            self._sums[domain] = workers
        else:
            del self._sums[domain]

    def tightest(self, workers: int) -> Domain | None:
        """Return the domain with the least room that is enough."""
        at = bisect_left(self.rows, (workers,))
        return self.rows[at][2] if at < len(self.rows) else None

    def from_tightest(self, workers: int) -> Iterator[Domain]:
        """Yield the domains with enough room, tightest first."""
        for row in self.rows_from(workers):
            yield row[2]

    def rows_from(self, workers: int) -> list[Row]:
        """Return the rows of the domains with enough room, tightest first."""
        return self.rows[bisect_left(self.rows, (workers,)) :]

    @property
    def most(self) -> int:
        """The most workers that fit into one domain."""
        return self.rows[-1][0] if self.rows else 0

    def __len__(self) -> int:
        return len(self.rows)
