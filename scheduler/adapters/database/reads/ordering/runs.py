"""How long jobs ran lately: run times are learnt from what is over."""

from sqlalchemy import Connection, select

from scheduler.adapters.database.documents import JOB_SPEC
from scheduler.adapters.database.schema.work import attempts, groups, jobs
from scheduler.core.model.group import State
from scheduler.core.model.job import Job, JobSpec

MOST_RUNS = 20_000
"""So many of the latest runs that succeeded are learnt from."""

_LATEST = (
    select(attempts.c.group_id, attempts.c.started_at, attempts.c.ended_at)
    .where(attempts.c.ended_at.is_not(None), attempts.c.started_at.is_not(None), attempts.c.state == State.SUCCEEDED)
    .order_by(attempts.c.ended_at.desc())
    .limit(MOST_RUNS)
    .subquery()
)
_RUNS = (
    select(
        jobs.c.id,
        jobs.c.tenant,
        jobs.c.spec,
        jobs.c.submitted_by,
        jobs.c.submitted_at,
        _LATEST.c.started_at,
        _LATEST.c.ended_at,
    )
    .select_from(_LATEST.join(groups, groups.c.id == _LATEST.c.group_id).join(jobs, jobs.c.id == groups.c.job_id))
    .order_by(_LATEST.c.ended_at, jobs.c.id)
)


def read_runs(connection: Connection) -> tuple[tuple[Job, float], ...]:
    """Return jobs of which an attempt succeeded lately, each with how many seconds that ran, oldest first."""
    specs: dict[str, JobSpec] = {}
    runs: list[tuple[Job, float]] = []
    for row in connection.execute(_RUNS):
        spec = specs.get(row.spec)
        if spec is None:
            spec = specs[row.spec] = JOB_SPEC.decode(row.spec)
        job = Job(row.id, row.tenant, spec, row.submitted_by, row.submitted_at)
        runs.append((job, (row.ended_at - row.started_at).total_seconds()))
    return tuple(runs)
