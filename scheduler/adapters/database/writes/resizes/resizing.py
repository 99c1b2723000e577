"""Writing the next generation of attempts, and how far they are on the way to it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update

from scheduler.adapters.database.documents import GIVEN_TO, NOTES
from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.rows import AnyRow, allocation_of
from scheduler.adapters.database.schema.work import HELD, allocations, attempts, workers
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.adapters.database.writes.capacity import Capacity, release_surplus
from scheduler.adapters.database.writes.observations import worker_row
from scheduler.adapters.database.writes.placements import allocation_rows, specs_of
from scheduler.adapters.database.writes.standings import Standing, Standings
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import Verdict, apply_event
from scheduler.core.model.attempt import Allocation, ResizeStep
from scheduler.core.model.change import GroupResized, ResizeAdvanced
from scheduler.core.model.decision import Resized
from scheduler.core.model.group import HOLDING, State
from scheduler.core.model.identifiers import AttemptId, JobId, job_named_by
from scheduler.core.model.job import JobSpec, Wish
from scheduler.ports.journal import AdvanceResize, Outcome, Rejected, Rejection, Resize, Unchanged, Written

_ATTEMPTS = select(
    attempts.c.id, attempts.c.generation, attempts.c.called, attempts.c.met, attempts.c.ended_at, attempts.c.notes
).where(attempts.c.id.in_(LISTED))
_ALLOCATIONS = select(allocations).where(allocations.c.attempt_id.in_(LISTED), HELD)
_NUMBERS = (
    select(allocations.c.attempt_id, func.max(func.coalesce(allocations.c.number, allocations.c.rank)).label("last"))
    .where(allocations.c.attempt_id.in_(LISTED))
    .group_by(allocations.c.attempt_id)
)
_HAND_OVER = (
    update(allocations)
    .where(allocations.c.attempt_id == bindparam("of_attempt"), allocations.c.rank == bindparam("of_rank"), HELD)
    .values(held=False, given_at=bindparam("at"))
)
_NEXT = (
    update(attempts)
    .where(attempts.c.id == bindparam("of_id"), attempts.c.generation == bindparam("of_generation"))
    .values({name: bindparam(f"new_{name}") for name in ("generation", "called", "resized_at", "notes", "given_to")})
)
_CALL = (
    update(attempts)
    .where(attempts.c.id == bindparam("of_id"), attempts.c.generation == bindparam("of_generation"))
    .values(called=bindparam("of_generation"))
)


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run of resizes reads once."""

    standings: Standings
    rows: dict[AttemptId, AnyRow]
    held: dict[AttemptId, list[Allocation]]
    surplus: set[AttemptId]
    """Attempts that hold something for workers that are too many."""
    numbers: dict[AttemptId, int]
    """The highest number that a worker of an attempt ever had."""
    specs: dict[JobId, JobSpec]

    def objection(self, standing: Standing, decision: Resized) -> Rejected | None:
        """Return why the attempt cannot have this generation now; None where it can."""
        group, row = standing.group, self.rows.get(decision.attempt)
        if group.version != decision.version or group.state is not State.RUNNING or standing.wish is not Wish.RUN:
            return Rejected(Rejection.STALE_VERSION, f"{group.id} is {group.state} at version {group.version}")
        if row is None or group.latest_attempt != decision.attempt or row.generation + 1 != decision.generation:
            return Rejected(Rejection.STALE_VERSION, f"the latest attempt is {group.latest_attempt}")
        if row.met != row.generation or row.id in self.surplus:
            return Rejected(Rejection.STALE_VERSION, f"{row.id} is on its way to generation {row.generation}")
        spec = self.specs[group.job_id]
        if spec.elastic is None or len(decision.allocations) not in spec.sizes:
            sizes = " or ".join(map(str, spec.sizes))
            return Rejected(Rejection.ILLEGAL, f"a gang of {sizes} is what its job asks for")
        return self._other_workers(decision)

    def _other_workers(self, decision: Resized) -> Rejected | None:
        """Return what is wrong with the workers: who stays keeps rank and place, who comes is nobody who was."""
        held = {one.worker: one for one in self.held[decision.attempt]}
        last = self.numbers[decision.attempt]
        for rank, one in enumerate(decision.allocations):
            is_new = one.since == decision.generation
            if one.rank != rank or (one.worker <= last if is_new else held.get(one.worker) != one):
                return Rejected(Rejection.ILLEGAL, f"rank {one.rank} is neither new nor as it was")
        if len({one.worker for one in decision.allocations}) != len(decision.allocations):
            return Rejected(Rejection.ILLEGAL, "two ranks have the same worker")
        return None


def resize(transaction: Transaction, items: Sequence[Resize]) -> list[Outcome]:
    """Write next generations: each gets all that comes, or is refused and stays as it is."""
    decisions = [item.decision for item in items]
    standings = Standings(transaction, (job_named_by(each.attempt) for each in decisions))
    run = _read(transaction, standings, [each.attempt for each in decisions])
    queues = {one.queue for each in decisions if (one := standings.find(each.group)) is not None}
    newcomers = (one for each in decisions for one in each.allocations if one.since == each.generation)
    capacity = Capacity(transaction, node_ids=(one.node for one in newcomers), queues=queues)
    outcomes = [_resize_one(transaction, run, capacity, item) for item in items]
    capacity.save()
    standings.save()
    return outcomes


def advance(transaction: Transaction, items: Sequence[AdvanceResize]) -> list[Outcome]:
    """Write that attempts came a step nearer to their latest generation."""
    standings = Standings(transaction, (job_named_by(item.attempt) for item in items))
    rows = {row.id: row for row in rows_listed(transaction.connection, _ATTEMPTS, {item.attempt for item in items})}
    return [_advance_one(transaction, standings, rows, item) for item in items]


def _read(transaction: Transaction, standings: Standings, names: Sequence[AttemptId]) -> _Run:
    connection = transaction.connection
    rows = {row.id: row for row in rows_listed(connection, _ATTEMPTS, names)}
    held: dict[AttemptId, list[Allocation]] = defaultdict(list)
    surplus: set[AttemptId] = set()
    for row in rows_listed(connection, _ALLOCATIONS, names):
        held[row.attempt_id].append(allocation_of(row))
        if row.generation != rows[row.attempt_id].generation:
            surplus.add(row.attempt_id)
    return _Run(
        standings,
        rows,
        held,
        surplus,
        {row.attempt_id: row.last for row in rows_listed(connection, _NUMBERS, names)},
        specs_of(transaction, {job_named_by(name) for name in names}),
    )


def _resize_one(transaction: Transaction, run: _Run, capacity: Capacity, item: Resize) -> Outcome:
    decision = item.decision
    if not transaction.leads(item.epoch):
        return Rejected(Rejection.STALE_EPOCH, str(item.epoch))
    standing = run.standings.find(decision.group)
    if standing is None:
        return Rejected(Rejection.NOT_FOUND, decision.group)
    objection = run.objection(standing, decision)
    if objection is not None:
        return objection
    after = apply_event(standing.group, Event.RESIZE, rule=standing.rule(item.at), now=item.at)
    if isinstance(after, Verdict):
        return Rejected(Rejection.ILLEGAL, f"{standing.group.id} is {standing.group.state}")
    comes = [one for one in decision.allocations if one.since == decision.generation]
    refusal = capacity.take(standing.tenant, standing.queue, decision.attempt, comes)
    if refusal is not None:
        return refusal
    run.standings.move(standing, after, at=item.at, stop_detail=standing.stop_detail)
    _write_generation(transaction, run.rows[decision.attempt], item, comes)
    body = GroupResized(
        after,
        decision.attempt,
        decision.generation,
        decision.allocations,
        decision.cause,
        decision.notes,
        given_to=decision.given_to,
    )
    change = transaction.add(Draft(item.at, body, tenant=standing.tenant, job=after.job_id))
    return Written(after.job_id, after.state, change)


def _write_generation(transaction: Transaction, row: AnyRow, item: Resize, comes: Iterable[Allocation]) -> None:
    """Let who stays hold what is theirs as one of the next generation, and count that generation."""
    decision, new = item.decision, {one.rank for one in comes}
    stays = [one.rank for one in decision.allocations if one.rank not in new]
    handed = [{"of_attempt": decision.attempt, "of_rank": rank, "at": item.at} for rank in stays]
    transaction.execute_guarded(_HAND_OVER, handed)
    rows = allocation_rows(decision.attempt, decision.generation, decision.allocations, item.at)
    transaction.insert(allocations, rows)
    notes = [note for note in NOTES.decode(row.notes) if note.rank in stays]
    following = {
        "of_id": decision.attempt,
        "of_generation": row.generation,
        "new_generation": decision.generation,
        "new_called": row.called if new else decision.generation,
        "new_resized_at": item.at,
        "new_notes": NOTES.encode((*notes, *decision.notes)),
        "new_given_to": None if decision.given_to is None else GIVEN_TO.encode(decision.given_to),
    }
    transaction.execute_guarded(_NEXT, [following])


def _advance_one(
    transaction: Transaction, standings: Standings, rows: dict[AttemptId, AnyRow], item: AdvanceResize
) -> Outcome:
    if not transaction.leads(item.epoch):
        return Rejected(Rejection.STALE_EPOCH, str(item.epoch))
    row = rows.get(item.attempt)
    standing = next(
        (one for one in standings.of_job(job_named_by(item.attempt)) if one.group.latest_attempt == item.attempt), None
    )
    if row is None:
        return Rejected(Rejection.NOT_FOUND, item.attempt)
    if standing is None or standing.group.state not in HOLDING or row.generation != item.generation:
        return Rejected(Rejection.STALE_ATTEMPT, f"{item.attempt}, generation {item.generation}")
    unchanged = Unchanged(standing.group.job_id, standing.group.state)
    if item.step is ResizeStep.CALLED:
        if row.called == item.generation:
            return unchanged
        transaction.execute_guarded(_CALL, [{"of_id": item.attempt, "of_generation": item.generation}])
    elif not release_surplus(transaction, item.attempt, standing.queue, generation=item.generation, at=item.at):
        return unchanged
    transaction.insert_or_replace(workers, [worker_row(item.attempt, record) for record in item.workers])
    body = ResizeAdvanced(item.attempt, item.generation, item.step)
    draft = Draft(item.at, body, tenant=standing.tenant, job=standing.group.job_id)
    return Written(standing.group.job_id, standing.group.state, transaction.add(draft))
