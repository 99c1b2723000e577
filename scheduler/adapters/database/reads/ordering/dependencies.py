"""Reading what became of the jobs and arrays that others come after."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, select

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.work import IN_ARRAY, jobs
from scheduler.core.lifecycle.job_state import job_state
from scheduler.core.model.group import FINAL, State
from scheduler.core.model.identifiers import JobId, TenantName
from scheduler.core.model.job import Dependency, Job

_STATES = select(jobs.c.id, jobs.c.tenant, jobs.c.state).where(jobs.c.id.in_(LISTED)).order_by(jobs.c.id)
_HELD_STILL = _STATES.with_for_update(read=True)
_STATES_IN_ARRAYS = (
    select(jobs.c.array_id, jobs.c.state, func.min(jobs.c.id).label("first"))
    .where(IN_ARRAY, jobs.c.array_id.in_(LISTED))
    .group_by(jobs.c.array_id, jobs.c.state)
)

_Known = dict[JobId, tuple[TenantName, State]]


def states_of(connection: Connection, after: Iterable[Dependency], *, hold_still: bool = False) -> _Known:
    """Return whose the jobs and arrays are that others come after, and what they are; what there is not is absent.

    Held still, nobody ends one of them before this transaction is over, so that the feed tells of it later.
    """
    named = set(after)
    arrays = {one.job for one in named if one.is_array}
    if hold_still:
        _hold_still(connection, arrays)
    single = _read(connection, (one.job for one in named if not one.is_array), hold_still=hold_still)
    return single | _states_of_arrays(connection, arrays)


def with_settled(connection: Connection, found: Sequence[Job]) -> list[Job]:
    """Return jobs with what became of those that they come after."""
    states = states_of(connection, (one for job in found for one in job.spec.after))
    return [settle(job, states) for job in found]


def settle(job: Job, states: _Known) -> Job:
    """Return a job with what is final of the states."""
    for one in job.spec.after:
        if one.job in states and states[one.job][1] in FINAL:
            job = job.with_settled(one.job, states[one.job][1])
    return job


def ended_in_arrays(connection: Connection, live: Iterable[Job]) -> tuple[tuple[JobId, tuple[State, ...]], ...]:
    """Return the arrays that these jobs are left of, each with what its final ones became, where there are any."""
    members = [member for job in live if (member := job.spec.array) is not None]
    left = Counter(member.array for member in members)
    begun = sorted({member.array for member in members if left[member.array] < member.count})
    ended: defaultdict[JobId, list[State]] = defaultdict(list)
    for row in rows_listed(connection, _STATES_IN_ARRAYS, begun):
        if State(row.state) in FINAL:
            ended[row.array_id].append(State(row.state))
    return tuple((array, tuple(sorted(states))) for array, states in sorted(ended.items()))


def _hold_still(connection: Connection, arrays: set[JobId]) -> None:
    """Lock one job that is not over of each array that has one: while it is not, the array is not."""
    while arrays:
        rows = rows_listed(connection, _STATES_IN_ARRAYS, sorted(arrays))
        left = {row.array_id: row.first for row in rows if State(row.state) not in FINAL}
        held = _read(connection, left.values(), hold_still=True)
        arrays = {array for array, job in left.items() if held[job][1] in FINAL}  # it ended before it was locked


def _read(connection: Connection, names: Iterable[JobId], *, hold_still: bool = False) -> _Known:
    rows = rows_listed(connection, _HELD_STILL if hold_still else _STATES, sorted(set(names)))
    return {row.id: (row.tenant, State(row.state)) for row in rows}


def _states_of_arrays(connection: Connection, arrays: set[JobId]) -> _Known:
    states: defaultdict[JobId, set[State]] = defaultdict(set)
    firsts: dict[JobId, JobId] = {}
    for row in rows_listed(connection, _STATES_IN_ARRAYS, sorted(arrays)):
        states[row.array_id].add(State(row.state))
        firsts[row.array_id] = row.first
    owners = _read(connection, firsts.values())
    return {array: (owners[first][0], job_state(states[array])) for array, first in firsts.items()}
