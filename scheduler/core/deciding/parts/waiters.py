"""The groups that wait: each by its name, by what it asks for, and by when it may be tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scheduler.core.deciding.parts.tally import asked_devices_milli
from scheduler.core.queueing.classes import WaitingClass, WaitingClasses
from scheduler.core.queueing.queued import Queued

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from scheduler.core.model.group import Group
    from scheduler.core.model.identifiers import GroupId, JobId
    from scheduler.core.model.job import Job
    from scheduler.core.model.sharing.queue import QueueName
    from scheduler.core.placement.request import GangRequest
    from scheduler.core.queueing.order import QueueKey


class Asked(NamedTuple):
    """What makes waiting gangs alike."""

    request: GangRequest
    """What they ask of placement."""
    array: JobId | None
    """Theirs, where only so many of that may run at a time."""
    user: str | None = None
    """Whose they are, where only so many of each user may run at a time."""


Class = WaitingClass[Asked]


def queue_of(found: Class) -> QueueName:
    """Return the queue in which all members of a class wait."""
    return found.asked.request.queue


class Waiters:
    """The queued groups."""

    __slots__ = ("_by_id", "_delayed", "classes", "queued")

    def __init__(self) -> None:
        self.classes: WaitingClasses[Asked] = WaitingClasses()
        self.queued = Queued()
        """The same groups, by the queues they wait in."""
        self._by_id: dict[GroupId, Group] = {}
        self._delayed: dict[GroupId, datetime] = {}

    @property
    def by_id(self) -> Mapping[GroupId, Group]:
        """All of them, in no order that means anything."""
        return self._by_id

    def put(self, group: Group, job: Job, request: GangRequest, key: QueueKey, *, by_user: bool = False) -> Class:
        """Let a group wait, or wait as somebody else than before; return its class.

        `by_user`: only so many of each user of its queue may run at a time.
        """
        member = job.spec.array
        limited = member.array if member is not None and member.most_at_once is not None else None
        self._by_id[group.id] = group
        if group.not_before is None:
            self._delayed.pop(group.id, None)
        else:
            self._delayed[group.id] = group.not_before
        self.queued.put(group.id, job.queue, key, asked_devices_milli(job.spec))
        return self.classes.join(group.id, Asked(request, limited, job.submitted_by if by_user else None), key)

    def move(self, group: GroupId, key: QueueKey) -> None:
        """Let a group stand elsewhere in its queue, in its class. Raises KeyError where it does not wait."""
        if self.queued.move(group, key):
            self.classes.move(group, key)

    def remove(self, group: GroupId) -> None:
        """Let a group wait no longer. Raises KeyError where it does not."""
        del self._by_id[group]
        self._delayed.pop(group, None)
        self.classes.leave(group)
        self.queued.remove(group)

    def due(self, after: datetime, until: datetime) -> Iterator[Class]:
        """Yield the classes of groups whose time of waiting ends after one moment and not after another."""
        for group, ends in self._delayed.items():
            found = self.classes.of(group)
            if after < ends <= until and found is not None:
                yield found

    def next_due(self, now: datetime) -> datetime | None:
        """Return when the next back-off ends, None where no waiting group is backing off."""
        return min((ends for ends in self._delayed.values() if ends > now), default=None)
