"""Writing another priority of a job."""

from dataclasses import replace

from sqlalchemy import bindparam, update

from scheduler.adapters.database.documents import JOB_SPEC
from scheduler.adapters.database.queues.admission import Admission
from scheduler.adapters.database.schema.work import jobs
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.adapters.database.writes.jobs.edits import present_spec
from scheduler.adapters.database.writes.standings import Standings
from scheduler.core.model.access.audit import Act
from scheduler.core.model.change import PriorityChanged
from scheduler.core.model.group import FINAL
from scheduler.ports.journal import ChangePriority, Guard, Outcome, Rejected, Rejection, Unchanged, Written

_SET_SPEC = update(jobs).where(jobs.c.id == bindparam("job")).values(spec=bindparam("new_spec"))


def change_priority(transaction: Transaction, item: ChangePriority, guard: Guard) -> Outcome:
    """Write a job's priority, unless the guard raises."""
    standings = Standings(transaction, [item.job])
    groups = standings.of_job(item.job)
    if not groups or item.tenant not in (None, groups[0].tenant):
        return Rejected(Rejection.NOT_FOUND, item.job)
    tenant, state = groups[0].tenant, standings.state_of(item.job)
    present = present_spec(transaction, item.job, guard)
    if state in FINAL:
        return Rejected(Rejection.IS_OVER, state)
    if present.priority == item.priority:
        return Unchanged(item.job, state)
    queue = groups[0].queue
    refusal = Admission(transaction.connection, [queue]).too_urgent(queue, item.priority)
    if refusal is not None and item.priority > present.priority:
        return refusal
    spec = JOB_SPEC.encode(replace(present, priority=item.priority))
    transaction.connection.execute(_SET_SPEC, {"job": item.job, "new_spec": spec})
    before, after = ({"priority": priority} for priority in (present.priority, item.priority))
    transaction.audit(Act("job", item.job, tenant, item.at, before, after))
    body = PriorityChanged(item.job, item.priority, item.by)
    return Written(item.job, state, transaction.add(Draft(item.at, body, tenant=tenant, job=item.job)))
