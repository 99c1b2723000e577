"""Writing what was seen of attempts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, select

from scheduler.adapters.database.documents import storable
from scheduler.adapters.database.reads.rows import workers_of
from scheduler.adapters.database.schema.work import attempts, workers
from scheduler.adapters.database.transaction import Draft, Row, Transaction
from scheduler.adapters.database.writes.capacity import release
from scheduler.adapters.database.writes.replicas.settling import settle
from scheduler.adapters.database.writes.standings import Standing, Standings
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import Verdict, apply_event
from scheduler.core.model.attempt import WorkerRecord
from scheduler.core.model.change import GroupMoved
from scheduler.core.model.group import HOLDING, State
from scheduler.core.model.identifiers import AttemptId, job_named_by
from scheduler.core.model.sharing.queue import QueueName
from scheduler.ports.journal import Observe, Outcome, Rejected, Rejection, Unchanged, Written

LONGEST_DETAIL = 1_000
LONGEST_WORKER_DETAIL = 500

_ATTEMPT = select(attempts.c.id).where(attempts.c.id == bindparam("attempt"))


@dataclass(slots=True)
class _Run:
    """What a run of observations reads once and writes once."""

    standings: Standings
    workers: dict[AttemptId, tuple[WorkerRecord, ...]]
    worker_rows: dict[tuple[AttemptId, int], Row]
    ended: dict[AttemptId, QueueName]
    """With their queues."""


def observe(transaction: Transaction, items: Sequence[Observe]) -> list[Outcome]:
    """Write events of attempts' groups; what ends an attempt gives back all it held."""
    ids = sorted({item.attempt for item in items})
    run = _Run(
        standings=Standings(transaction, (job_named_by(attempt) for attempt in ids)),
        workers=workers_of(transaction.connection, ids),
        worker_rows={},
        ended={},
    )
    outcomes = [_observe_one(transaction, run, item) for item in items]
    transaction.insert_or_replace(workers, list(run.worker_rows.values()))
    release(transaction, run.ended)
    run.standings.save()
    return outcomes


def _observe_one(transaction: Transaction, run: _Run, item: Observe) -> Outcome:
    standing = _observed(transaction, run, item)
    if isinstance(standing, Rejected):
        return standing
    group = standing.group
    if item.event is Event.STOP and group.state not in HOLDING:
        return Unchanged(group.job_id, group.state)  # the attempt is over; its group must not be stopped for it
    rule = standing.rule(item.at)
    after = apply_event(group, item.event, reason=item.reason, rule=rule, now=item.at)
    if after is Verdict.IGNORED:
        return Unchanged(group.job_id, group.state)
    if isinstance(after, Verdict):
        return Rejected(Rejection.ILLEGAL, f"{item.event} cannot happen to a group that is {group.state}")
    detail = storable(item.detail, LONGEST_DETAIL) if item.detail else None
    said_before = None if item.event is Event.STOP else standing.stop_detail
    run.standings.move(standing, after, at=item.at, stop_detail=detail or said_before)
    if after.state not in HOLDING:
        run.ended[item.attempt] = standing.queue
    together = run.standings.together(after.job_id)
    body = GroupMoved(after, item.attempt, workers=_merge_workers(run, item), detail=detail, together=together)
    change = transaction.add(Draft(item.at, body, tenant=standing.tenant, job=after.job_id))
    if after.state in (State.RUNNING, State.CANCELLED):
        settle(transaction, run.standings, after.job_id, item.at)
    return Written(after.job_id, after.state, change)


def _observed(transaction: Transaction, run: _Run, item: Observe) -> Standing | Rejected:
    """Return the group whose latest attempt was seen."""
    if not transaction.leads(item.epoch):
        return Rejected(Rejection.STALE_EPOCH, str(item.epoch))
    for standing in run.standings.of_job(job_named_by(item.attempt)):
        if standing.group.latest_attempt == item.attempt and standing.generation == item.generation:
            return standing
    if transaction.connection.execute(_ATTEMPT, {"attempt": item.attempt}).first() is None:
        return Rejected(Rejection.NOT_FOUND, item.attempt)
    return Rejected(Rejection.STALE_ATTEMPT, f"{item.attempt}, generation {item.generation}")


def _merge_workers(run: _Run, item: Observe) -> tuple[WorkerRecord, ...]:
    """Return all that is known of the attempt's workers, now with what was seen of them."""
    merged = {record.rank: record for record in run.workers.get(item.attempt, ())}
    for record in map(_storable_record, item.workers):
        if merged.get(record.rank) != record:
            merged[record.rank] = record
            run.worker_rows[item.attempt, record.rank] = worker_row(item.attempt, record)
    run.workers[item.attempt] = tuple(merged[rank] for rank in sorted(merged))
    return run.workers[item.attempt]


def _storable_record(record: WorkerRecord) -> WorkerRecord:
    return replace(record, detail=storable(record.detail, LONGEST_WORKER_DETAIL)) if record.detail else record


def worker_row(attempt: AttemptId, record: WorkerRecord) -> Row:
    """Return the row of a worker, with what the cluster said of it as both databases can keep it."""
    record = _storable_record(record)
    return {
        "attempt_id": attempt,
        "rank": record.rank,
        "phase": record.phase,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "exit_code": record.exit_code,
        "end": record.end,
        "detail": record.detail,
        "address": record.address,
    }
