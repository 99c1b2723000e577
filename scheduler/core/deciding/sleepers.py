"""Classes of gangs that found no place: they cost nothing until something comes that they lack."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING

from scheduler.core.deciding.lacks import LacksRoom
from scheduler.core.deciding.parts.waiters import queue_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scheduler.core.deciding.lacks import Lack, PoolName, RoomFor
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.model.sharing.queue import QueueName
    from scheduler.core.queueing.order import QueueKey

    Wanted = tuple[LacksRoom, int]
    """What is lacked, and how many workers must fit."""
    Row = tuple[int, int, Class]
    """How many workers must fit, a number that tells equals apart, and the class."""
    Stand = tuple[QueueKey, int, Class]
    """Where the first of a class stands in its queue, a number that tells equals apart, and the class."""

_workers = itemgetter(0)


class Sleepers:
    """Who sleeps, by what would wake them."""

    def __init__(self) -> None:
        self._beds: dict[Lack, list[Row]] = {}
        """Fewest workers first."""
        self._in_pool: dict[PoolName, dict[LacksRoom, None]] = {}
        """The beds of those that lack room in a pool."""
        self._rows: dict[Class, list[tuple[Lack, Row]]] = {}
        self._queues: dict[QueueName, list[Stand]] = {}
        """Who sleeps in which queue, by where the first of each stood there when it was put."""
        self._stands: dict[Class, Stand] = {}
        self._numbers = count()

    def __contains__(self, sleeper: Class) -> bool:
        return sleeper in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Class]:
        return iter(self._rows)

    def put(self, sleeper: Class, lacks: Iterable[tuple[Lack, int]]) -> None:
        """Let a class sleep until something comes of what it lacks, given with how many workers must fit."""
        self.remove(sleeper)
        rows = self._rows[sleeper] = []
        for lack, workers in dict.fromkeys(lacks):
            row = (workers, next(self._numbers), sleeper)
            bed = self._beds.get(lack)
            if bed is None:
                bed = self._beds[lack] = []
                if isinstance(lack, LacksRoom):
                    self._in_pool.setdefault(lack.pool, {})[lack] = None
            if not bed or bed[-1] < row:
                bed.append(row)
            else:
                insort(bed, row)
            rows.append((lack, row))
        self._stand(sleeper)

    def remove(self, sleeper: Class) -> None:
        """Let a class sleep no longer; without effect where it does not."""
        if sleeper not in self._rows:
            return
        self._leave(sleeper)
        for lack, row in self._rows.pop(sleeper):
            bed = self._beds[lack]
            del bed[bisect_left(bed, row)]
            if not bed:
                self._strip(lack)

    def lacking(self, lack: Lack) -> list[Class]:
        """Return all that lack something, whatever else they lack."""
        return [sleeper for _, _, sleeper in self._beds.get(lack, ())]

    def beds_in(self, pool: PoolName) -> Iterable[LacksRoom]:
        """Return all that somebody lacks of room in a pool."""
        return self._in_pool.get(pool, ())

    def fewest(self, lack: LacksRoom) -> tuple[int, Class] | None:
        """Return who of those that lack a room wants the fewest workers to fit, and how many; None where none does."""
        bed = self._beds.get(lack)
        return None if bed is None else (bed[0][0], bed[0][2])

    def has_room_in(self, pool: PoolName, room_for: RoomFor) -> bool:
        """Say whether there is enough room in a pool for somebody who lacks some there."""
        beds = ((lack, self._beds[lack][0]) for lack in self.beds_in(pool))
        return any(workers <= room_for(lack, sleeper.asked[0]) for lack, (workers, _, sleeper) in beds)

    def room_wanted(self, sleeper: Class) -> Iterator[Wanted]:
        """Yield the room that a sleeper lacks."""
        for lack, (workers, _, _) in self._rows[sleeper]:
            if isinstance(lack, LacksRoom):
                yield lack, workers

    def queues(self) -> Iterable[QueueName]:
        """Return the queues in which somebody sleeps."""
        return self._queues

    def count(self, lack: LacksRoom, workers: int) -> int:
        """Return how many want no more workers than so many to fit, of those that lack a room."""
        return bisect_right(self._beds.get(lack, ()), workers, key=_workers)

    def wanting(self, lack: LacksRoom, workers: int) -> list[Class]:
        """Return these."""
        return [sleeper for _, _, sleeper in self._beds.get(lack, ())[: self.count(lack, workers)]]

    def stands(self, queue: QueueName) -> Sequence[Stand]:
        """Return who sleeps in a queue, in their order: that of when they were put, or stood anew."""
        return self._queues.get(queue, ())

    def stand_anew(self, sleeper: Class) -> Stand:
        """Let a sleeper with members stand where its first one does now."""
        if self._stands[sleeper][0] != sleeper.first:
            self._leave(sleeper)
            self._stand(sleeper)
        return self._stands[sleeper]

    def sort(self) -> None:
        """Let all stand where they do now: their places were made anew."""
        for sleeper in [each for each in self._stands if each.members]:
            self.stand_anew(sleeper)

    def _stand(self, sleeper: Class) -> None:
        stand = self._stands[sleeper] = (sleeper.first, next(self._numbers), sleeper)
        stands = self._queues.setdefault(queue_of(sleeper), [])
        if not stands or stands[-1] < stand:
            stands.append(stand)
        else:
            insort(stands, stand)

    def _leave(self, sleeper: Class) -> None:
        stands, stand = self._queues[queue_of(sleeper)], self._stands.pop(sleeper)
        del stands[bisect_left(stands, stand)]
        if not stands:
            del self._queues[queue_of(sleeper)]

    def _strip(self, lack: Lack) -> None:
        del self._beds[lack]
        if isinstance(lack, LacksRoom):
            beds = self._in_pool[lack.pool]
            del beds[lack]
            if not beds:
                del self._in_pool[lack.pool]
