"""Who has no place and may have a reservation later: once it has waited long enough, or once one may be given."""

from __future__ import annotations

from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.queueing.order import QueueKey

RESERVE_AFTER_S = 300.0
"""Room is kept for those alone that have waited so long: most never need it, and what is kept may stand idle."""
TRY_AGAIN_S = 300.0
"""Who could have no reservation, for nothing that ends makes room, is asked again after so long."""
TRY_SOON_S = 10.0
"""Or after so long, where it lost the one that it had: what others are about to have has no end yet, but will soon."""
MOST_AT_ONCE = 64
"""So many whose time has come are asked in one pass."""
PAUSE_S = 1.0
"""After it the others of them are."""
MOST_DEAD = 1_024
"""So many entries may be dead, besides as many as there are live ones, before they are swept."""


Key = TypeVar("Key", datetime, "QueueKey")


class Hopes:
    """Classes that found no place and have no reservation. Bounded by how many classes wait."""

    def __init__(self, reserve_after_s: float = RESERVE_AFTER_S) -> None:
        self._after = timedelta(seconds=reserve_after_s)
        self._young: _Line[datetime] = _Line()
        """By when they will have waited long enough."""
        self._parked: _Line[QueueKey] = _Line()
        """By their place in the queue."""

    def __len__(self) -> int:
        return len(self._young) + len(self._parked)

    def of_age(self, submitted_at: datetime, now: datetime) -> datetime:
        """Return when one has waited long enough that was submitted at a time; never later than if it came now."""
        return min(submitted_at, now) + self._after

    def wait(self, which: Class, until: datetime) -> None:
        """Let a class be asked again at a time."""
        self._young.put(which, until)

    def park(self, which: Class) -> None:
        """Let a class be asked again when a reservation may be given to it: first in the queue first."""
        self._parked.put(which, which.first)

    def due(self, now: datetime, free: int) -> list[Class]:
        """Return, and forget, those whose time has come, and of the parked ones the first: so many as `free`."""
        due: list[Class] = []
        while len(due) < MOST_AT_ONCE and (first := self._young.first()) is not None and first[0] <= now:
            due.append(self._young.take())
        wanted = len(due) + free
        while len(due) < wanted and (place := self._parked.first()) is not None:
            which = self._parked.take()
            if which.first == place[0]:
                due.append(which)
            else:
                self.park(which)  # who was its first has left, and somebody may come before it now
        return due

    def next_due(self, now: datetime, free: int) -> datetime | None:
        """Return when the next one's time comes, None where nobody's does; a moment from now where it has come."""
        soon = now + timedelta(seconds=PAUSE_S)
        if free > 0 and self._parked.first() is not None:
            return soon
        first = self._young.first()
        return None if first is None else max(first[0], soon)


class _Line(Generic[Key]):
    """Classes by a key each, smallest first. What was put under another key before is dead, and passed over."""

    def __init__(self) -> None:
        self._keys: dict[Class, Key] = {}
        self._rows: list[tuple[Key, int, Class]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._keys)

    def put(self, which: Class, key: Key) -> None:
        if self._keys.get(which) == key:
            return
        self._keys[which] = key
        heappush(self._rows, (key, next(self._numbers), which))
        if len(self._rows) > 2 * len(self._keys) + MOST_DEAD:
            self._sweep()

    def first(self) -> tuple[Key, Class] | None:
        while self._rows and not self._is_alive(self._rows[0]):
            heappop(self._rows)
        return (self._rows[0][0], self._rows[0][2]) if self._rows else None

    def take(self) -> Class:
        _, _, which = heappop(self._rows)
        del self._keys[which]
        return which

    def _sweep(self) -> None:
        self._keys = {which: key for which, key in self._keys.items() if which.members}
        self._rows = [row for row in self._rows if self._is_alive(row)]
        heapify(self._rows)

    def _is_alive(self, row: tuple[Key, int, Class]) -> bool:
        key, _, which = row
        if not which.members:
            self._keys.pop(which, None)
        return self._keys.get(which) == key
