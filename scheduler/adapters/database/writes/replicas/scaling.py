"""Writing how many replicas users want, and bringing groups to that number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, update

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.rows import workers_of
from scheduler.adapters.database.schema.work import groups, jobs
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.adapters.database.writes.standings import Standing, Standings
from scheduler.adapters.database.writes.submissions import group_row, live_replicas, lock_tenants
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.replicas import Scaling, scaling
from scheduler.core.lifecycle.transitions import Verdict, apply_event
from scheduler.core.model.attempt import WorkerRecord
from scheduler.core.model.change import GroupMoved, ReplicasWished
from scheduler.core.model.group import FINAL, Group, StopReason, first_group
from scheduler.core.model.identifiers import AttemptId, JobId, TenantName
from scheduler.core.model.job import JobKind, Wish
from scheduler.ports.journal import Outcome, Rejected, Rejection, ScaleJob, Unchanged, Written

_TENANTS = select(jobs.c.id, jobs.c.tenant).where(jobs.c.id.in_(LISTED))
_WISH = update(jobs).where(jobs.c.id == bindparam("of_id")).values(replicas=bindparam("wanted"))


@dataclass(slots=True)
class _Run:
    """What a run of wishes reads once."""

    transaction: Transaction
    standings: Standings
    workers: dict[AttemptId, tuple[WorkerRecord, ...]]
    live: dict[TenantName, int]


def scale(transaction: Transaction, items: Sequence[ScaleJob]) -> list[Outcome]:
    """Write how many replicas are wanted; what is too much is stopped, what is missing is queued."""
    outcomes: list[Outcome] = []
    for item in items:  # one after the other: two wishes for one job are to see each other's new groups
        tenants = {row.tenant for row in rows_listed(transaction.connection, _TENANTS, [item.job])}
        # Locking the tenant makes its number of replicas hold still until the commit.
        lock_tenants(transaction, tenants)
        standings = Standings(transaction, [item.job])
        attempts = [standing.group.latest_attempt for standing in standings.of_job(item.job)]
        run = _Run(
            transaction,
            standings,
            workers_of(transaction.connection, attempts),
            dict(live_replicas(transaction, tenants)),
        )
        outcomes.append(_scale_one(run, item))
        standings.save()
    return outcomes


def _scale_one(run: _Run, item: ScaleJob) -> Outcome:
    present = run.standings.of_job(item.job)
    if not present or item.tenant not in (None, present[0].tenant):
        return Rejected(Rejection.NOT_FOUND, item.job)
    tenant, before = present[0].tenant, present[0].replicas
    if present[0].kind is not JobKind.INFERENCE:
        return Rejected(Rejection.ILLEGAL, "only a job of the kind inference has replicas")
    if present[0].wish is Wish.STOP or run.standings.state_of(item.job) in FINAL:
        return Rejected(Rejection.ILLEGAL, f"it is {run.standings.state_of(item.job)}, and is to end")
    if run.live.get(tenant, 0) + item.replicas - before > item.most_live_jobs and item.replicas > before:
        return Rejected(Rejection.TOO_MANY_JOBS, str(item.most_live_jobs))
    steps = scaling([each.group for each in present], item.replicas, with_failed=True)
    if before == item.replicas and steps == Scaling():
        return Unchanged(item.job, run.standings.state_of(item.job))
    run.transaction.execute_guarded(_WISH, [{"of_id": item.job, "wanted": item.replicas}])
    added = tuple(first_group(item.job, len(present) + number) for number in range(steps.add))
    run.transaction.insert(groups, [group_row(group) for group in added])
    body = ReplicasWished(item.job, item.replicas, item.by, added)
    change = run.transaction.add(Draft(item.at, body, tenant=tenant, job=item.job))
    for group in steps.retire:
        change = _step(run, group, Event.STOP, item.at) or change
    for group in steps.revive:
        change = _step(run, group, Event.REVIVE, item.at) or change
    return Written(item.job, run.standings.state_of(item.job), change)


def _step(run: _Run, group: Group, event: Event, at: datetime) -> int | None:
    standing = run.standings.find(group.id)
    if standing is None:
        raise LookupError(group.id)
    reason = StopReason.SCALED_DOWN if event is Event.STOP else None
    after = apply_event(group, event, reason=reason, rule=standing.rule(at), now=at)
    if isinstance(after, Verdict):
        return None
    run.standings.move(standing, after, at=at, stop_detail=None)
    known = run.workers.get(after.latest_attempt, ()) if event is Event.STOP else ()
    attempt, together = after.latest_attempt if after.attempts else None, run.standings.together(after.job_id)
    body = GroupMoved(after, attempt, workers=known, together=together)
    return run.transaction.add(Draft(at, body, tenant=standing.tenant, job=after.job_id))


def bring_back(transaction: Transaction, standings: Standings, job: JobId, at: datetime) -> None:
    """Queue groups of a server again that are over by now and wanted by now."""
    present: list[Standing] = standings.of_job(job)
    if not present or present[0].kind is not JobKind.INFERENCE or present[0].wish is Wish.STOP:
        return
    run = _Run(transaction, standings, {}, {})
    for group in scaling([each.group for each in present], present[0].replicas, with_failed=False).revive:
        _step(run, group, Event.REVIVE, at)
