"""Who waits in which queue, first in the queue first: places are told without a walk along the queue."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scheduler.core.model.identifiers import GroupId
    from scheduler.core.model.sharing.queue import QueueName
    from scheduler.core.queueing.classes import Place
    from scheduler.core.queueing.order import QueueKey


@dataclass(slots=True)
class OneQueue:
    """Those who wait in one queue."""

    places: list[Place] = field(default_factory=list)
    """In their order."""
    devices_milli: int = 0
    """What they ask for together, in thousandths of devices."""

    def ahead_of(self, key: QueueKey) -> int:
        """Return how many are before a place."""
        return bisect_left(self.places, (key, ""))


class Queued:
    """All who wait, each in one queue; a queue in which nobody waits is forgotten."""

    __slots__ = ("_of_group", "_queues")

    def __init__(self) -> None:
        self._queues: dict[QueueName, OneQueue] = {}
        self._of_group: dict[GroupId, tuple[QueueName, Place, int]] = {}

    @property
    def queues(self) -> Mapping[QueueName, OneQueue]:
        """The queues in which somebody waits, in no order that means anything."""
        return self._queues

    def put(self, group: GroupId, queue: QueueName, key: QueueKey, devices_milli: int) -> None:
        """Let a group wait in a queue, or wait elsewhere than before."""
        self.remove(group)
        found = self._queues.get(queue)
        if found is None:
            found = self._queues[queue] = OneQueue()
        place = (key, group)
        if not found.places or found.places[-1] < place:
            found.places.append(place)
        else:
            insort(found.places, place)
        found.devices_milli += devices_milli
        self._of_group[group] = (queue, place, devices_milli)

    def move(self, group: GroupId, key: QueueKey) -> bool:
        """Let a group stand elsewhere in its queue; return whether it stood there not before. Raises KeyError."""
        queue, (before, _), devices_milli = self._of_group[group]
        if before == key:
            return False
        self.put(group, queue, key, devices_milli)
        return True

    def remove(self, group: GroupId) -> None:
        """Let a group wait no longer; without effect where it does not."""
        known = self._of_group.pop(group, None)
        if known is None:
            return
        queue, place, devices_milli = known
        found = self._queues[queue]
        del found.places[bisect_left(found.places, place)]
        found.devices_milli -= devices_milli
        if not found.places:
            del self._queues[queue]

    def place(self, group: GroupId) -> tuple[QueueName, QueueKey]:
        """Return where a group waits. Raises KeyError where it does not."""
        queue, place, _ = self._of_group[group]
        return queue, place[0]

    def first(self, queue: QueueName, most: int) -> Sequence[GroupId]:
        """Return the first groups of a queue, so many at most."""
        found = self._queues.get(queue)
        return [] if found is None else [group for _, group in found.places[:most]]

    def ahead_in(self, queue: QueueName, key: QueueKey) -> int:
        """Return how many of a queue are before a place."""
        found = self._queues.get(queue)
        return 0 if found is None else found.ahead_of(key)
