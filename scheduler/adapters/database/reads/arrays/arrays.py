"""Reading arrays of jobs: which there are, and how many of their jobs are in each state."""

from collections import defaultdict

from sqlalchemy import Connection, func, select

from scheduler.adapters.database.documents import JOB_SPEC
from scheduler.adapters.database.reads.jobs import filtered
from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.work import IN_ARRAY, jobs
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import JobId
from scheduler.ports.views import ArrayView, JobFilter

_COUNTS = (
    select(jobs.c.array_id, jobs.c.state, func.count().label("jobs"), func.min(jobs.c.id).label("first"))
    .where(IN_ARRAY, jobs.c.array_id.in_(LISTED))
    .group_by(jobs.c.array_id, jobs.c.state)
)
_FIRST_JOBS = select(jobs).where(jobs.c.id.in_(LISTED))


def read_arrays(connection: Connection, where: JobFilter, *, before: JobId | None, limit: int) -> list[ArrayView]:
    """Return the arrays that have a job that meets the filter, newest first."""
    asked = filtered(select(jobs.c.array_id).where(IN_ARRAY), where)
    if before is not None:
        asked = asked.where(jobs.c.array_id < before)
    found = connection.execute(asked.group_by(jobs.c.array_id).order_by(jobs.c.array_id.desc()).limit(limit)).scalars()
    arrays = list(found)
    states: dict[JobId, dict[State, int]] = defaultdict(dict)
    firsts: dict[JobId, JobId] = {}
    for row in rows_listed(connection, _COUNTS, arrays):
        states[row.array_id][State(row.state)] = row.jobs
        firsts[row.array_id] = min(row.first, firsts.get(row.array_id, row.first))
    rows = {row.array_id: row for row in rows_listed(connection, _FIRST_JOBS, firsts.values())}
    views = []
    for array in arrays:
        row, counts = rows[array], states[array]
        member = JOB_SPEC.decode(row.spec).array
        if member is None:
            raise LookupError(f"job {row.id} does not say that it is of array {array}")
        in_order = tuple((state, counts[state]) for state in State if state in counts)
        views.append(ArrayView(member, row.tenant, row.submitted_by, row.submitted_at, in_order))
    return views
