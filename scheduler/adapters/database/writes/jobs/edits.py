"""What people change of a job, read where it is about to be changed."""

from sqlalchemy import bindparam, select

from scheduler.adapters.database.documents import JOB_SPEC
from scheduler.adapters.database.schema.work import jobs
from scheduler.adapters.database.transaction import Transaction
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.job import Job, JobSpec
from scheduler.ports.journal import Guard

_EDITED = select(jobs.c.spec, jobs.c.replicas, jobs.c.revision).where(jobs.c.id == bindparam("job"))


def present_spec(transaction: Transaction, job: JobId, guard: Guard) -> JobSpec:
    """Return the specification of a job whose groups are locked, so that nobody else edits it.

    Raises what the guard does, which is asked with what people change of the job, as `Job.edited` has it.
    """
    row = transaction.connection.execute(_EDITED, {"job": job}).one()
    spec = JOB_SPEC.decode(row.spec)
    guard(Job.edited_of(spec, row.replicas, row.revision))
    return spec
