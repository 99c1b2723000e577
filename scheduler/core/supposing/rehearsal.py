"""A state as it would be: changed on trial, and put back newest change first."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from scheduler.core.deciding.parts.live import LiveAttempt, going_of
from scheduler.core.ledger.changes import Hold, PutNode, Release, Restore
from scheduler.core.model.attempt import FIRST_GENERATION
from scheduler.core.model.group import State
from scheduler.core.model.job import Wish

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.changes import LedgerChange
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.group import Group
    from scheduler.core.model.identifiers import AttemptId
    from scheduler.core.model.node import Node
    from scheduler.core.model.sharing.queue import Shares


class Rehearsal:
    """Changes of a state that nobody else is told of; the `with` block's end takes all of them back, however it ends.

    Nobody who waits is taken out of the queue, for those who decide know the classes of gangs by what they are: who
    is placed is among those that hold something, and still waits.
    """

    def __init__(self, state: SchedulerState, now: datetime) -> None:
        self._state = state
        self._now = now
        self._undo = ExitStack()
        self.stopped: dict[AttemptId, LiveAttempt] = {}
        """The attempts that had to leave."""
        self.shrunk: dict[AttemptId, LiveAttempt] = {}
        """Those that go on with fewer workers, as they do."""
        self.placed: dict[AttemptId, LiveAttempt] = {}
        """The attempts that were made."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    def put_node(self, node: Node) -> None:
        """Let there be a node, or let one be another."""
        ledger, tally = self._state.ledger, self._state.tally
        before = ledger.node(node.id) if ledger.has_node(node.id) else None
        self._apply(PutNode(node))
        tally.put_node(before, node)
        self._undo.callback(tally.put_node, node, before)

    def share(self, shares: Shares) -> None:
        """Let queues and quotas be these. Raises BadTree."""
        sharing = self._state.sharing
        self._undo.callback(sharing.suppose, sharing.suppose(shares))

    def stop(self, live: LiveAttempt) -> None:
        """Let an attempt hold nothing any more; its gang waits again, if it is to run."""
        state, job = self._state, live.job
        self._work_out()
        for name in filter(state.ledger.has_hold, (live.attempt, going_of(live.attempt))):
            self._apply(Release(name))
        self.stopped[live.attempt] = live
        state.losses.go(live)
        self._undo.callback(state.losses.come, live)
        state.occupants.go(live.attempt)
        self._undo.callback(state.occupants.come, live)
        state.sizes.forget(live.attempt)
        self._undo.callback(state.sizes.note, live)
        state.members_holding.give(job)
        self._undo.callback(state.members_holding.take, job)
        state.neighbours.leave(job, live.attempt)
        self._undo.callback(state.neighbours.place, job, live.attempt)
        if job.wish is Wish.RUN:
            self._queue(replace(live.group, state=State.QUEUED, stop_reason=None, not_before=None), live)

    def shrink(self, live: LiveAttempt, kept: tuple[Allocation, ...], generation: int) -> LiveAttempt:
        """Let an attempt go on with what some of its workers hold; return it as it is then. The others are gone."""
        after = replace(live, allocations=kept, generation=generation)
        self._work_out()
        self._apply(Release(live.attempt))
        self._apply(Restore(live.attempt, live.job.tenant, kept, live.job.account))
        self._undo.callback(self._know, after, live)
        self._know(live, after)
        self.shrunk[live.attempt] = after
        return after

    def _know(self, before: LiveAttempt, after: LiveAttempt) -> None:
        state = self._state
        state.losses.change(before, after)
        state.occupants.go(before.attempt)
        state.occupants.come(after)
        state.sizes.note(after)

    def _work_out(self) -> None:
        """Work out what is so when it is first asked for, before anybody is missing from it."""
        self._state.losses.on_node("")
        self._state.occupants.of(("", None))

    def _queue(self, group: Group, live: LiveAttempt) -> None:
        state, job = self._state, live.job
        key, by_user = state.order.key(job, group), state.sharing.limits_users(job.queue)
        request = state.request(job.id)
        self._undo.callback(state.waiters.remove, group.id)
        state.waiters.put(group, job, request, key, by_user=by_user)
        state.tally.wait(job, group, self._now)
        self._undo.callback(state.tally.leave, job, group)

    def place(self, group: Group, allocations: tuple[Allocation, ...]) -> None:
        """Let a gang that waits hold something. Raises Overcommitted."""
        state, attempt, job = self._state, group.next_attempt, self._state.jobs[group.job_id]
        self._apply(Hold(attempt, job.tenant, allocations, job.account))
        placed = replace(group, state=State.PLACED, attempts=group.attempts + 1)
        since = self._now
        self.placed[attempt] = LiveAttempt(attempt, placed, job, FIRST_GENERATION, allocations, since, placed_at=since)
        state.members_holding.take(job)
        self._undo.callback(state.members_holding.give, job)
        state.neighbours.place(job, attempt)
        self._undo.callback(state.neighbours.leave, job, attempt)

    def _apply(self, change: LedgerChange) -> None:
        ledger = self._state.ledger
        self._undo.callback(ledger.apply, ledger.apply(change))
