"""The attempts that hold devices, and what follows for other jobs from that they do."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from scheduler.core.deciding.parts.losses import Losses
from scheduler.core.deciding.parts.neighbours import Neighbours
from scheduler.core.deciding.parts.occupants import Occupants
from scheduler.core.deciding.parts.sizes import Sizes
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.attempt import (
    FIRST_GENERATION,
    NEVER_RESIZED,
    Allocation,
    Attempt,
    Checkpoint,
    ResizeStep,
    Resizing,
)
from scheduler.core.model.change import GroupPlaced
from scheduler.core.model.group import Group, State
from scheduler.core.model.identifiers import AttemptId
from scheduler.core.model.job import Job
from scheduler.core.model.sharing.eviction import Eviction, GivenTo
from scheduler.core.queueing.arrays import MembersHolding

_GOING = "-"
"""Ends the name by which workers of an attempt hold something that are too many. No attempt's name ends so."""


def going_of(attempt: AttemptId) -> AttemptId:
    """Return the name by which the ledger holds what workers of an attempt have that are too many until they are gone.

    It comes free by itself, whatever becomes of the others.
    """
    return f"{attempt}{_GOING}"


def whose_going(name: AttemptId) -> AttemptId:
    """Return the attempt of such a name, and any other name as it is."""
    return name.removesuffix(_GOING)


@dataclass(slots=True)
class LiveAttempt:
    """An attempt that holds devices, with its group and job as they are now."""

    attempt: AttemptId
    group: Group
    job: Job
    generation: int
    allocations: tuple[Allocation, ...]
    since: datetime
    """When it came into the state it is in, as far as is known: placed, running or stopping."""
    checkpoint: Checkpoint | None = None
    """The newest of this attempt: what it did since is lost where it is stopped without saving."""
    placed_at: datetime | None = None
    """When it was placed; None: as far as is known, when it came into its state."""

    resizing: Resizing = NEVER_RESIZED
    eviction: Eviction | None = None
    """For whom it is being stopped, where it is for somebody."""
    stop_by: datetime | None = None
    """When it is stopped if somebody then needs the room, which is kept for others; None: it took none of that."""
    is_hurried: bool = False
    """Its user asked for more workers since it was last given another size: it need not wait for that."""

    @classmethod
    def of(cls, attempt: Attempt, group: Group, job: Job) -> Self:
        """Return an attempt as it was read, of a group and a job as they are now."""
        held, since = attempt.allocations, attempt.started_at or attempt.placed_at
        found = (
            attempt.generation,
            held,
            since,
            attempt.checkpoint,
            attempt.placed_at,
            attempt.resizing,
            attempt.eviction,
            attempt.stop_by,
        )
        return cls(attempt.id, group, job, *found)

    @classmethod
    def begun(cls, placed: GroupPlaced, group: Group, job: Job, at: datetime) -> Self:
        """Return a new attempt, of a group and a job as they are now."""
        held = placed.allocations
        return cls(placed.attempt, group, job, FIRST_GENERATION, held, at, placed_at=at, stop_by=placed.stop_by)

    @property
    def content(self) -> tuple[object, ...]:
        """What is true of it; since when, the feed and the database may say with other milliseconds."""
        resizing = replace(self.resizing, began_at=None)
        own = (self.generation, self.allocations, self.checkpoint, self.eviction, self.stop_by)
        return self.attempt, self.group, self.job, *own, resizing

    @property
    def held_since(self) -> datetime:
        """Since when it holds what it holds, as far as is known."""
        return self.placed_at or self.since

    @property
    def number(self) -> int:
        """Which attempt of its group it is, from 1."""
        return self.group.attempts

    @property
    def held(self) -> tuple[Allocation, ...]:
        """All that it holds: for its ranks, and for workers that are too many and not yet proven gone."""
        return self.allocations + self.resizing.surplus

    @property
    def is_resizing(self) -> bool:
        """Whether its gang is on its way to its latest generation."""
        return self.resizing.is_under_way(self.generation)

    @property
    def next_number(self) -> int:
        """The number that no worker of it ever had."""
        return max(self.resizing.numbers, len(self.allocations))

    @property
    def called_size(self) -> int:
        """How many workers it has in the generation that they were asked to be of last."""
        return sum(held.since <= self.resizing.called for held in self.allocations)

    def with_group(self, group: Group, since: datetime, eviction: Eviction | None) -> "LiveAttempt":
        """Return it with its group as it is now; spelt out, for it is asked for with each change of the feed."""
        held = (self.generation, self.allocations, since, self.checkpoint, self.placed_at)
        return LiveAttempt(self.attempt, group, self.job, *held, self.resizing, eviction, self.stop_by, self.is_hurried)

    @property
    def lent(self) -> tuple[Allocation, ...]:
        """What its last ranks hold that it got by growing, beyond the least workers that will do."""
        elastic, held = self.job.spec.elastic, self.allocations
        if elastic is None or held[-1].since == FIRST_GENERATION:
            return ()
        first = next(rank for rank, one in enumerate(held) if one.since > FIRST_GENERATION)
        return held[max(elastic.least, first) :]

    def resized(
        self, allocations: tuple[Allocation, ...], generation: int, at: datetime, given_to: GivenTo | None = None
    ) -> "LiveAttempt":
        """Return it as of the moment at which its next generation was decided on.

        Where nobody new has to start first, its workers are called to it at once.
        """
        stay = {allocation.worker for allocation in allocations}
        surplus = tuple(held for held in self.held if held.worker not in stay)
        comes = any(allocation.since == generation for allocation in allocations)
        called = self.resizing.called if comes else generation
        numbers = max(self.next_number, *(held.worker + 1 for held in allocations))
        resizing = Resizing(called, self.resizing.met, surplus, at, numbers, given_to)
        return replace(self, generation=generation, allocations=allocations, resizing=resizing, is_hurried=False)

    def advanced(self, step: ResizeStep, generation: int) -> "LiveAttempt":
        """Return it a step nearer to its latest generation."""
        match step:
            case ResizeStep.CALLED:
                changed = replace(self.resizing, called=generation)
            case ResizeStep.MET:
                changed = replace(self.resizing, met=generation)
            case ResizeStep.FREED:
                changed = replace(self.resizing, surplus=())
        return replace(self, resizing=changed)


class LiveAttempts:
    """The attempts that hold something on a ledger, by id. What was handed out of it stays as it was."""

    def __init__(self, ledger: Ledger) -> None:
        self._by_id: dict[AttemptId, LiveAttempt] = {}
        self.neighbours = Neighbours()
        """The same attempts, by the labels of their jobs."""
        self.members_holding = MembersHolding()
        """Of arrays of which only so many may."""
        self._ledger = ledger
        self.sizes = Sizes()
        """The same attempts, by the sizes they have and might have."""
        self.overtakers: dict[AttemptId, datetime] = {}
        """Those that run on room that is kept for others, with when they are to be stopped for them."""
        self.occupants = Occupants(ledger, self.by_id)
        """The same attempts, by where they are."""
        self.losses = Losses(ledger, self.by_id)
        """The same attempts, by what would be lost with them."""

    @property
    def by_id(self) -> Mapping[AttemptId, LiveAttempt]:
        """All of them, for reading."""
        return self._by_id

    def hold(self, live: LiveAttempt) -> None:
        """Let an attempt hold what it holds in truth. Raises as `Ledger.restore` does."""
        job, attempt = live.job, live.attempt
        live.allocations = tuple(map(self._ledger.named, live.allocations))
        self._restore(live)
        self._by_id[attempt] = live
        self.sizes.note(live)
        self._note_stop(live)
        self.occupants.come(live)
        self.losses.come(live)
        self.members_holding.take(job)
        self.neighbours.place(job, attempt)

    def keep_checkpoint(self, attempt: AttemptId, checkpoint: Checkpoint | None) -> None:
        """Remember an attempt's newest checkpoint; without effect where there is none, or it holds nothing any more."""
        live = self._by_id.get(attempt)
        if live is not None and checkpoint is not None:
            self._change(live, replace(live, checkpoint=checkpoint))

    def put_job(self, attempt: AttemptId, job: Job) -> None:
        """Take over a job as it is now for an attempt; without effect where that holds nothing."""
        if (live := self._by_id.get(attempt)) is not None:
            is_hurried = live.is_hurried or job.spec.workers > live.job.spec.workers
            after = replace(live, job=job, is_hurried=is_hurried)
            self._change(live, after)
            self.sizes.note(after)

    def put_group(self, live: LiveAttempt, group: Group, at: datetime, eviction: Eviction | None = None) -> None:
        """Take over a group as it is now for its attempt: since a time, where its state is another one.

        An `eviction` stays with the attempt to its end.
        """
        since = live.since if group.state is live.group.state else at
        after = live.with_group(group, since, eviction or live.eviction)
        self._change(live, after)
        self._note_stop(after)

    def _change(self, before: LiveAttempt, after: LiveAttempt) -> None:
        self._by_id[after.attempt] = after
        self.losses.change(before, after)

    def put(self, live: LiveAttempt) -> None:
        """Take over an attempt as it is now, which may hold more or less than it did."""
        before, live.allocations = self._by_id[live.attempt], tuple(map(self._ledger.named, live.allocations))
        if (before.allocations, before.resizing.surplus) != (live.allocations, live.resizing.surplus):
            self._give_back(live.attempt)
            self._restore(live)
            self.occupants.go(live.attempt)
        self._change(before, live)
        self.sizes.note(live)
        self.occupants.come(live)

    def _restore(self, live: LiveAttempt) -> None:
        self._ledger.restore(live.attempt, live.job.tenant, live.allocations, live.job.account)
        if live.resizing.surplus:
            surplus = tuple(map(self._ledger.named, live.resizing.surplus))
            account = live.job.account._replace(is_part=True)
            self._ledger.restore(going_of(live.attempt), live.job.tenant, surplus, account)

    def _give_back(self, attempt: AttemptId) -> None:
        self._ledger.release(attempt)
        if self._ledger.has_hold(going_of(attempt)):
            self._ledger.release(going_of(attempt))

    def _note_stop(self, live: LiveAttempt) -> None:
        if live.stop_by is not None and live.group.state is not State.STOPPING:
            self.overtakers[live.attempt] = live.stop_by
        else:
            self.overtakers.pop(live.attempt, None)

    def release(self, live: LiveAttempt) -> None:
        """Let an attempt hold nothing any more."""
        self._give_back(live.attempt)
        self.overtakers.pop(live.attempt, None)
        self.sizes.forget(live.attempt)
        self.losses.go(self._by_id.pop(live.attempt))
        self.occupants.go(live.attempt)
        self.members_holding.give(live.job)
        self.neighbours.leave(live.job, live.attempt)
