"""Writing how many replicas users want, and bringing groups to that number."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.work import groups, jobs
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.adapters.database.writes.jobs.edits import present_spec
from scheduler.adapters.database.writes.replicas.settling import step
from scheduler.adapters.database.writes.standings import Standings
from scheduler.adapters.database.writes.submissions import group_row, live_replicas, lock_tenants
from scheduler.core.lifecycle.replicas import Scaling, scaling
from scheduler.core.model.change import ReplicasWished
from scheduler.core.model.group import FINAL, StopReason, first_group
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.job import JobKind, Wish
from scheduler.ports.journal import Guard, Outcome, Rejected, Rejection, ScaleJob, Unchanged, Written, unguarded

_TENANTS = select(jobs.c.id, jobs.c.tenant).where(jobs.c.id.in_(LISTED))
_WISH = update(jobs).where(jobs.c.id == bindparam("of_id")).values(replicas=bindparam("wanted"))


@dataclass(slots=True)
class _Run:
    """What a run of wishes reads once."""

    transaction: Transaction
    standings: Standings
    live: dict[TenantName, int]


def scale(transaction: Transaction, items: Sequence[ScaleJob], guard: Guard = unguarded) -> list[Outcome]:
    """Write how many replicas are wanted; what is too much is stopped, what is missing is queued.

    Raises what the guard does.
    """
    outcomes: list[Outcome] = []
    for item in items:  # one after the other: two wishes for one job are to see each other's new groups
        tenants = {row.tenant for row in rows_listed(transaction.connection, _TENANTS, [item.job])}
        # Locking the tenant makes its number of replicas hold still until the commit.
        lock_tenants(transaction, tenants)
        standings = Standings(transaction, [item.job])
        run = _Run(transaction, standings, dict(live_replicas(transaction, tenants)))
        outcomes.append(_scale_one(run, item, guard))
        standings.save()
    return outcomes


def _scale_one(run: _Run, item: ScaleJob, guard: Guard) -> Outcome:
    present = run.standings.of_job(item.job)
    if not present or item.tenant not in (None, present[0].tenant):
        return Rejected(Rejection.NOT_FOUND, item.job)
    tenant, before = present[0].tenant, present[0].replicas
    present_spec(run.transaction, item.job, guard)
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
        change = step(run.transaction, run.standings, group, stop=StopReason.SCALED_DOWN, at=item.at) or change
    for group in steps.revive:
        change = step(run.transaction, run.standings, group, at=item.at) or change
    return Written(item.job, run.standings.state_of(item.job), change)
