"""Writing the decisions of a cycle: placements and refusals."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from scheduler.adapters.database.documents import GROUNDS, NOTES, SLOTS
from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.ordering.dependencies import states_of
from scheduler.adapters.database.reads.sharing import spec_of
from scheduler.adapters.database.schema.work import HOLDING_IN_ARRAY, allocations, attempts, jobs
from scheduler.adapters.database.transaction import Draft, Row, Transaction
from scheduler.adapters.database.writes.capacity import Capacity
from scheduler.adapters.database.writes.standings import Standing, Standings
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import Verdict, apply_event
from scheduler.core.model.attempt import FIRST_GENERATION, Allocation
from scheduler.core.model.change import GroupMoved, GroupPlaced
from scheduler.core.model.decision import Placed, Refused
from scheduler.core.model.group import FINAL, State
from scheduler.core.model.identifiers import AttemptId, JobId, TenantName, job_named_by
from scheduler.core.model.job import JobSpec, Wish
from scheduler.ports.journal import Outcome, Place, Refuse, Rejected, Rejection, Written

_SPECS = select(jobs.c.id, jobs.c.spec).where(jobs.c.id.in_(LISTED))
_MEMBERS_HOLDING = (
    select(jobs.c.array_id, func.count().label("holding"))
    .where(jobs.c.array_id.in_(LISTED), HOLDING_IN_ARRAY)
    .group_by(jobs.c.array_id)
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the jobs of a run of placements ask for, and what the jobs and arrays are that they come after."""

    specs: dict[JobId, JobSpec]
    after: dict[JobId, tuple[TenantName, State]]
    holding: Counter[JobId]
    """How many jobs of each array with a limit hold something, with those that were placed before in this run."""

    def objection(self, job: JobId, ranks: list[int]) -> str | None:
        """Return why these ranks cannot be the job's gang now; None where they can."""
        spec = self.specs[job]
        sizes = {sum(part.workers for part in option) for option in spec.options()}
        if len(ranks) not in sizes or ranks != list(range(len(ranks))):
            return f"a gang of {' or '.join(map(str, sorted(sizes)))} is placed whole or not at all"
        for one in spec.after:
            state = self.after[one.job][1]
            if state not in FINAL or not one.condition.is_met_by(state):
                return f"it comes after {'array ' if one.is_array else ''}{one.job}, which is {state}"
        if (member := spec.limited_array) is not None and self.holding[member.array] >= (member.most_at_once or 0):
            return f"its array {member.array} runs {member.most_at_once} at once"
        return None

    def place(self, job: JobId) -> None:
        """Count that a job holds something now."""
        if (member := self.specs[job].limited_array) is not None:
            self.holding[member.array] += 1


def place(transaction: Transaction, items: Sequence[Place]) -> list[Outcome]:
    """Write placements: each gets all it asks for, or is refused and takes nothing."""
    standings = Standings(transaction, (job_named_by(item.decision.group) for item in items))
    capacity = Capacity(
        transaction,
        node_ids=(rank.node for item in items for rank in item.decision.allocations),
        queues=(standing.queue for item in items if (standing := standings.find(item.decision.group)) is not None),
    )
    specs = specs_of(transaction, {job_named_by(item.decision.group) for item in items})
    after = states_of(transaction.connection, (one for spec in specs.values() for one in spec.after))
    limited = {member.array for spec in specs.values() if (member := spec.limited_array) is not None}
    asked = _Asked(specs, after, _members_holding(transaction, limited))
    outcomes: list[Outcome] = []
    placed: list[Place] = []
    for item in items:
        outcome = _place_one(transaction, standings, capacity, asked, item)
        outcomes.append(outcome)
        if isinstance(outcome, Written):
            placed.append(item)
    transaction.insert(attempts, [_attempt_row(item, standings) for item in placed])
    rows = (
        allocation_rows(each.attempt, FIRST_GENERATION, each.allocations) for each in (one.decision for one in placed)
    )
    transaction.insert(allocations, [row for some in rows for row in some])
    capacity.save()
    standings.save()
    return outcomes


def refuse(transaction: Transaction, items: Sequence[Refuse]) -> list[Outcome]:
    """Write refusals: each group fails, with the reasons in the feed."""
    standings = Standings(transaction, (job_named_by(item.decision.group) for item in items))
    outcomes = [_refuse_one(transaction, standings, item) for item in items]
    standings.save()
    return outcomes


def _place_one(
    transaction: Transaction, standings: Standings, capacity: Capacity, asked: _Asked, item: Place
) -> Outcome:
    decision = item.decision
    standing = _decided(transaction, standings, item)
    if isinstance(standing, Rejected):
        return standing
    if decision.attempt != standing.group.next_attempt:
        return Rejected(Rejection.STALE_VERSION, f"the next attempt is {standing.group.next_attempt}")
    illegal = asked.objection(standing.group.job_id, [rank.rank for rank in decision.allocations])
    if illegal is not None:
        return Rejected(Rejection.ILLEGAL, illegal)
    after = apply_event(standing.group, Event.PLACE, rule=standing.rule(item.at), now=item.at)
    if isinstance(after, Verdict):
        return Rejected(Rejection.ILLEGAL, f"{standing.group.id} is {standing.group.state}")
    refusal = capacity.take(standing.tenant, standing.queue, decision.attempt, decision.allocations)
    if refusal is not None:
        return refusal
    asked.place(after.job_id)
    standings.move(standing, after, at=item.at, stop_detail=standing.stop_detail)
    together = standings.together(after.job_id)
    body = GroupPlaced(
        after, decision.attempt, decision.allocations, decision.notes, together, stop_by=decision.stop_by
    )
    change = transaction.add(Draft(item.at, body, tenant=standing.tenant, job=after.job_id))
    return Written(after.job_id, after.state, change)


def _refuse_one(transaction: Transaction, standings: Standings, item: Refuse) -> Outcome:
    standing = _decided(transaction, standings, item)
    if isinstance(standing, Rejected):
        return standing
    after = apply_event(standing.group, Event.REFUSE, rule=standing.rule(item.at), now=item.at)
    if isinstance(after, Verdict):
        return Rejected(Rejection.ILLEGAL, f"{standing.group.id} is {standing.group.state}")
    standings.move(standing, after, at=item.at, stop_detail=standing.stop_detail)
    attempt = after.latest_attempt if after.attempts else None
    together = standings.together(after.job_id)
    body = GroupMoved(after, attempt, reasons=item.decision.reasons, together=together)
    change = transaction.add(Draft(item.at, body, tenant=standing.tenant, job=after.job_id))
    return Written(after.job_id, after.state, change)


def _decided(transaction: Transaction, standings: Standings, item: Place | Refuse) -> Standing | Rejected:
    """Return the group that a decision is about, while it still is as the decision saw it."""
    decision: Placed | Refused = item.decision
    if not transaction.leads(item.epoch):
        return Rejected(Rejection.STALE_EPOCH, str(item.epoch))
    standing = standings.find(decision.group)
    if standing is None:
        return Rejected(Rejection.NOT_FOUND, decision.group)
    group = standing.group
    if group.version != decision.version or group.state is not State.QUEUED or standing.wish is not Wish.RUN:
        return Rejected(Rejection.STALE_VERSION, f"{group.id} is {group.state} at version {group.version}")
    return standing


def specs_of(transaction: Transaction, job_ids: set[JobId]) -> dict[JobId, JobSpec]:
    """Return the specifications of those of the jobs that there are."""
    rows = rows_listed(transaction.connection, _SPECS, sorted(job_ids))
    return {row.id: spec_of(row.spec) for row in rows}


def _members_holding(transaction: Transaction, arrays: set[JobId]) -> Counter[JobId]:
    """Return how many jobs of arrays hold something."""
    rows = rows_listed(transaction.connection, _MEMBERS_HOLDING, sorted(arrays))
    return Counter({row.array_id: row.holding for row in rows})


def _attempt_row(item: Place, standings: Standings) -> Row:
    standing = standings.find(item.decision.group)
    if standing is None:
        raise LookupError(item.decision.group)
    return {
        "id": item.decision.attempt,
        "group_id": item.decision.group,
        "number": standing.group.attempts,
        "generation": FIRST_GENERATION,
        "state": State.PLACED,
        "revision": standing.revision,
        "notes": NOTES.encode(item.decision.notes),
        "grounds": None if item.decision.grounds is None else GROUNDS.encode(item.decision.grounds),
        "stop_by": item.decision.stop_by,
        "placed_at": item.at,
    }


def allocation_rows(
    attempt: AttemptId, generation: int, allocations: Sequence[Allocation], taken_at: datetime | None = None
) -> list[Row]:
    """Return the rows of what the ranks of a generation hold; of the first one, from the attempt's beginning on."""
    return [
        {
            "attempt_id": attempt,
            "generation": generation,
            "rank": rank.rank,
            "node_id": rank.node,
            "chip": rank.chip,
            "slots": SLOTS.encode(rank.slots),
            "cpu_milli": rank.cpu_milli,
            "memory_mib": rank.memory_mib,
            "counted": rank.counted,
            "share_milli": rank.share_milli,
            "share_memory_mib": rank.share_memory_mib,
            "pods": rank.pods,
            "role": rank.role,
            "since": rank.since,
            "number": rank.number,
            "compute_milli": rank.compute_milli,
            "taken_at": taken_at,
        }
        for rank in allocations
    ]
