"""Who is next: items wait in queues, and a line hands them out one after the other."""

from __future__ import annotations

from collections import defaultdict
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scheduler.core.model.sharing.queue import QueueName
    from scheduler.core.queueing.order import QueueKey

Item = TypeVar("Item")
Rank = tuple[float, ...]
"""What a queue is sorted by among its siblings: the smallest first."""


class Paths(Protocol):
    """What a line has to know of a tree of queues."""

    def path(self, name: QueueName) -> tuple[QueueName, ...]:
        """Return a queue and those that it is in, itself first."""
        ...


class Line(Protocol[Item]):
    """A line of items."""

    def push(self, queue: QueueName, key: QueueKey, item: Item) -> None:
        """Let an item wait in a queue, by its key among those that wait there."""
        ...

    def pop(self) -> Item | None:
        """Take out who is next; None where nobody waits."""
        ...

    def keep(self, wanted: Callable[[Item], bool]) -> None:
        """Drop all items but those that are wanted."""
        ...

    def changed(self, queue: QueueName) -> None:
        """Take note that a queue holds more, or less, than before."""
        ...


class FirstComeLine(Generic[Item]):
    """By key alone, whatever the queue."""

    def __init__(self, waiting: Iterable[tuple[QueueName, QueueKey, Item]] = ()) -> None:
        self._numbers = count()
        self._heap = [(key, next(self._numbers), item) for _, key, item in waiting]
        heapify(self._heap)

    def push(self, _queue: QueueName, key: QueueKey, item: Item) -> None:
        """Let an item wait."""
        heappush(self._heap, (key, next(self._numbers), item))

    def pop(self) -> Item | None:
        """Take out the one with the smallest key."""
        return heappop(self._heap)[2] if self._heap else None

    def keep(self, wanted: Callable[[Item], bool]) -> None:
        """Drop the others."""
        self._heap = [row for row in self._heap if wanted(row[2])]
        heapify(self._heap)

    def changed(self, queue: QueueName) -> None:
        """Nobody's place depends on what queues hold."""


class FairLine(Generic[Item]):
    """From the root of a tree down, always to the queue with the smallest rank in which somebody waits.

    What waits directly in a queue that has others within it is ranked among these, by the queue's own rank.
    """

    def __init__(
        self,
        tree: Paths,
        rank: Callable[[QueueName], Rank],
        own_rank: Callable[[QueueName], Rank],
        waiting: Iterable[tuple[QueueName, QueueKey, Item]] = (),
    ) -> None:
        """`rank` is of a queue with all that is in it, `own_rank` of what is directly in one. See push."""
        self._tree = tree
        self._rank = rank
        self._own_rank = own_rank
        self._items: dict[QueueName, list[tuple[QueueKey, int, Item]]] = {}
        self._waiting: defaultdict[QueueName, int] = defaultdict(int)
        """How many wait in each queue and all that is in it."""
        self._heaps: dict[QueueName | None, list[tuple[Rank, QueueName, bool, int]]] = {None: []}
        """Per queue what is in it: its rank, its name, whether it is the queue itself, and its stamp."""
        self._stamps: defaultdict[tuple[QueueName, bool], int] = defaultdict(int)
        """Entries with an older stamp are stale."""
        self._numbers = count()
        items, numbers = self._items, self._numbers
        for queue, key, item in waiting:
            if queue in items:
                items[queue].append((key, next(numbers), item))
            else:
                items[queue] = [(key, next(numbers), item)]
        for queue, those in items.items():
            if len(those) > 1:
                heapify(those)
            self._come(queue, len(those))

    def push(self, queue: QueueName, key: QueueKey, item: Item) -> None:
        """Let an item wait in a queue. Raises KeyError where the tree has no such queue."""
        items = self._items.setdefault(queue, [])
        heappush(items, (key, next(self._numbers), item))
        self._come(queue, 1)

    def _come(self, queue: QueueName, number: int) -> None:
        """Rank a queue, and those it is in, among their siblings, where nobody waited there."""
        path = self._tree.path(queue)
        if len(self._items[queue]) == number:
            self._enter(queue, queue, is_own=True)
        for name, parent in zip(path, (*path[1:], None), strict=True):
            self._waiting[name] += number
            if self._waiting[name] == number:
                self._enter(name, parent, is_own=False)

    def pop(self) -> Item | None:
        """Take out the next one of the queue that is due most."""
        at: QueueName | None = None
        while True:
            heap = self._heaps.get(at, [])
            while heap and heap[0][3] != self._stamps[heap[0][1], heap[0][2]]:
                heappop(heap)
            if not heap:
                return None
            _, name, is_own, _ = heap[0]
            if is_own:
                return self._take(name)
            at = name

    def keep(self, wanted: Callable[[Item], bool]) -> None:
        """Drop the others; queues in which nobody waits any more are not ranked."""
        for queue, items in self._items.items():
            kept = [row for row in items if wanted(row[2])]
            if gone := len(items) - len(kept):
                heapify(kept)
                self._items[queue] = kept
                self._leave(queue, gone, is_empty=not kept)

    def changed(self, queue: QueueName) -> None:
        """Rank a queue and all that it is in anew."""
        path = self._tree.path(queue)
        for name, parent in zip(path, (*path[1:], None), strict=True):
            if self._waiting[name]:
                self._enter(name, parent, is_own=False)
        if self._items.get(queue):
            self._enter(queue, queue, is_own=True)

    def _enter(self, name: QueueName, within: QueueName | None, *, is_own: bool) -> None:
        stamp = self._stamps[name, is_own] = self._stamps[name, is_own] + 1
        entry = (self._own_rank(name) if is_own else self._rank(name), name, is_own, stamp)
        heap = self._heaps.get(within)
        if heap is None:
            self._heaps[within] = [entry]
        else:
            heappush(heap, entry)

    def _take(self, queue: QueueName) -> Item:
        items = self._items[queue]
        item = heappop(items)[2]
        self._leave(queue, 1, is_empty=not items)
        return item

    def _leave(self, queue: QueueName, count: int, *, is_empty: bool) -> None:
        if is_empty:
            self._stamps[queue, True] += 1
        for name in self._tree.path(queue):
            self._waiting[name] -= count
            if not self._waiting[name]:
                self._stamps[name, False] += 1
