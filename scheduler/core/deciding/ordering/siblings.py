"""How many of other queues have their turn while one queue moves up, as far as averages tell."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

from scheduler.core.queueing.decay import HELD_NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scheduler.core.deciding.ordering.shares import HasQueues
    from scheduler.core.model.sharing.queue import QueueName
    from scheduler.core.queueing.queued import OneQueue

    Entry = tuple[QueueName, bool]
    """A queue with all that is in it; True: what is directly in it alone."""
    PlaceOf = Callable[[QueueName, bool], tuple[float, int]]
    """What an entry is sorted by among its siblings, and its weight."""


@dataclass(slots=True)
class _Waiting:
    """Who waits in an entry."""

    count: int = 0
    devices_milli: float = 0.0

    @property
    def each_milli(self) -> float:
        """What one of them asks for on average."""
        return self.devices_milli / self.count if self.count else 0.0


class Siblings:
    """Who waits beside whom in a tree of queues, at one moment."""

    def __init__(
        self, tree: HasQueues, queues: Mapping[QueueName, OneQueue], place_of: PlaceOf, there_milli: int
    ) -> None:
        """`there_milli` is how many thousandths of devices there are."""
        self._tree = tree
        self._place_of = place_of
        self._there = there_milli or 1
        self._within: dict[QueueName | None, dict[Entry, _Waiting]] = {}
        self._places: dict[Entry, tuple[float, int]] = {}
        for name, one in queues.items():
            for within, entry in self._steps(name):
                waiting = self._within.setdefault(within, {}).setdefault(entry, _Waiting())
                waiting.count += len(one.places)
                waiting.devices_milli += one.devices_milli

    def _steps(self, queue: QueueName) -> list[tuple[QueueName | None, Entry]]:
        """Return what is a sibling of what on the way up from a queue, and within which queue."""
        path = self._tree.path(queue)
        up = zip(path, (*path[1:], None), strict=True)
        return [(queue, (queue, True)), *((within, (name, False)) for name, within in up)]

    def ahead(self, queue: QueueName, own: int) -> int:
        """Return how many come before one that has so many of its own queue before it."""
        found = self._within.get(queue, {}).get((queue, True), _Waiting())
        ahead, devices_milli = own, own * found.each_milli
        for within, entry in self._steps(queue):
            share, weight = self._place(entry)
            share += self._step(devices_milli, weight)
            for other, waiting in self._within.get(within, {}).items():
                if other != entry:
                    turns = self._turns(other, waiting, share, is_first_of_equals=other < entry)
                    ahead += turns
                    devices_milli += turns * waiting.each_milli
        return ahead

    def _turns(self, entry: Entry, waiting: _Waiting, share: float, *, is_first_of_equals: bool) -> int:
        """Return how many of an entry have their turn before it has a share."""
        have, weight = self._place(entry)
        step = self._step(waiting.each_milli, weight)
        if not step:
            return waiting.count if have < share or (have == share and is_first_of_equals) else 0
        steps = round((share - have) / step, 6)
        return min(waiting.count, max(0, floor(steps) + 1 if is_first_of_equals else ceil(steps)))

    def _step(self, devices_milli: float, weight: int) -> float:
        """Return by how much a share grows with devices at once: as in `Shares`, by what is held now."""
        return HELD_NOW * devices_milli / self._there / weight

    def _place(self, entry: Entry) -> tuple[float, int]:
        place = self._places.get(entry)
        if place is None:
            place = self._places[entry] = self._place_of(*entry)
        return place
