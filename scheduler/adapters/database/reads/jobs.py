"""Reading jobs with all that became of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select

from scheduler.adapters.database.engine import in_chunks
from scheduler.adapters.database.reads.rows import AnyRow, attempts_of, group_of, job_of, progress_of
from scheduler.adapters.database.schema.work import attempts, groups, job_chips, job_labels, jobs, progress, rendezvous
from scheduler.core.model.attempt import Attempt, Progress
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import AttemptId, GroupId, JobId, TenantName
from scheduler.ports.views import JobFilter, JobView

_LATEST = (attempts.c.group_id == groups.c.id) & (attempts.c.number == groups.c.attempts)


def view_jobs(connection: Connection, where: JobFilter, *, before: JobId | None, limit: int) -> list[JobView]:
    """Return jobs newest first, each with the latest attempt of its groups."""
    asked = _filtered(select(jobs), where)
    if before is not None:
        asked = asked.where(jobs.c.id < before)
    rows = list(connection.execute(asked.order_by(jobs.c.id.desc()).limit(limit)))
    latest = select(attempts, groups.c.job_id).join(groups, _LATEST)
    return _views(connection, rows, latest)


def view_job(connection: Connection, job: JobId, *, tenant: TenantName | None) -> JobView | None:
    """Return one job with all its attempts; None unless it belongs to `tenant` (None: any)."""
    asked = select(jobs).where(jobs.c.id == job)
    if tenant is not None:
        asked = asked.where(jobs.c.tenant == tenant)
    every = select(attempts, groups.c.job_id).join(groups, groups.c.id == attempts.c.group_id)
    views = _views(connection, list(connection.execute(asked)), every)
    return views[0] if views else None


def read_live_attempt(connection: Connection, attempt: AttemptId) -> Attempt | None:
    """Return an attempt while it holds devices."""
    asked = select(attempts).where(attempts.c.id == attempt, attempts.c.ended_at.is_(None))
    found = attempts_of(connection, connection.execute(asked))
    return found[0] if found else None


def read_address(connection: Connection, attempt: AttemptId, generation: int) -> str | None:
    """Return rank 0's address."""
    mine = (rendezvous.c.attempt_id == attempt, rendezvous.c.generation == generation)
    return connection.execute(select(rendezvous.c.address).where(*mine)).scalar()


def read_progress(connection: Connection, attempt: AttemptId, *, limit: int) -> list[Progress]:
    """Return an attempt's latest reports, oldest first."""
    newest_first = (progress.c.generation.desc(), progress.c.step.desc())
    asked = select(progress).where(progress.c.attempt_id == attempt).order_by(*newest_first).limit(limit)
    return [progress_of(row) for row in connection.execute(asked)][::-1]


def _filtered(asked: Select[Any], where: JobFilter) -> Select[Any]:
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
    if where.label is not None:
        key, value = where.label
        bears = select(job_labels.c.job_id).where(job_labels.c.key == key, job_labels.c.value == value)
        asked = asked.where(bears.where(job_labels.c.job_id == jobs.c.id).exists())
    return asked


def _views(connection: Connection, rows: Sequence[AnyRow], attempts_asked: Select[Any]) -> list[JobView]:
    """Return the views of rows of `jobs`, in their order, by one statement per table."""
    groups_of: dict[JobId, list[AnyRow]] = defaultdict(list)
    attempt_rows: list[AnyRow] = []
    for ids in in_chunks(row.id for row in rows):
        asked = select(groups).where(groups.c.job_id.in_(ids)).order_by(groups.c.job_id, groups.c.position)
        for row in connection.execute(asked):
            groups_of[row.job_id].append(row)
        of_jobs = attempts_asked.where(groups.c.job_id.in_(ids))
        attempt_rows += connection.execute(of_jobs.order_by(groups.c.position, attempts.c.number))
    attempts_by_group: dict[GroupId, list[Attempt]] = defaultdict(list)
    for attempt in attempts_of(connection, attempt_rows):
        attempts_by_group[attempt.group_id].append(attempt)
    latest = _latest_progress(connection, [row.id for row in attempt_rows])
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


def _latest_progress(connection: Connection, attempt_ids: Iterable[AttemptId]) -> dict[AttemptId, Progress]:
    """Return the latest report of attempts; each is found by two look-ups in the primary key."""
    newer, same = progress.alias("newer"), progress.alias("same")
    generation = select(func.max(newer.c.generation)).where(newer.c.attempt_id == attempts.c.id).scalar_subquery()
    step = (
        select(func.max(same.c.step))
        .where(same.c.attempt_id == attempts.c.id, same.c.generation == generation)
        .scalar_subquery()
    )
    found: dict[AttemptId, Progress] = {}
    latest = (
        (progress.c.attempt_id == attempts.c.id) & (progress.c.generation == generation) & (progress.c.step == step)
    )
    for ids in in_chunks(attempt_ids):
        asked = select(progress).select_from(attempts).join(progress, latest).where(attempts.c.id.in_(ids))
        for row in connection.execute(asked):
            found[row.attempt_id] = progress_of(row)
    return found
