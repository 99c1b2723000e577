"""What came that gangs without a place may have lacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.queueing.gains import Gains

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.identifiers import ChipName, JobId, TenantName
    from scheduler.core.model.job import Job
    from scheduler.core.model.sharing.queue import QueueName, ResourceName


class News:
    """Of each thing the number of the latest change that brought it: whoever decides looks at what came since then."""

    __slots__ = ("arrays", "classes", "kept", "now", "pools", "queues", "shrunk", "tenants", "upheaval")

    def __init__(self) -> None:
        self.now = 0
        """The number of the change that is being followed."""
        self.upheaval = 0
        """When a cluster came or became another one: everything is to be asked anew."""
        self.classes: Gains[Class] = Gains()
        """With a member that is new, or may have what it could not have before."""
        self.pools: Gains[PoolName] = Gains()
        """With more room."""
        self.shrunk: Gains[ChipName | None] = Gains()
        """Of which there are fewer nodes, or smaller ones: what fitted when they were empty may never fit again."""
        self.queues: Gains[QueueName] = Gains()
        """That use less, or may use more."""
        self.kept: Gains[ResourceName] = Gains()
        """Of which less is kept back than before."""
        self.tenants: Gains[TenantName] = Gains()
        """Of which something ended."""
        self.arrays: Gains[JobId] = Gains()
        """Of which fewer jobs hold something."""

    def roomier(self, kind: NodeKind) -> None:
        """Note that a node of a kind has more room."""
        for chip in (None, *kind.group_of):
            self.pools.note((kind.cluster, chip), self.now)

    def smaller(self, kind: NodeKind) -> None:
        """Note that a node of a kind went, or became another one."""
        for chip in (None, *kind.group_of):
            self.shrunk.note(chip, self.now)

    def hopeful(self, waiting: Class | None) -> None:
        """Note that a member of a class may have what it could not have before; without effect where there is none."""
        if waiting is not None:
            self.classes.note(waiting, self.now)

    def freed(self, job: Job, path: Iterable[QueueName]) -> None:
        """Note that a job holds less than before, of a queue and of those that it is in."""
        for queue in path:
            self.queues.note(queue, self.now)
        self.tenants.note(job.tenant, self.now)
        member = job.spec.array
        if member is not None and member.most_at_once is not None:
            self.arrays.note(member.array, self.now)
