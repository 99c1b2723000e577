"""The attempts that hold devices, and what follows for other jobs from that they do."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from scheduler.core.deciding.neighbours import Neighbours
from scheduler.core.ledger.changes import Release
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.attempt import Allocation, Checkpoint
from scheduler.core.model.group import Group
from scheduler.core.model.identifiers import AttemptId
from scheduler.core.model.job import Job
from scheduler.core.queueing.arrays import MembersHolding


@dataclass(slots=True)
class LiveAttempt:
    """An attempt that holds devices, with its group and job as they are now."""

    attempt: AttemptId
    group: Group
    job: Job
    number: int
    generation: int
    allocations: tuple[Allocation, ...]
    checkpoint: Checkpoint | None = None
    """The newest of this attempt: what it did since is lost where it is stopped without saving."""


class LiveAttempts:
    """The attempts that hold something on a ledger, by id. What was handed out of it stays as it was."""

    def __init__(self, ledger: Ledger) -> None:
        self.neighbours = Neighbours()
        """The same attempts, by the labels of their jobs."""
        self.members_holding = MembersHolding()
        """Of arrays of which only so many may."""
        self._ledger = ledger
        self._by_id: dict[AttemptId, LiveAttempt] = {}

    @property
    def by_id(self) -> Mapping[AttemptId, LiveAttempt]:
        """All of them, for reading."""
        return self._by_id

    def hold(
        self, group: Group, job: Job, attempt: AttemptId, generation: int, allocations: tuple[Allocation, ...]
    ) -> None:
        """Let an attempt of a job's group hold what it holds in truth. Raises as `Ledger.restore` does."""
        held = tuple(map(self._ledger.named, allocations))
        self._ledger.restore(attempt, job.tenant, held)
        self._by_id[attempt] = LiveAttempt(attempt, group, job, group.attempts, generation, held)
        self.members_holding.take(job)
        self.neighbours.place(job, attempt)

    def keep_checkpoint(self, attempt: AttemptId, checkpoint: Checkpoint | None) -> None:
        """Remember an attempt's newest checkpoint; without effect where there is none, or it holds nothing any more."""
        live = self._by_id.get(attempt)
        if live is not None and checkpoint is not None:
            self._by_id[attempt] = replace(live, checkpoint=checkpoint)

    def put_job(self, attempt: AttemptId, job: Job) -> None:
        """Take over a job as it is now for an attempt; without effect where that holds nothing."""
        if (live := self._by_id.get(attempt)) is not None:
            self._by_id[attempt] = replace(live, job=job)

    def put_group(self, live: LiveAttempt, group: Group) -> None:
        """Take over a group as it is now for its attempt."""
        self._by_id[live.attempt] = replace(live, group=group)

    def release(self, live: LiveAttempt) -> None:
        """Let an attempt hold nothing any more."""
        self._ledger.apply(Release(live.attempt))
        del self._by_id[live.attempt]
        self.members_holding.give(live.job)
        self.neighbours.leave(live.job, live.attempt)
