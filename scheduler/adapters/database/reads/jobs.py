"""Reading jobs with all that became of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.rows import AnyRow, attempts_of, group_of, job_of, progress_of
from scheduler.adapters.database.schema.work import (
    IN_ARRAY,
    attempts,
    groups,
    job_chips,
    job_labels,
    jobs,
    progress,
    rendezvous,
)
from scheduler.core.model.attempt import Attempt, Progress
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import AttemptId, GroupId, JobId, TenantName
from scheduler.core.model.job import member_name
from scheduler.ports.views import JobFilter, JobView

_JOB = select(jobs).where(jobs.c.id == bindparam("job"))
_JOB_OF_TENANT = _JOB.where(jobs.c.tenant == bindparam("tenant"))
_GROUPS = select(groups).where(groups.c.job_id.in_(LISTED)).order_by(groups.c.job_id, groups.c.position)
_ATTEMPTS = (
    select(attempts)
    .join(groups, groups.c.id == attempts.c.group_id)
    .where(groups.c.job_id.in_(LISTED))
    .order_by(groups.c.position, attempts.c.number)
)
_LATEST_ATTEMPTS = _ATTEMPTS.where(attempts.c.number == groups.c.attempts)
_OPEN = select(attempts.c.id).where(
    attempts.c.id == bindparam("attempt"),
    attempts.c.ended_at.is_(None),
    attempts.c.met <= bindparam("generation"),
    attempts.c.generation >= bindparam("generation"),
)
_ADDRESS = select(rendezvous.c.address).where(
    rendezvous.c.attempt_id == bindparam("attempt"), rendezvous.c.generation == bindparam("generation")
)
_PROGRESS = (
    select(progress)
    .where(progress.c.attempt_id == bindparam("attempt"))
    .order_by(progress.c.generation.desc(), progress.c.step.desc())
    .limit(bindparam("most"))
)

_NEWER, _SAME = progress.alias("newer"), progress.alias("same")
_LAST_GENERATION = (
    select(func.max(_NEWER.c.generation))
    .where(_NEWER.c.attempt_id == attempts.c.id)
    .correlate(attempts)
    .scalar_subquery()
)
_LAST_STEP = (
    select(func.max(_SAME.c.step))
    .where(_SAME.c.attempt_id == attempts.c.id, _SAME.c.generation == _LAST_GENERATION)
    .correlate(attempts)
    .scalar_subquery()
)
_LATEST_PROGRESS = (
    select(progress)
    .select_from(attempts)
    .join(progress, progress.c.attempt_id == attempts.c.id)
    .where(progress.c.generation == _LAST_GENERATION, progress.c.step == _LAST_STEP, attempts.c.id.in_(LISTED))
)
"""Each report is found by two look-ups in the primary key."""


def view_jobs(connection: Connection, where: JobFilter, *, before: JobId | None, limit: int) -> list[JobView]:
    """Return jobs newest first, each with the latest attempt of its groups."""
    asked = filtered(select(jobs), where)
    if before is not None:
        asked = asked.where(jobs.c.id < before)
    rows = connection.execute(asked.order_by(jobs.c.id.desc()).limit(limit)).all()
    return _views(connection, rows, _LATEST_ATTEMPTS)


def view_job(connection: Connection, job: JobId, *, tenant: TenantName | None) -> JobView | None:
    """Return one job with all its attempts; None unless it belongs to `tenant` (None: any)."""
    asked = _JOB if tenant is None else _JOB_OF_TENANT
    rows = list(connection.execute(asked, {"job": job, "tenant": tenant}))
    return _views(connection, rows, _ATTEMPTS)[0] if rows else None


def is_open(connection: Connection, attempt: AttemptId, generation: int) -> bool:
    """Say whether an attempt holds devices, and is of a generation or on its way from or to it."""
    return connection.execute(_OPEN, {"attempt": attempt, "generation": generation}).first() is not None


def read_address(connection: Connection, attempt: AttemptId, generation: int) -> str | None:
    """Return rank 0's address."""
    return connection.execute(_ADDRESS, {"attempt": attempt, "generation": generation}).scalar()


def read_progress(connection: Connection, attempt: AttemptId, *, limit: int) -> list[Progress]:
    """Return an attempt's latest reports, oldest first."""
    newest_first = connection.execute(_PROGRESS, {"attempt": attempt, "most": limit})
    return [progress_of(row) for row in newest_first][::-1]


def filtered(asked: Select[Any], where: JobFilter) -> Select[Any]:
    """Return a question for jobs, asked of those that meet the filter."""
    if where.tenant is not None:
        asked = asked.where(jobs.c.tenant == where.tenant)
    if where.states is not None:
        asked = asked.where(jobs.c.state.in_(sorted(where.states)))
    if where.name is not None:
        asked = asked.where(jobs.c.name == where.name)
    if where.submitted_by is not None:
        asked = asked.where(jobs.c.submitted_by == where.submitted_by)
    if where.chip is not None:
        accepts = select(job_chips.c.job_id).where(job_chips.c.chip == where.chip)
        asked = asked.where(accepts.where(job_chips.c.job_id == jobs.c.id).exists())
    if where.array is not None:
        asked = asked.where(IN_ARRAY, jobs.c.array_id == where.array)
    if where.array_name is not None:
        first = jobs.alias("first")
        named = select(first.c.array_id).where(first.c.name == member_name(where.array_name, 0))
        asked = asked.where(jobs.c.array_id.in_(named.where(first.c.array_id.is_not(None))))
    if where.in_array is not None:
        asked = asked.where(jobs.c.array_id.is_not(None) if where.in_array else jobs.c.array_id.is_(None))
    if where.label is not None:
        key, value = where.label
        bears = select(job_labels.c.job_id).where(job_labels.c.key == key, job_labels.c.value == value)
        asked = asked.where(bears.where(job_labels.c.job_id == jobs.c.id).exists())
    return asked


def _views(connection: Connection, rows: Sequence[AnyRow], attempts_asked: Select[Any]) -> list[JobView]:
    """Return the views of rows of `jobs`, in their order, by one statement per table."""
    ids = [row.id for row in rows]
    groups_of: dict[JobId, list[AnyRow]] = defaultdict(list)
    for row in rows_listed(connection, _GROUPS, ids):
        groups_of[row.job_id].append(row)
    attempt_rows = rows_listed(connection, attempts_asked, ids)
    attempts_by_group: dict[GroupId, list[Attempt]] = defaultdict(list)
    for attempt in attempts_of(connection, attempt_rows):
        attempts_by_group[attempt.group_id].append(attempt)
    latest = latest_progress(connection, [row.id for row in attempt_rows])
    return [_view(row, groups_of[row.id], attempts_by_group, latest) for row in rows]


def _view(
    row: AnyRow,
    group_rows: Sequence[AnyRow],
    attempts_by_group: dict[GroupId, list[Attempt]],
    latest: dict[AttemptId, Progress],
) -> JobView:
    mine = tuple(attempt for group in group_rows for attempt in attempts_by_group.get(group.id, ()))
    reports = [latest[attempt.id] for attempt in mine if attempt.id in latest]
    details = [group.stop_detail for group in group_rows if group.stop_detail]
    return JobView(
        job=job_of(row),
        state=State(row.state),
        groups=tuple(group_of(group) for group in group_rows),
        attempts=mine,
        progress=max(reports, key=lambda report: report.at) if reports else None,
        finished_at=row.finished_at,
        refusal=details[-1] if details else None,
    )


def latest_progress(connection: Connection, attempt_ids: Iterable[AttemptId]) -> dict[AttemptId, Progress]:
    """Return the latest report of attempts."""
    return {row.attempt_id: progress_of(row) for row in rows_listed(connection, _LATEST_PROGRESS, attempt_ids)}
