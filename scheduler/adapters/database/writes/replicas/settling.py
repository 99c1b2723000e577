"""Bringing a server's groups to what is wanted of it, whenever one of them moved."""

from datetime import datetime

from scheduler.adapters.database.reads.rows import workers_of
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.adapters.database.writes.standings import Standings
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.replacing import Aged, next_to_replace
from scheduler.core.lifecycle.replicas import scaling
from scheduler.core.lifecycle.transitions import Verdict, apply_event
from scheduler.core.model.change import GroupMoved
from scheduler.core.model.group import Group, StopReason
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.job import JobKind, Wish


def settle(transaction: Transaction, standings: Standings, job: JobId, at: datetime) -> int | None:
    """Queue groups again that are over by now and wanted by now, and stop those that are next to be replaced.

    Returns the number of the last change within the transaction, None where nothing moved.
    """
    present = standings.of_job(job)
    if not present or present[0].kind is not JobKind.INFERENCE or present[0].wish is Wish.STOP:
        return None
    change = None
    wanted = scaling([each.group for each in present], present[0].replicas, with_failed=False)
    for group in wanted.revive:
        change = step(transaction, standings, group, at=at) or change
    aged = [Aged(each.group, each.attempt_revision) for each in standings.of_job(job)]
    for group in next_to_replace(aged, present[0].revision):
        change = step(transaction, standings, group, stop=StopReason.REPLACED, at=at) or change
    return change


def step(
    transaction: Transaction, standings: Standings, group: Group, *, stop: StopReason | None = None, at: datetime
) -> int | None:
    """Stop a group for a reason, or revive it where there is none; returns its change, None where it does not move."""
    standing = standings.find(group.id)
    if standing is None:
        raise LookupError(group.id)
    event = Event.REVIVE if stop is None else Event.STOP
    after = apply_event(standing.group, event, reason=stop, rule=standing.rule(at), now=at)
    if isinstance(after, Verdict):
        return None
    standings.move(standing, after, at=at, stop_detail=None)
    attempt = after.latest_attempt
    known = workers_of(transaction.connection, [attempt]).get(attempt, ()) if stop is not None else ()
    together = standings.together(after.job_id)
    body = GroupMoved(after, attempt if after.attempts else None, workers=known, together=together)
    return transaction.add(Draft(at, body, tenant=standing.tenant, job=after.job_id))
