"""Reading what became of the jobs that others come after."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.work import jobs
from scheduler.core.model.group import FINAL, State
from scheduler.core.model.identifiers import JobId, TenantName
from scheduler.core.model.job import Job

_STATES = select(jobs.c.id, jobs.c.tenant, jobs.c.state).where(jobs.c.id.in_(LISTED)).order_by(jobs.c.id)
_HELD_STILL = _STATES.with_for_update(read=True)


def states_of(
    connection: Connection, names: Iterable[JobId], *, hold_still: bool = False
) -> dict[JobId, tuple[TenantName, State]]:
    """Return whose jobs are, and what they are; those that there are not are absent.

    Held still, nobody ends one of them before this transaction is over, so that the feed tells of it later.
    """
    rows = rows_listed(connection, _HELD_STILL if hold_still else _STATES, sorted(set(names)))
    return {row.id: (row.tenant, State(row.state)) for row in rows}


def with_settled(connection: Connection, found: Sequence[Job]) -> list[Job]:
    """Return jobs with what became of those that they come after."""
    states = states_of(connection, (one.job for job in found for one in job.spec.after))
    return [settle(job, states) for job in found]


def settle(job: Job, states: dict[JobId, tuple[TenantName, State]]) -> Job:
    """Return a job with what is final of the states."""
    for one in job.spec.after:
        if one.job in states and states[one.job][1] in FINAL:
            job = job.with_settled(one.job, states[one.job][1])
    return job
