"""Classes of gangs that found no place: they cost nothing until something comes that they lack."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING

from scheduler.core.deciding.lacks import LacksRoom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scheduler.core.deciding.lacks import Lack, PoolName
    from scheduler.core.deciding.parts.waiters import Class

    Wanted = tuple[LacksRoom, int]
    """What is lacked, and how many workers must fit."""
    Row = tuple[int, int, Class]
    """How many workers must fit, a number that tells equals apart, and the class."""
    RoomFor = Callable[[LacksRoom, Class], int]
    """How many workers fit now of what is lacked, asked in the name of one of those that lack it."""

_workers = itemgetter(0)


class Sleepers:
    """Who sleeps, by what would wake them."""

    def __init__(self) -> None:
        self._beds: dict[Lack, list[Row]] = {}
        """Fewest workers first."""
        self._in_pool: dict[PoolName, dict[LacksRoom, None]] = {}
        """The beds of those that lack room in a pool."""
        self._rows: dict[Class, list[tuple[Lack, Row]]] = {}
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

    def remove(self, sleeper: Class) -> None:
        """Let a class sleep no longer; without effect where it does not."""
        for lack, row in self._rows.pop(sleeper, ()):
            bed = self._beds[lack]
            del bed[bisect_left(bed, row)]
            if not bed:
                self._strip(lack)

    def lacking(self, lack: Lack) -> list[Class]:
        """Return all that lack something, whatever else they lack."""
        return [sleeper for _, _, sleeper in self._beds.get(lack, ())]

    def with_room_in(self, pool: PoolName, room_for: RoomFor) -> list[tuple[Class, Wanted]]:
        """Return those that lack room in a pool in which there is enough of it now, each with what it wants there."""
        found: list[tuple[Class, Wanted]] = []
        for lack in self._in_pool.get(pool, ()):
            bed = self._beds[lack]
            enough = bisect_right(bed, room_for(lack, bed[0][2]), key=_workers)
            found += [(sleeper, (lack, workers)) for workers, _, sleeper in bed[:enough]]
        return found

    def _strip(self, lack: Lack) -> None:
        del self._beds[lack]
        if isinstance(lack, LacksRoom):
            beds = self._in_pool[lack.pool]
            del beds[lack]
            if not beds:
                del self._in_pool[lack.pool]
