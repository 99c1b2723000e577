"""Writing how many workers users want of elastic jobs."""

from dataclasses import replace

from sqlalchemy import bindparam, update

from scheduler.adapters.database.documents import JOB_SPEC
from scheduler.adapters.database.schema.work import jobs
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.adapters.database.writes.jobs.edits import present_spec
from scheduler.adapters.database.writes.standings import Standings
from scheduler.core.model.access.audit import Act
from scheduler.core.model.change import WorkersWished
from scheduler.core.model.group import FINAL
from scheduler.core.model.job import MOST_SIZES, JobSpec
from scheduler.ports.journal import Guard, Outcome, Rejected, Rejection, Unchanged, WishWorkers, Written

_SET_SPEC = (
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(spec=bindparam("new_spec"), workers=bindparam("new_workers"))
)


def wish_workers(transaction: Transaction, item: WishWorkers, guard: Guard) -> Outcome:
    """Write how many workers are wanted at most, unless the guard raises."""
    standings = Standings(transaction, [item.job])
    groups = standings.of_job(item.job)
    if not groups or item.tenant not in (None, groups[0].tenant):
        return Rejected(Rejection.NOT_FOUND, item.job)
    tenant, state = groups[0].tenant, standings.state_of(item.job)
    present = present_spec(transaction, item.job, guard)
    if state in FINAL:
        return Rejected(Rejection.IS_OVER, state)
    illegal = objection(present, item.workers)
    if illegal is not None:
        return Rejected(Rejection.ILLEGAL, illegal)
    if present.workers == item.workers:
        return Unchanged(item.job, state)
    spec = JOB_SPEC.encode(replace(present, workers=item.workers))
    row = {"job": item.job, "new_spec": spec, "new_workers": item.workers}
    transaction.connection.execute(_SET_SPEC, row)
    before, after = ({"workers": workers} for workers in (present.workers, item.workers))
    transaction.audit(Act("job", item.job, tenant, item.at, before, after))
    body = WorkersWished(item.job, item.workers, item.by)
    return Written(item.job, state, transaction.add(Draft(item.at, body, tenant=tenant, job=item.job)))


def objection(spec: JobSpec, workers: int) -> str | None:
    """Return why a job cannot have so many workers; None where it can."""
    if spec.elastic is None:
        return "its number of workers is fixed: it was submitted without a least number"
    least, step = spec.elastic.least, spec.elastic.step
    if workers >= least and (workers - least) // step >= MOST_SIZES:
        return f"that makes more than {MOST_SIZES} sizes, in steps of {step} from {least}"
    if workers >= least and (workers - least) % step == 0:
        return None
    steps = f", in steps of {step}" if step > 1 else ""
    return f"it can have {least} workers or more{steps}"
