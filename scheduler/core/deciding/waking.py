"""Who of those that sleep for room may have some: looked for queue by queue, as their turns come."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from scheduler.core.deciding.parts.waiters import queue_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scheduler.core.deciding.lacks import LacksRoom, PoolName, RoomFor
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.deciding.sleepers import Sleepers, Stand, Wanted
    from scheduler.core.model.sharing.queue import QueueName
    from scheduler.core.queueing.order import QueueKey


MOST_LISTED = 256
"""So few who may have room are named; where there are more, they are looked for in their queues until room is gone."""


class Waking:
    """Those that lack room in pools where there is more of it; who is behind the last one placed is not looked at."""

    def __init__(
        self,
        sleepers: Sleepers,
        pools: Iterable[PoolName],
        most_room: RoomFor,
        may_have: Callable[[Class, Iterable[Wanted]], bool],
    ) -> None:
        """`most_room` is how much room anybody has; `may_have` says whether a class has room for something it wants."""
        self._sleepers = sleepers
        self._most_room = most_room
        self._may_have = may_have
        self._room: dict[LacksRoom, int] = dict.fromkeys((lack for pool in pools for lack in sleepers.beds_in(pool)), 0)
        """Of what is lacked and there is enough of for somebody, so much."""
        self._listed: dict[QueueName, list[Stand]] | None = None
        """By queue all who may have room; None while they are too many."""
        self._after: dict[QueueName, tuple[QueueKey, int]] = {}
        """Who comes before this in a queue was looked at."""
        self.look_again()

    def look_again(self) -> None:
        """Take note that something was placed: nobody has more room than before."""
        sleepers, lacked, self._room = self._sleepers, self._room, {}
        for lack in lacked:
            fewest = sleepers.fewest(lack)
            if fewest is not None and fewest[0] <= (room := self._most_room(lack, fewest[1].asked[0])):
                self._room[lack] = room
        if sum(sleepers.count(lack, room) for lack, room in self._room.items()) > MOST_LISTED:
            return
        self._listed = {}
        for each in dict.fromkeys(one for lack, room in self._room.items() for one in sleepers.wanting(lack, room)):
            if each.members:
                self._listed.setdefault(queue_of(each), []).append(sleepers.stand_anew(each))
        for stands in self._listed.values():
            stands.sort()

    def __bool__(self) -> bool:
        """Say whether there may be room for anybody still."""
        return bool(self._room)

    def queues(self) -> Iterator[tuple[QueueName, QueueKey]]:
        """Yield the queues in which somebody may have room, each with a place before which nobody does."""
        for queue in (self._sleepers.queues() if self._listed is None else self._listed) if self._room else ():
            row = self._next_in(queue)
            if row is not None:
                yield queue, row[0]

    def first(self, queue: QueueName) -> Class | None:
        """Return the first of a queue that may have room, of those that were not taken; None where there is none."""
        room = self._room
        while (row := self._next_in(queue)) is not None:
            key, number, found = row
            if found.members and found.first > key:
                self._sleepers.stand_anew(found)  # who was its first has left
                continue
            if found.members and found in self._sleepers:
                wanted = [each for each in self._sleepers.room_wanted(found) if each[1] <= room.get(each[0], 0)]
                if wanted and self._may_have(found, wanted):
                    return found
            self._after[queue] = (key, number + 1)
        return None

    def take(self, queue: QueueName) -> QueueKey | None:
        """Take the first one of a queue; return a place before which none of the others is, None where none is left."""
        row = self._next_in(queue)
        if row is None:
            return None
        self._after[queue] = (row[0], row[1] + 1)
        following = self._next_in(queue)
        return None if following is None else following[0]

    def _next_in(self, queue: QueueName) -> Stand | None:
        stands = self._sleepers.stands(queue) if self._listed is None else self._listed.get(queue, ())
        after = self._after.get(queue)
        at = 0 if after is None else bisect_left(stands, after)
        return stands[at] if at < len(stands) else None
