"""Writing that attempts are stopped for other gangs' sake."""

from collections.abc import Sequence

from sqlalchemy import bindparam, update

from scheduler.adapters.database.documents import EVICTION
from scheduler.adapters.database.reads.rows import workers_of
from scheduler.adapters.database.schema.work import attempts
from scheduler.adapters.database.transaction import Draft, Row, Transaction
from scheduler.adapters.database.writes.standings import Standings
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import Verdict, apply_event
from scheduler.core.model.attempt import WorkerRecord
from scheduler.core.model.change import GroupMoved
from scheduler.core.model.group import HOLDING, State, StopReason
from scheduler.core.model.identifiers import AttemptId, job_named_by
from scheduler.ports.journal import Evict, Outcome, Rejected, Rejection, Written

_TELL_ATTEMPT = update(attempts).where(attempts.c.id == bindparam("of_id")).values(eviction=bindparam("eviction"))


def evict(transaction: Transaction, items: Sequence[Evict]) -> list[Outcome]:
    """Write evictions: each attempt is stopped that is still as the decision saw it, and keeps for whom."""
    standings = Standings(transaction, (job_named_by(item.decision.group) for item in items))
    known = workers_of(transaction.connection, sorted({item.decision.attempt for item in items}))
    outcomes = [_evict_one(transaction, standings, known, item) for item in items]
    pairs = zip(items, outcomes, strict=True)
    told = [_row(item) for item, outcome in pairs if isinstance(outcome, Written)]
    standings.save()
    transaction.execute_guarded(_TELL_ATTEMPT, told)
    return outcomes


def _evict_one(
    transaction: Transaction,
    standings: Standings,
    known: dict[AttemptId, tuple[WorkerRecord, ...]],
    item: Evict,
) -> Outcome:
    decision = item.decision
    if not transaction.leads(item.epoch):
        return Rejected(Rejection.STALE_EPOCH, str(item.epoch))
    standing = standings.find(decision.group)
    if standing is None:
        return Rejected(Rejection.NOT_FOUND, decision.group)
    group = standing.group
    is_as_seen = group.version == decision.version and group.latest_attempt == decision.attempt
    if not is_as_seen or group.state not in HOLDING or group.state is State.STOPPING:
        return Rejected(Rejection.STALE_VERSION, f"{group.id} is {group.state} at version {group.version}")
    reason = StopReason.PREEMPTED
    after = apply_event(group, Event.STOP, reason=reason, rule=standing.rule(item.at), now=item.at)
    if isinstance(after, Verdict):
        return Rejected(Rejection.ILLEGAL, f"{group.id} is {group.state}")
    standings.move(standing, after, at=item.at, stop_detail=None)
    body = GroupMoved(
        after,
        decision.attempt,
        workers=known.get(decision.attempt, ()),
        together=standings.together(after.job_id),
        eviction=decision.eviction,
    )
    change = transaction.add(Draft(item.at, body, tenant=standing.tenant, job=after.job_id))
    return Written(after.job_id, after.state, change)


def _row(item: Evict) -> Row:
    return {"of_id": item.decision.attempt, "eviction": EVICTION.encode(item.decision.eviction)}
