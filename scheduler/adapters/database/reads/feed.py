"""Reading the change feed, and the state of one moment that followers begin with."""

from operator import attrgetter

from sqlalchemy import Connection, bindparam, select

from scheduler.adapters.database.documents import decode_body
from scheduler.adapters.database.queues.reading import read_shares
from scheduler.adapters.database.reads.nodes import read_chips, read_clusters, read_nodes
from scheduler.adapters.database.reads.ordering.dependencies import ended_in_arrays, with_settled
from scheduler.adapters.database.reads.ordering.past import read_past
from scheduler.adapters.database.reads.ordering.promises import read_promises
from scheduler.adapters.database.reads.ordering.runs import read_runs
from scheduler.adapters.database.reads.rows import attempts_of, group_of, job_of
from scheduler.adapters.database.reads.sharing import one_of_each_in
from scheduler.adapters.database.schema.feed import change_counter, changes
from scheduler.adapters.database.schema.work import LIVE, attempts, groups, jobs
from scheduler.adapters.database.usage.throughputs import read_throughputs
from scheduler.core.model.change import Change
from scheduler.core.model.identifiers import JobId
from scheduler.ports.views import Snapshot

_LAST_CHANGE = select(change_counter.c.last)
_CHANGES = (
    select(changes.c.number, changes.c.at, changes.c.tenant, changes.c.job_id, changes.c.kind, changes.c.body)
    .where(changes.c.number > bindparam("after"))
    .order_by(changes.c.number)
    .limit(bindparam("most"))
)
_CHANGES_OF_JOB = _CHANGES.where(changes.c.job_id == bindparam("job"))

_LIVE_JOBS = select(jobs).where(LIVE)
_LIVE_GROUPS = (
    select(groups)
    .where(groups.c.job_id.in_(select(jobs.c.id).where(LIVE)))
    .order_by(groups.c.job_id, groups.c.position)
)
_OPEN_ATTEMPTS = select(attempts).where(attempts.c.ended_at.is_(None))
"""Sorted by us: asked for an order, SQLite would walk through all there ever was by its key."""


def read_last_change(connection: Connection) -> int:
    """Return the number of the latest change."""
    last: int = connection.execute(_LAST_CHANGE).scalar_one()
    return last


def read_changes(connection: Connection, after: int, *, limit: int, job: JobId | None) -> list[Change]:
    """Return changes after a number, oldest first; of one job, or all where `job` is None."""
    asked = _CHANGES if job is None else _CHANGES_OF_JOB
    rows = connection.execute(asked, {"after": after, "most": limit, "job": job}).all()
    return [
        Change(number, at, tenant, of_job, one_of_each_in(decode_body(kind, body)))
        for number, at, tenant, of_job, kind, body in rows
    ]


def read_snapshot(connection: Connection) -> Snapshot:
    """Return what deciding needs, each list by id."""
    by_id = attrgetter("id")
    live = [job_of(row) for row in sorted(connection.execute(_LIVE_JOBS), key=by_id)]
    found = tuple(map(group_of, connection.execute(_LIVE_GROUPS)))
    return Snapshot(
        change=read_last_change(connection),
        clusters=tuple(read_clusters(connection)),
        nodes=tuple(read_nodes(connection, None)),
        shares=read_shares(connection),
        jobs=tuple(with_settled(connection, live)),
        groups=found,
        attempts=tuple(attempts_of(connection, sorted(connection.execute(_OPEN_ATTEMPTS), key=by_id))),
        chips=tuple(read_chips(connection)),
        ended_in_arrays=ended_in_arrays(connection, live),
        promises=read_promises(connection),
        past=read_past(connection, found),
        runs=read_runs(connection),
        throughputs=read_throughputs(connection),
    )
