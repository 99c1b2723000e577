"""Reading the change feed, and the state of one moment that followers begin with."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from scheduler.adapters.database.documents import decode_body
from scheduler.adapters.database.reads.nodes import read_clusters, read_nodes
from scheduler.adapters.database.reads.people import read_quotas
from scheduler.adapters.database.reads.rows import attempts_of, group_of, job_of
from scheduler.adapters.database.schema.feed import change_counter, changes
from scheduler.adapters.database.schema.work import attempts, groups, jobs
from scheduler.core.model.change import Change
from scheduler.core.model.group import FINAL, State
from scheduler.core.model.identifiers import JobId, TenantName
from scheduler.ports.views import Snapshot

_LIVE: Sequence[State] = [state for state in State if state not in FINAL]


def read_last_change(connection: Connection) -> int:
    """Return the number of the latest change."""
    last: int = connection.execute(select(change_counter.c.last)).scalar_one()
    return last


def read_changes(
    connection: Connection, number: int, *, limit: int, tenant: TenantName | None, job: JobId | None
) -> list[Change]:
    """Return changes with a greater number, oldest first."""
    asked = select(changes).where(changes.c.number > number).order_by(changes.c.number).limit(limit)
    if tenant is not None:
        asked = asked.where(changes.c.tenant == tenant)
    if job is not None:
        asked = asked.where(changes.c.job_id == job)
    return [
        Change(row.number, row.at, row.tenant, row.job_id, decode_body(row.kind, row.body))
        for row in connection.execute(asked)
    ]


def read_snapshot(connection: Connection) -> Snapshot:
    """Return what deciding needs, each list by id."""
    live = jobs.c.state.in_(_LIVE)
    of_live = select(groups).join(jobs, jobs.c.id == groups.c.job_id).where(live)
    open_attempts = select(attempts).where(attempts.c.ended_at.is_(None)).order_by(attempts.c.id)
    return Snapshot(
        change=read_last_change(connection),
        clusters=tuple(read_clusters(connection)),
        nodes=tuple(read_nodes(connection, None)),
        quotas=tuple(read_quotas(connection, None)),
        jobs=tuple(map(job_of, connection.execute(select(jobs).where(live).order_by(jobs.c.id)))),
        groups=tuple(map(group_of, connection.execute(of_live.order_by(groups.c.job_id, groups.c.position)))),
        attempts=tuple(attempts_of(connection, connection.execute(open_attempts))),
    )
