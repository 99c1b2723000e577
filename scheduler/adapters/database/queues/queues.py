"""The queues on a database."""

from collections.abc import Callable
from datetime import datetime
from typing import Self

from scheduler.adapters.database.engine import Engines
from scheduler.adapters.database.queues import quota_writes, reading, tree_writes
from scheduler.adapters.database.transaction import Transaction
from scheduler.adapters.database.writer import Writer
from scheduler.core.model.access.audit import Actor
from scheduler.core.model.sharing.queue import ChipGroup, Queue, QueueName, QueueQuota, ResourceName
from scheduler.ports.journal import Guard, unguarded


class DatabaseQueues:
    """Queues with their quotas (ports.queues)."""

    def __init__(self, engines: Engines, writer: Writer, actor: Actor | None = None) -> None:
        self._engines = engines
        self._writer = writer
        self._actor = actor

    def acting(self, actor: Actor) -> Self:
        """Return the queues whose writes are in somebody's name."""
        return type(self)(self._engines, self._writer, actor)

    def queue(self, name: QueueName) -> Queue | None:
        """Return a queue, None where there is none of that name."""
        with self._engines.read() as connection:
            return reading.read_queue(connection, name)

    def queues(self, *, after: QueueName | None = None, limit: int | None = None) -> list[Queue]:
        """Return queues by name, those after one."""
        with self._engines.read() as connection:
            return reading.read_queues(connection, after=after, limit=limit)

    def set_queue(self, queue: Queue, at: datetime, guard: Guard = unguarded) -> None:
        """Add a queue, or let it be another one. Raises as the port says."""
        self._write(lambda transaction: tree_writes.set_queue(transaction, queue, at, guard))

    def remove_queue(self, name: QueueName, at: datetime, guard: Guard = unguarded) -> None:
        """Remove a queue with its quotas. Raises DoesNotExist, InUse, and what the guard does."""
        self._write(lambda transaction: tree_writes.remove_queue(transaction, name, at, guard))

    def quotas(self, queue: QueueName) -> list[QueueQuota]:
        """Return the quotas of a queue by resource."""
        with self._engines.read() as connection:
            return reading.read_quotas(connection, queue)

    def set_quota(self, quota: QueueQuota, at: datetime, guard: Guard = unguarded) -> None:
        """Set what a queue may have of a resource. Raises DoesNotExist, ContradictoryQuota, what the guard does."""
        self._write(lambda transaction: quota_writes.set_quota(transaction, quota, at, guard))

    def lift_quota(self, queue: QueueName, resource: ResourceName, at: datetime, guard: Guard = unguarded) -> None:
        """Remove a quota. Raises DoesNotExist, and what the guard does."""
        self._write(lambda transaction: quota_writes.lift_quota(transaction, (queue, resource), at, guard))

    def chip_groups(self) -> list[ChipGroup]:
        """Return the groups of chip types by name."""
        with self._engines.read() as connection:
            return reading.read_chip_groups(connection)

    def set_chip_group(self, group: ChipGroup, at: datetime, guard: Guard = unguarded) -> None:
        """Add a group, or let it have other chip types. Raises DoesNotExist, AlreadyExists, what the guard does."""
        self._write(lambda transaction: quota_writes.set_chip_group(transaction, group, at, guard))

    def remove_chip_group(self, name: str, at: datetime, guard: Guard = unguarded) -> None:
        """Remove a group. Raises DoesNotExist, InUse, and what the guard does."""
        self._write(lambda transaction: quota_writes.remove_chip_group(transaction, name, at, guard))

    def _write(self, function: Callable[[Transaction], None]) -> None:
        self._writer.call(function, self._actor)
