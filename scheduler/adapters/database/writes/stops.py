"""Writing that users want jobs to stop."""

from collections.abc import Sequence

from scheduler.adapters.database.reads.rows import workers_of
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.adapters.database.writes.standings import Standing, Standings
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import Verdict, apply_event
from scheduler.core.model.attempt import WorkerRecord
from scheduler.core.model.change import GroupMoved, StopWished
from scheduler.core.model.group import FINAL, StopReason
from scheduler.core.model.identifiers import AttemptId
from scheduler.core.model.job import Wish
from scheduler.ports.journal import Outcome, Rejected, Rejection, Unchanged, WishStop, Written


def wish_stop(transaction: Transaction, items: Sequence[WishStop]) -> list[Outcome]:
    """Write the wish and stop every group of the job: a queued one ends, a live one is stopped."""
    standings = Standings(transaction, (item.job for item in items))
    attempts = [standing.group.latest_attempt for item in items for standing in standings.of_job(item.job)]
    known = workers_of(transaction.connection, attempts)
    outcomes = [_stop_one(transaction, standings, known, item) for item in items]
    standings.save()
    return outcomes


def _stop_one(
    transaction: Transaction,
    standings: Standings,
    known: dict[AttemptId, tuple[WorkerRecord, ...]],
    item: WishStop,
) -> Outcome:
    groups = standings.of_job(item.job)
    if not groups or item.tenant not in (None, groups[0].tenant):
        return Rejected(Rejection.NOT_FOUND, item.job)
    if groups[0].wish is Wish.STOP or standings.state_of(item.job) in FINAL:
        return Unchanged(item.job, standings.state_of(item.job))
    standings.wish_stop(item.job)
    tenant = groups[0].tenant
    change = transaction.add(Draft(item.at, StopWished(item.job, item.by), tenant=tenant, job=item.job))
    for standing in standings.of_job(item.job):
        body = _stop_group(standings, standing, known, item)
        if body is not None:
            change = transaction.add(Draft(item.at, body, tenant=tenant, job=item.job))
    return Written(item.job, standings.state_of(item.job), change)


def _stop_group(
    standings: Standings, standing: Standing, known: dict[AttemptId, tuple[WorkerRecord, ...]], item: WishStop
) -> GroupMoved | None:
    """Stop one group; None where it is final already."""
    rule = standing.rule(item.at)
    after = apply_event(standing.group, Event.STOP, reason=StopReason.CANCELLED, rule=rule, now=item.at)
    if isinstance(after, Verdict):
        return None
    standings.move(standing, after, at=item.at, stop_detail=None)
    attempt = after.latest_attempt if after.attempts else None
    together = standings.together(after.job_id)
    return GroupMoved(after, attempt, workers=known.get(after.latest_attempt, ()), together=together)
