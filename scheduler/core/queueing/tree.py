"""The tree of queues, true by construction."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from scheduler.core.model.sharing.queue import MOST_DEPTH, MOST_WEIGHT, BadTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler.core.model.sharing.queue import Queue, QueueName


class UnknownParent(BadTree):
    """A queue is in one that does not exist."""


class CycleInQueues(BadTree):
    """Queues are within each other."""


class BadWeight(BadTree):
    """A weight is no whole number from 1 to the most."""


class ForeignParent(BadTree):
    """A queue is in one of a tenant that is not its own."""


class QueueTree:
    """Queues by their names. Immutable: another tree is made of other queues."""

    __slots__ = ("_children", "_paths", "_queues")

    def __init__(self, queues: Iterable[Queue] = ()) -> None:
        """Raise BadTree where they make no tree: see its subclasses. Of the same name the last one counts."""
        self._queues: dict[QueueName, Queue] = {queue.name: queue for queue in queues}
        self._children: defaultdict[QueueName | None, list[QueueName]] = defaultdict(list)
        for name, queue in sorted(self._queues.items()):
            if not 1 <= queue.weight <= MOST_WEIGHT:
                raise BadWeight(f"the weight of queue {name} is {queue.weight}; it is 1 to {MOST_WEIGHT}")
            if queue.parent is not None and queue.parent not in self._queues:
                raise UnknownParent(f"queue {name} is in {queue.parent}, and there is no such queue")
            _check_tenant(queue, self._queues.get(queue.parent or ""))
            self._children[queue.parent].append(name)
        self._paths = {name: self._path(name) for name in self._queues}

    def _path(self, name: QueueName) -> tuple[QueueName, ...]:
        path = [name]
        while (parent := self._queues[path[-1]].parent) is not None:
            if parent in path:
                circle = [*path[path.index(parent) :], parent]
                raise CycleInQueues(f"queue {parent} is within itself: {' in '.join(circle)}")
            path.append(parent)
        if len(path) > MOST_DEPTH:
            raise BadTree(f"queue {name} is {len(path)} levels deep; {MOST_DEPTH} are the most")
        return tuple(path)

    @property
    def queues(self) -> Mapping[QueueName, Queue]:
        """All of them."""
        return self._queues

    @property
    def paths(self) -> Mapping[QueueName, tuple[QueueName, ...]]:
        """Each queue with all that it is in, itself first."""
        return self._paths

    def path(self, name: QueueName) -> tuple[QueueName, ...]:
        """Return a queue and those that it is in, itself first. Raises KeyError."""
        return self._paths[name]

    def children(self, name: QueueName | None) -> tuple[QueueName, ...]:
        """Return the queues directly in one, by name; None: those at the top."""
        return tuple(self._children.get(name, ()))


def _check_tenant(queue: Queue, parent: Queue | None) -> None:
    if parent is not None and parent.tenant not in (None, queue.tenant):
        whose = "no tenant's" if queue.tenant is None else f"tenant {queue.tenant}'s"
        raise ForeignParent(
            f"queue {parent.name} is tenant {parent.tenant}'s, and {queue.name} would be {whose}: all queues in a "
            "tenant's queue are that tenant's"
        )
