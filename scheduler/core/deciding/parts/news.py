"""What came that gangs without a place may have lacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.change import (
    CheckpointSaved,
    GroupMoved,
    GroupPlaced,
    ProgressReported,
    ReservationMade,
    WorkersNoted,
)
from scheduler.core.model.group import HOLDING, State
from scheduler.core.queueing.gains import Gains

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.change import Change, ChangeBody
    from scheduler.core.model.identifiers import ChipName, GroupId, JobId, TenantName
    from scheduler.core.model.job import Job
    from scheduler.core.model.sharing.queue import QueueName, ResourceName


class News:
    """Of each thing the number of the latest change that brought it: whoever decides looks at what came since then."""

    __slots__ = ("arrays", "classes", "kept", "now", "pools", "queues", "shrunk", "stirred", "tenants", "upheaval")

    def __init__(self) -> None:
        self.now = 0
        """The number of the change that is being followed."""
        self.stirred = 0
        """The latest change after which somebody may have what he had not before; what comes after it concerns nobody
        who waits."""
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

    def follow(self, change: Change, promised: Container[GroupId]) -> None:
        """Let a change be the one that is followed, while room is kept for those that are `promised` some."""
        self.now = change.number
        if not _is_quiet(change.body, promised):
            self.stirred = change.number

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


def _is_quiet(body: ChangeBody, promised: Container[GroupId]) -> bool:
    """Say whether nobody who waits, or has room kept, can be concerned by a change."""
    match body:
        case GroupMoved(group=group):
            return group.state in HOLDING and group.state is not State.STOPPING
        case GroupPlaced(group=group):
            return group.id not in promised
        case CheckpointSaved() | WorkersNoted() | ProgressReported() | ReservationMade():
            return True
        case _:
            return False
