"""The journal on a database."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Self

from scheduler.adapters.database.access.audit import acts_of
from scheduler.adapters.database.transaction import Transaction
from scheduler.adapters.database.writer import Writer
from scheduler.adapters.database.writes.jobs.evictions import evict
from scheduler.adapters.database.writes.jobs.priorities import change_priority
from scheduler.adapters.database.writes.jobs.promises import give_back, keep
from scheduler.adapters.database.writes.jobs.workers import wish_workers
from scheduler.adapters.database.writes.observations import observe
from scheduler.adapters.database.writes.placements import place, refuse
from scheduler.adapters.database.writes.remarks import note
from scheduler.adapters.database.writes.replicas.revising import revise
from scheduler.adapters.database.writes.replicas.scaling import scale
from scheduler.adapters.database.writes.reports.addresses import register
from scheduler.adapters.database.writes.reports.heartbeats import beat
from scheduler.adapters.database.writes.reports.progress import report
from scheduler.adapters.database.writes.resizes.resizing import advance, resize
from scheduler.adapters.database.writes.stops import wish_stop
from scheduler.adapters.database.writes.submissions import submit
from scheduler.core.model.access.audit import Actor
from scheduler.core.model.job import MOST_MEMBERS
from scheduler.ports.journal import (
    AdvanceResize,
    ByLeader,
    ChangePriority,
    Edit,
    Evict,
    GiveRoomBack,
    Guard,
    KeepRoom,
    NoteWorkers,
    Observe,
    Outcome,
    Place,
    Refuse,
    Rejected,
    Resize,
    ReviseJob,
    ScaleJob,
    SubmitJob,
    WishStop,
    WishWorkers,
    Write,
    Written,
    unguarded,
)
from scheduler.ports.workers.reports import Beat, RegisterRendezvous, ReportProgress

MOST_ITEMS = 1_000

_WRITES: dict[type, Callable[[Transaction, Any], list[Outcome]]] = {
    SubmitJob: submit,
    WishStop: wish_stop,
    ScaleJob: scale,
    ReviseJob: revise,
    Place: place,
    Resize: resize,
    AdvanceResize: advance,
    Refuse: refuse,
    Evict: evict,
    KeepRoom: keep,
    GiveRoomBack: give_back,
    Observe: observe,
    NoteWorkers: note,
    RegisterRendezvous: register,
    ReportProgress: report,
    Beat: beat,
}


def write_items(transaction: Transaction, items: Sequence[Write], /) -> list[Outcome]:
    """Write items in order, neighbours of one kind together; one outcome per item.

    `Written.change` is counted within the transaction. Items of a leader lock the leadership before all else.
    """
    for item in items:
        if isinstance(item, ByLeader):
            transaction.leads(item.epoch)
            break
    outcomes: list[Outcome] = []
    for kind, neighbours in groupby(items, type):
        outcomes += _WRITES[kind](transaction, list(neighbours))
    return outcomes


class DatabaseJournal:
    """Guarded writes about jobs (ports.journal)."""

    def __init__(self, writer: Writer, actor: Actor | None = None) -> None:
        self._writer = writer
        self._actor = actor

    def acting(self, actor: Actor) -> Self:
        """Return the journal whose writes are in somebody's name."""
        return type(self)(self._writer, actor)

    def write(self, items: Sequence[Write]) -> list[Outcome]:
        """Write a batch of at most 1,000 items in one transaction; one outcome per item, in order."""
        _check_size(items)
        return self._writer.write(items, self._actor) if items else []

    def write_together(self, items: Sequence[SubmitJob]) -> list[Outcome]:
        """Write a batch of at most 1,000 items, or nothing where one of them is refused."""
        _check_size(items)
        return self._submit_all(lambda transaction: submit(transaction, items), items, told_of=items)

    def write_array(self, members: Sequence[SubmitJob]) -> list[Outcome]:
        """Write the jobs of an array, at most 10,000, or nothing where one is refused or the first one is known."""
        _check_size(members, most=MOST_MEMBERS)
        first, others = members[:1], members[1:]

        def write(transaction: Transaction) -> list[Outcome]:
            outcomes = submit(transaction, first)
            return [*outcomes, *(submit(transaction, others) if isinstance(outcomes[0], Written) else ())]

        return self._submit_all(write, members, told_of=first)

    def _submit_all(
        self,
        function: Callable[[Transaction], list[Outcome]],
        items: Sequence[SubmitJob],
        *,
        told_of: Sequence[SubmitJob],
    ) -> list[Outcome]:
        """Write all items or, where one is refused, none; the audit trail tells of the first ones."""

        def write(transaction: Transaction) -> list[Outcome]:
            outcomes = function(transaction)
            if any(isinstance(outcome, Rejected) for outcome in outcomes):
                raise _NotTogetherError(outcomes)
            for act in acts_of(told_of, outcomes[: len(told_of)], {}):
                transaction.audit(act)
            return outcomes

        try:
            return self._writer.call(write, self._actor, size=len(items)) if items else []
        except _NotTogetherError as refused:
            return refused.outcomes

    def change(self, item: Edit, guard: Guard = unguarded) -> Outcome:
        """Write one item, unless the guard stops it."""

        def write(transaction: Transaction) -> list[Outcome]:
            match item:
                case ChangePriority():
                    return [change_priority(transaction, item, guard)]  # which tells the trail by itself
                case WishWorkers():
                    return [wish_workers(transaction, item, guard)]  # so does this
                case ScaleJob():
                    outcomes = scale(transaction, [item], guard)
                case ReviseJob():
                    outcomes = revise(transaction, [item], guard)
            for act in acts_of([item], outcomes, transaction.tenants_of_jobs()):
                transaction.audit(act)
            return outcomes

        (outcome,) = self._writer.call(write, self._actor)
        return outcome


class _NotTogetherError(Exception):
    """Some items were refused, so that none is to stay."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__(outcomes)
        self.outcomes = outcomes


def _check_size(items: Sequence[object], *, most: int = MOST_ITEMS) -> None:
    if len(items) > most:
        raise ValueError(f"a batch has at most {most} items, this one has {len(items)}")
