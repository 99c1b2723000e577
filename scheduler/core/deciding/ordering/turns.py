"""The order at one moment: who comes before whom, and a line to take them out of one by one."""

from __future__ import annotations

from heapq import nsmallest
from math import inf
from typing import TYPE_CHECKING, TypeVar

from scheduler.core.deciding.ordering.siblings import Siblings
from scheduler.core.deciding.parts.waiters import queue_of
from scheduler.core.model.asking.grounds import QueueShare, Standing
from scheduler.core.queueing.lines import FairLine, FirstComeLine

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from scheduler.core.deciding.ordering.shares import Capacity, Shares
    from scheduler.core.deciding.parts.tally import Tally
    from scheduler.core.deciding.parts.waiters import Class, Waiters
    from scheduler.core.model.identifiers import GroupId
    from scheduler.core.model.job import Job
    from scheduler.core.model.sharing.queue import QueueName
    from scheduler.core.queueing.lines import Line, Rank
    from scheduler.core.queueing.order import QueueKey
    from scheduler.core.queueing.policies.ordering import Ordering

Item = TypeVar("Item")
Turn = tuple[object, ...]
"""Compared with other turns of the same moment: the smaller one is first."""


class Turns:
    """Who is first, by what queues hold now; whoever changes that says so with `changed`."""

    def __init__(self, ordering: Ordering, shares: Shares, tally: Tally, waiters: Waiters, now: datetime) -> None:
        self._ordering = ordering
        self._has_shares = ordering.has_shares
        self._shares = shares
        self._tally = tally
        self._waiters = waiters
        self._now = now
        self._capacity: Capacity | None = None
        self._ranks: dict[tuple[QueueName, bool], float] = {}
        """What queues are sorted by; True: what is directly in one."""
        self._ways: dict[QueueName, tuple[tuple[object, ...], ...]] = {}
        """From the root down to a queue and to what is directly in it: what each step is sorted by."""
        self._siblings: Siblings | None = None
        self._children: dict[QueueName | None, dict[QueueName, None]] | None = None
        """The queues in which somebody waits, by the one that they are directly in."""
        self.version = 0
        """Grows where turns may have become other ones."""

    def line(self, waiting: Iterable[tuple[QueueName, QueueKey, Item]]) -> Line[Item]:
        """Return a line of those who wait in queues, by their keys there; it is to be told of changes too."""
        if not self._has_shares:
            return FirstComeLine(waiting)
        return FairLine(self._shares.queues, self._rank, self._own_rank, waiting)

    def of(self, found: Class) -> Turn:
        """Return the turn of the first member of a class."""
        if not self._has_shares:
            return found.first
        queue = queue_of(found)
        way = self._ways.get(queue)
        if way is None:
            way = self._ways[queue] = self._way(queue)
        return (way, found.first)

    def changed(self, queue: QueueName) -> None:
        """Take note that a queue holds more, or less, than before."""
        if self._has_shares:
            for name in self._shares.queues.path(queue):
                self._ranks.pop((name, False), None)
                self._ranks.pop((name, True), None)
            self._ways.clear()
            self._siblings = None
            self.version += 1

    def share(self, queue: QueueName) -> float:
        """Return what a queue has, as a part of the cluster: now and lately, of what it has most of."""
        return self._shares.share(queue, self.capacity, self._now)

    @property
    def capacity(self) -> Capacity:
        """What there is of each chip type, in thousandths of devices."""
        if self._capacity is None:
            self._capacity = self._shares.capacity(self._tally)
        return self._capacity

    def standing(self, job: Job, group: GroupId) -> Standing:
        """Return what the place of a waiting group rests on. Raises KeyError where it does not wait."""
        queue, key = self._waiters.queued.place(group)
        return self.standing_at(job, queue, key)

    def standing_at(self, job: Job, queue: QueueName, key: QueueKey) -> Standing:
        """Return what a place in a queue rests on that a job has, or would have."""
        ordering, level = self._ordering, key[1]
        path = self._shares.queues.path(queue) if self._has_shares else ()
        return Standing(
            policy=ordering.policy.name,
            queue=queue,
            place=self._waiters.queued.ahead_in(queue, key) + 1,
            priority=job.spec.priority,
            age_s=max(0.0, (self._now - job.submitted_at).total_seconds()),
            shares=tuple(map(self._share_of, path)),
            ageing_s=ordering.ageing_s,
            level=level if ordering.learns and level != inf else None,
        )

    def siblings_of(self, queue: QueueName, most: int) -> tuple[QueueShare, ...]:
        """Return the queues beside one, and beside each that it is in, in which somebody waits.

        Of each so many at most, those that are due most first; none where queues do not come before gangs.
        """
        if not self._has_shares:
            return ()
        path = self._shares.queues.path(queue)
        found: list[QueueShare] = []
        for child, parent in zip(path, (*path[1:], None), strict=True):
            others = (name for name in self._beside(parent) if name != child)
            found += map(self._share_of, nsmallest(most, others, key=lambda name: (self._rank(name), name)))
        return tuple(found)

    def _beside(self, parent: QueueName | None) -> Iterable[QueueName]:
        """Return the queues directly in one in which somebody waits; None: those at the top."""
        if self._children is None:
            self._children = {}
            for name in self._waiters.queued.queues:
                path = self._shares.queues.path(name)
                for child, above in zip(path, (*path[1:], None), strict=True):
                    self._children.setdefault(above, {})[child] = None
        return self._children.get(parent, ())

    def _share_of(self, queue: QueueName) -> QueueShare:
        weight = self._shares.queues.weight(queue)
        return QueueShare(queue, self._rank(queue)[0] * weight, weight)

    def _rank(self, queue: QueueName) -> Rank:
        rank = self._ranks.get((queue, False))
        if rank is None:
            rank = self._ranks[queue, False] = self.share(queue) / self._shares.queues.weight(queue)
        return (rank,)

    def _own_rank(self, queue: QueueName) -> Rank:
        if not self._shares.queues.children(queue):
            return (0.0,)  # nobody else is in it
        rank = self._ranks.get((queue, True))
        if rank is None:
            rank = self._ranks[queue, True] = self._shares.own_share(queue, self.capacity, self._now)
        return (rank,)

    def _way(self, queue: QueueName) -> tuple[tuple[object, ...], ...]:
        path = self._shares.queues.path(queue)
        return (*((self._rank(name), name, False) for name in reversed(path)), (self._own_rank(queue), queue, True))

    def ahead_of(self, group: GroupId) -> int:
        """Return how many come before a group that waits. Raises KeyError where it does not."""
        return self.ahead(*self._waiters.queued.place(group))

    def ahead(self, queue: QueueName, key: QueueKey) -> int:
        """Return how many come before a place in a queue.

        Where queues take turns it is how many would, if each that is before it got what it asks for: an estimate.
        """
        queued = self._waiters.queued
        if not self._has_shares:
            return sum(each.ahead_of(key) for each in queued.queues.values())
        if self._siblings is None:
            self._siblings = Siblings(self._shares.queues, queued.queues, self._place_of, sum(self.capacity.values()))
        return self._siblings.ahead(queue, queued.ahead_in(queue, key))

    def _place_of(self, queue: QueueName, is_own: bool) -> tuple[float, int]:  # noqa: FBT001 - one half of a name
        if is_own:
            return self._own_rank(queue)[0], 1
        return self._rank(queue)[0], self._shares.queues.weight(queue)
