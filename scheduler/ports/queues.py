"""Queues with their quotas: who shares with whom, and what each is due and may have."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, Self

from scheduler.core.model.access.audit import Actor
from scheduler.core.model.sharing.queue import ChipGroup, Queue, QueueName, QueueQuota, ResourceName
from scheduler.ports.journal import Guard, unguarded


class Queues(Protocol):
    """Every write is durable and in the change feed when it returns. Any may raise StorageUnavailable."""

    def acting(self, actor: Actor) -> Self:
        """Return the queues whose writes are in somebody's name."""
        ...

    def queue(self, name: QueueName) -> Queue | None:
        """Return a queue, None where there is none of that name."""
        ...

    def queues(self, *, after: QueueName | None = None, limit: int | None = None) -> Sequence[Queue]:
        """Return queues by name, those after one."""
        ...

    def set_queue(self, queue: Queue, at: datetime, guard: Guard = unguarded) -> None:
        """Add a queue, or let it be another one. Its tenant stays.

        Raises DoesNotExist (the tenant), AlreadyExists (it is another tenant's), BadTree, ContradictoryQuota (where it
        is moved to, more would be guaranteed than there is), and what the guard does.
        """
        ...

    def remove_queue(self, name: QueueName, at: datetime, guard: Guard = unguarded) -> None:
        """Remove a queue with its quotas. Raises DoesNotExist, InUse (jobs, queues in it, a tenant), the guard's."""
        ...

    def quotas(self, queue: QueueName) -> Sequence[QueueQuota]:
        """Return the quotas of a queue by resource."""
        ...

    def set_quota(self, quota: QueueQuota, at: datetime, guard: Guard = unguarded) -> None:
        """Set what a queue may have of a resource; what is held above it already stays held.

        Raises DoesNotExist (the queue, the resource), ContradictoryQuota, and what the guard does.
        """
        ...

    def lift_quota(self, queue: QueueName, resource: ResourceName, at: datetime, guard: Guard = unguarded) -> None:
        """Remove a quota. Raises DoesNotExist, and what the guard does."""
        ...

    def chip_groups(self) -> Sequence[ChipGroup]:
        """Return the groups of chip types by name."""
        ...

    def set_chip_group(self, group: ChipGroup, at: datetime, guard: Guard = unguarded) -> None:
        """Add a group, or let it have other chip types.

        Raises DoesNotExist (a chip type), AlreadyExists (a chip type has its name), and what the guard does.
        """
        ...

    def remove_chip_group(self, name: str, at: datetime, guard: Guard = unguarded) -> None:
        """Remove a group. Raises DoesNotExist, InUse (a quota counts it), and what the guard does."""
        ...
