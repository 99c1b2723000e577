"""The nodes that are in one state, in the order of their names whenever somebody asks for the first ones."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.core.ledger.states.leftover import Leftover
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.identifiers import NodeId

MOST_STALE = 32
MOST_FRESH = 256
"""So many new names may wait to be sorted, besides twice as many as there are nodes."""


class Names:
    """Nodes that come and go more often than they are looked at.

    Coming is one append to `fresh`, going leaves a stale name behind, and both change `count`: each node's entry says
    where it really is. Sorting is put off until the first names are asked for.
    """

    __slots__ = ("_entries", "_heap", "_leftover", "count", "fresh")

    def __init__(self, entries: dict[NodeId, NodeEntry], leftover: Leftover) -> None:
        self.count = 0
        """How many nodes there are."""
        self.fresh: list[NodeId] = []
        """Names that came since somebody looked."""
        self._entries = entries
        self._leftover = leftover
        self._heap: list[NodeId] = []

    def least(self) -> NodeId:
        """Return the first node by name, an empty name where there is none."""
        if self.fresh:
            self._sort_in()
        heap, entries, leftover = self._heap, self._entries, self._leftover
        while heap:
            entry = entries.get(heap[0])
            if entry is not None and entry.leftover is leftover:
                return heap[0]
            heappop(heap)
        return ""

    def first(self, count: int) -> list[NodeId]:
        """Return the first `count` nodes by name, all where there are fewer."""
        self._sort_in()
        heap = self._heap
        found: list[NodeId] = []
        while heap and len(found) < count:
            name = heappop(heap)
            if self._is_here(name) and (not found or found[-1] != name):
                found.append(name)
        self.fresh += found
        return found

    def _sort_in(self) -> None:
        heap, fresh = self._heap, self.fresh
        if len(heap) + len(fresh) > 2 * self.count + MOST_STALE:
            self.forget_stale()
            return
        for name in fresh:
            if self._is_here(name):
                heappush(heap, name)
        fresh.clear()

    def forget_stale(self) -> None:
        """Keep only the names of nodes that are here, each once."""
        self._heap = sorted({name for name in (*self._heap, *self.fresh) if self._is_here(name)})
        self.fresh.clear()

    def _is_here(self, name: NodeId) -> bool:
        entry = self._entries.get(name)
        return entry is not None and entry.leftover is self._leftover
