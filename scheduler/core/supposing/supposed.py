"""Suppositions, each made true on a rehearsal, with what there is more of by them and who has to leave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scheduler.core.model.asking.consequences import LeavingCause
from scheduler.core.model.asking.suppositions import (
    MOST_NODES,
    AddNodes,
    CannotSuppose,
    DrainNodes,
    NothingSupposed,
    SetQuota,
    SetWeight,
    TooMuchSupposed,
    UnknownSubject,
)
from scheduler.core.model.node import NodeState
from scheduler.core.model.sharing.queue import COMPUTE, Shares, check_quota
from scheduler.core.queueing.quota import check_guarantees
from scheduler.core.supposing.naming import nodes_to_add, nodes_to_drain
from scheduler.core.supposing.turns import Gained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.asking.suppositions import Supposition
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import GroupId, NodeId
    from scheduler.core.model.sharing.eviction import GivenTo
    from scheduler.core.model.sharing.queue import QueueName, QueueQuota
    from scheduler.core.supposing.rehearsal import Rehearsal
    from scheduler.core.supposing.turns import Taken


@dataclass(frozen=True, slots=True)
class Gone:
    """An attempt that has to leave, and why."""

    live: LiveAttempt
    cause: LeavingCause
    beneficiary: GroupId | None = None
    """The gang that it is stopped for."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """An attempt that goes on with fewer workers for another gang."""

    live: LiveAttempt
    """As it is."""
    after: LiveAttempt
    """With what it keeps."""
    given_to: GivenTo

    @property
    def gives(self) -> tuple[Allocation, ...]:
        """What its last ranks hold now."""
        return self.live.allocations[len(self.after.allocations) :]


class Supposed:
    """Suppositions, one after the other, on a state that is put back by whoever made the rehearsal."""

    def __init__(self, state: SchedulerState, rehearsal: Rehearsal) -> None:
        self._state = state
        self._rehearsal = rehearsal
        self.gained = Gained.nothing()
        self.gone: list[Gone] = []
        self.shrunk: list[Shrunk] = []
        self.drained: list[NodeId] = []
        self.added = 0
        self._changed = False

    def suppose(self, suppositions: Sequence[Supposition]) -> None:
        """Let all of them be so. Raises CannotSuppose, which says of which one; ContradictoryQuota, BadTree."""
        for at, each in enumerate(suppositions):
            try:
                self._one(each, at + 1)
            except CannotSuppose as error:
                error.at = at
                raise
        if not self._changed:
            raise NothingSupposed("all of it is so already")

    def _one(self, supposition: Supposition, number: int) -> None:
        match supposition:
            case DrainNodes():
                self._drain(supposition)
            case AddNodes():
                self._add(supposition, number)
            case SetQuota(quota):
                self._set_quota(quota)
            case SetWeight(queue, weight):
                self._set_weight(queue, weight)

    def _drain(self, drain: DrainNodes) -> None:
        nodes = nodes_to_drain(self._state.ledger, drain)
        if len(self.drained) + len(nodes) > MOST_NODES:
            raise TooMuchSupposed(f"more than {MOST_NODES:,} nodes would be drained in all")
        self._changed = True
        drained = {node.id for node in nodes}
        leaving = [] if drain.runs_on else self._on(drained)
        for live in leaving:
            self._leave(live, LeavingCause.DRAIN)
        for node in nodes:
            self._rehearsal.put_node(replace(node, state=NodeState.DRAINED))
        for live in leaving:
            self._note_room(live)
        self.drained += sorted(drained)

    def _on(self, nodes: set[NodeId]) -> list[LiveAttempt]:
        """Return the attempts that run on and hold something of some nodes, by id."""
        losses, live = self._state.losses, self._state.live
        found = dict.fromkeys(attempt for node in sorted(nodes) for attempt in losses.on_node(node))
        return [live[attempt] for attempt in sorted(found)]

    def _leave(self, live: LiveAttempt, cause: LeavingCause, beneficiary: GroupId | None = None) -> None:
        self._rehearsal.stop(live)
        self.gone.append(Gone(live, cause, beneficiary))
        self.gained.groups[live.group.id] = None

    def _note_room(self, live: LiveAttempt) -> None:
        """Note what others may have that an attempt held: what is on drained nodes is for nobody."""
        ledger, book = self._state.ledger, self._state.sharing.book
        for node in dict.fromkeys(held.node for held in live.held):
            if (kind := ledger.kind_of(node)).takes_work:
                self.gained.room_on(kind)
        if book.rules_on_path(live.job.queue) or any(book.kept_resources) or self._state.sharing.limits_running:
            self.gained.queues |= dict.fromkeys(book.path(live.job.queue))

    def _add(self, add: AddNodes, number: int) -> None:
        if self.added + add.count > MOST_NODES:
            raise TooMuchSupposed(f"more than {MOST_NODES:,} nodes would be added in all")
        nodes = nodes_to_add(self._state.ledger, add, number)
        for node in nodes:
            if self._state.ledger.has_node(node.id):
                raise CannotSuppose(f"there is a node {node.id} already")
            self._rehearsal.put_node(node)
        self.gained.room_on(self._state.ledger.kind_of(nodes[0].id))
        self.added += len(nodes)
        self._changed = True

    def _set_quota(self, quota: QueueQuota) -> None:
        sharing = self._state.sharing
        if quota.queue not in sharing.tree.queues:
            raise UnknownSubject(f"there is no queue {quota.queue}")
        if quota.resource not in (COMPUTE, *self._state.chips, *sharing.groups):
            raise UnknownSubject(f"there is no chip type, and no group of them, named {quota.resource}")
        check_quota(quota)
        if sharing.quotas.get((quota.queue, quota.resource)) == quota:
            return
        quotas = {**sharing.quotas, (quota.queue, quota.resource): quota}
        of_resource = [one for one in quotas.values() if one.resource == quota.resource]
        check_guarantees(sharing.tree, of_resource, capacity=self._capacity(quota))
        self._share(Shares(tuple(sharing.queues.values()), tuple(quotas.values()), tuple(sharing.groups.values())))
        self.gained.queues |= dict.fromkeys(sharing.book.path(quota.queue))
        if quota.kept_back or any(sharing.book.kept_resources):
            self.gained.queues |= dict.fromkeys(sharing.tree.queues)

    def _capacity(self, quota: QueueQuota) -> int | None:
        """Return how much there is of a quota's resource; None where no more is guaranteed than before."""
        present = self._state.sharing.quotas.get((quota.queue, quota.resource))
        if quota.guaranteed <= (0 if present is None else present.guaranteed):
            return None
        weights = self._state.sharing.book.worth(quota.resource)
        counts = self._state.tally.capacity()
        return sum((one.usable + one.unusable + one.foreign) * weights.get(one.chip, 0) for one in counts)

    def _set_weight(self, name: QueueName, weight: int) -> None:
        sharing = self._state.sharing
        queue = sharing.tree.queues.get(name)
        if queue is None:
            raise UnknownSubject(f"there is no queue {name}")
        if queue.weight == weight:
            return
        queues = {**sharing.queues, name: replace(queue, weight=weight)}
        self._share(Shares(tuple(queues.values()), tuple(sharing.quotas.values()), tuple(sharing.groups.values())))

    def _share(self, shares: Shares) -> None:
        self._rehearsal.share(shares)
        self._changed = True

    def carry_out(self, taken: Taken) -> None:
        """Let those who are stopped for others leave, those who give way shrink, and those who have a place hold it."""
        for evicted in taken.evicted:
            cause = LeavingCause(evicted.eviction.cause.value)
            live = self._state.live[evicted.attempt]
            self._leave(live, cause, evicted.eviction.beneficiary)
        for resized in taken.resized:
            if resized.given_to is not None:
                live = self._state.live[resized.attempt]
                after = self._rehearsal.shrink(live, resized.allocations, resized.generation)
                self.shrunk.append(Shrunk(live, after, resized.given_to))
        for group, allocations in taken.placed:
            self._rehearsal.place(self._state.waiting[group], allocations)
