"""Reading what attempts held and when, and the jobs that are over."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, case, func, literal, or_, select, tuple_

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.rows import AnyRow
from scheduler.adapters.database.schema.work import FINISHED, OPEN, allocations, attempts, groups, jobs, progress
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import AttemptId, JobId, TenantName
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.ports.records.usage import FinishedFilter, FinishedJob, HeldSpan

ROWS_AT_ONCE = 5_000

_SLOTS = case(
    (allocations.c.slots == "[]", 0),
    else_=func.length(allocations.c.slots) - func.length(func.replace(allocations.c.slots, ",", "")) + 1,
)
"""How many numbers stand in a JSON list of numbers: one more than there are commas."""
DEVICES_MILLI = case(
    (allocations.c.share_milli > 0, allocations.c.share_milli),
    else_=(_SLOTS + allocations.c.counted) * WHOLE_DEVICE_MILLI,
)
"""What a rank holds, in thousandths of devices."""
_HELD_FROM = func.coalesce(allocations.c.taken_at, attempts.c.placed_at)
_HELD_UNTIL = func.coalesce(allocations.c.given_at, attempts.c.ended_at)
"""With each generation of an attempt, what its ranks hold is written down anew."""
_HELD = (
    select(
        attempts.c.id,
        attempts.c.number,
        _HELD_FROM.label("held_from"),
        _HELD_UNTIL.label("held_until"),
        groups.c.job_id,
        groups.c.position,
        jobs.c.tenant,
        jobs.c.submitted_by,
        allocations.c.chip,
        func.sum(DEVICES_MILLI).label("devices_milli"),
    )
    .join(groups, groups.c.id == attempts.c.group_id)
    .join(jobs, jobs.c.id == groups.c.job_id)
    .join(allocations, allocations.c.attempt_id == attempts.c.id)
    .where(allocations.c.chip.is_not(None))
    .group_by(
        attempts.c.id,
        attempts.c.number,
        _HELD_FROM,
        _HELD_UNTIL,
        groups.c.job_id,
        groups.c.position,
        jobs.c.tenant,
        jobs.c.submitted_by,
        allocations.c.chip,
    )
)
_HELD_OF_JOBS = _HELD.where(groups.c.job_id.in_(LISTED)).order_by(
    groups.c.job_id, groups.c.position, attempts.c.number, allocations.c.chip
)
_ATTEMPTS = (
    select(groups.c.job_id, func.count().label("attempts"), func.min(attempts.c.placed_at).label("placed_at"))
    .join(groups, groups.c.id == attempts.c.group_id)
    .where(groups.c.job_id.in_(LISTED))
    .group_by(groups.c.job_id)
)
_LATEST_REPORT = (
    select(func.max(progress.c.at)).where(progress.c.attempt_id == attempts.c.id).correlate(attempts).scalar_subquery()
)
_REPORTS = select(attempts.c.id, _LATEST_REPORT.label("at")).where(OPEN)


def read_held(
    connection: Connection, since: datetime, until: datetime, *, tenant: TenantName | None
) -> Iterator[HeldSpan]:
    """Yield what attempts held at any time within [since, until)."""
    asked = _HELD.where(attempts.c.placed_at < until, or_(attempts.c.ended_at.is_(None), attempts.c.ended_at > since))
    if tenant is not None:
        asked = asked.where(jobs.c.tenant == tenant)
    found = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(asked)
    for row in found:
        yield _span(row)


def read_latest_reports(connection: Connection) -> dict[AttemptId, datetime]:
    """Return when each attempt that holds something last reported: one look-up in an index for each."""
    return {row.id: row.at for row in connection.execute(_REPORTS) if row.at is not None}


def read_finished(
    connection: Connection, where: FinishedFilter, *, before: tuple[datetime, JobId] | None, limit: int
) -> list[FinishedJob]:
    """Return finished jobs, the latest end first."""
    rows = list(connection.execute(_finished(where, before).limit(limit)))
    names = [row.id for row in rows]
    spans: dict[JobId, list[HeldSpan]] = defaultdict(list)
    for held in rows_listed(connection, _HELD_OF_JOBS, names):
        spans[held.job_id].append(_span(held))
    lives = {row.job_id: row for row in rows_listed(connection, _ATTEMPTS, names)}
    return [_finished_job(row, spans[row.id], lives.get(row.id)) for row in rows]


def _finished(where: FinishedFilter, before: tuple[datetime, JobId] | None) -> Select[tuple[object, ...]]:
    asked: Select[tuple[object, ...]] = select(
        jobs.c.id,
        jobs.c.name,
        jobs.c.tenant,
        jobs.c.submitted_by,
        jobs.c.state,
        jobs.c.submitted_at,
        jobs.c.finished_at,
    ).where(FINISHED)
    if where.since is not None:
        asked = asked.where(jobs.c.finished_at >= where.since)
    if where.until is not None:
        asked = asked.where(jobs.c.finished_at < where.until)
    if where.tenant is not None:
        asked = asked.where(jobs.c.tenant == where.tenant)
    if where.user is not None:
        asked = asked.where(jobs.c.submitted_by == where.user)
    if where.states is not None:
        asked = asked.where(jobs.c.state.in_(sorted(where.states)))
    if before is not None:
        place = tuple_(literal(before[0], jobs.c.finished_at.type), literal(before[1], jobs.c.id.type))
        asked = asked.where(tuple_(jobs.c.finished_at, jobs.c.id) < place)
    return asked.order_by(jobs.c.finished_at.desc(), jobs.c.id.desc())


def _finished_job(row: AnyRow, held: Iterable[HeldSpan], life: AnyRow | None) -> FinishedJob:
    return FinishedJob(
        job=row.id,
        name=row.name,
        tenant=row.tenant,
        user=row.submitted_by,
        state=State(row.state),
        submitted_at=row.submitted_at,
        finished_at=row.finished_at,
        held=tuple(held),
        attempts=0 if life is None else life.attempts,
        placed_at=None if life is None else life.placed_at,
    )


def _span(row: Any) -> HeldSpan:
    return HeldSpan(row.tenant, row.submitted_by, row.chip, int(row.devices_milli), row.held_from, row.held_until)
