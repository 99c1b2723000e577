"""Reading jobs in short, many at once: what a table of them shows."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select

from scheduler.adapters.database.documents import JOB_SPEC
from scheduler.adapters.database.reads.jobs import filtered, latest_progress
from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.rows import AnyRow
from scheduler.adapters.database.schema.work import LIVE, OPEN, attempts, groups, jobs
from scheduler.core.model.attempt import Progress
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import ChipName, JobId
from scheduler.core.model.job import ExactMix, JobKind
from scheduler.ports.views import JobFilter, JobRow

_COLUMNS = (
    jobs.c.id,
    jobs.c.tenant,
    jobs.c.name,
    jobs.c.state,
    jobs.c.replicas,
    jobs.c.spec,
    jobs.c.submitted_by,
    jobs.c.submitted_at,
    jobs.c.finished_at,
    jobs.c.array_id,
)
_STATES = {str(state): state for state in State}
_WISHES = ("kind", "workers", "shape", "chips", "priority", "alternatives", "roles")
"""The fields of a specification that a row tells of."""
_GROUPS_IN_SHORT = (
    select(
        groups.c.job_id,
        func.max(groups.c.attempts).label("attempts"),
        func.max(groups.c.stop_reason).label("stop_reason"),
        func.sum(case((groups.c.state == State.RUNNING, 1), else_=0)).label("ready"),
    )
    .where(groups.c.job_id.in_(LISTED))
    .group_by(groups.c.job_id)
)
_OPEN_ATTEMPTS = (
    select(attempts.c.id, attempts.c.started_at, groups.c.job_id)
    .join(groups, groups.c.id == attempts.c.group_id)
    .where(groups.c.job_id.in_(LISTED), OPEN)
)


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What a row tells of a specification."""

    kind: JobKind
    priority: int
    workers: int
    devices: int
    chips: tuple[ChipName, ...]
    mix: tuple[tuple[ChipName, int], ...]


def read_job_rows(connection: Connection, where: JobFilter, *, before: JobId | None, limit: int) -> list[JobRow]:
    """Return jobs newest first, by one statement per table however many they are."""
    asked = filtered(select(*_COLUMNS), where)
    if before is not None:
        asked = asked.where(jobs.c.id < before)
    rows = connection.execute(asked.order_by(jobs.c.id.desc()).limit(limit)).all()
    in_short = {row.job_id: row for row in rows_listed(connection, _GROUPS_IN_SHORT, [row.id for row in rows])}
    running = _progress_of_running(connection, [row.id for row in rows if row.state == State.RUNNING])
    known: dict[str, _Wishes] = {}
    return [_row(row, in_short[row.id], running.get(row.id), _wishes(row, known)) for row in rows]


def read_live_jobs(connection: Connection, where: JobFilter, *, before: JobId | None, limit: int) -> list[JobId]:
    """Return the ids of jobs that are not final, newest first."""
    asked = filtered(select(jobs.c.id).where(LIVE), where)
    if before is not None:
        asked = asked.where(jobs.c.id < before)
    return list(connection.execute(asked.order_by(jobs.c.id.desc()).limit(limit)).scalars())


def _progress_of_running(connection: Connection, ids: Iterable[JobId]) -> dict[JobId, Progress]:
    job_of = {row.id: row.job_id for row in rows_listed(connection, _OPEN_ATTEMPTS, ids)}
    return {job_of[attempt]: report for attempt, report in latest_progress(connection, job_of).items()}


def _wishes(row: AnyRow, known: dict[str, _Wishes]) -> _Wishes:
    """Return what a row tells of a specification; those that wish the same are worked out once.

    Jobs of one user are much alike: most texts differ in their name alone, others in what a row tells nothing of, and
    reading a whole specification takes ten times as long as looking for that.
    """
    text = row.spec.replace(f'"name":"{row.name}"', "", 1)
    if text not in known:
        fields: dict[str, Any] = json.loads(row.spec)
        key = str([fields.get(field) for field in _WISHES])
        known[text] = known[key] = known.get(key) or _wishes_of(row.spec)
    return known[text]


def _wishes_of(document: str) -> _Wishes:
    spec = JOB_SPEC.decode(document)
    options = spec.options()
    return _Wishes(
        kind=spec.kind,
        priority=spec.priority,
        workers=sum(part.workers for part in options[0]),
        devices=sum(part.workers * part.shape.devices for part in options[0]),
        chips=tuple(dict.fromkeys(part.chip for option in options for part in option if part.chip)),
        mix=spec.chips.workers if isinstance(spec.chips, ExactMix) else (),
    )


def _row(row: AnyRow, group: AnyRow, progress: Progress | None, wishes: _Wishes) -> JobRow:
    return JobRow(
        id=row.id,
        tenant=row.tenant,
        name=row.name,
        kind=wishes.kind,
        state=_STATES[row.state],
        priority=wishes.priority,
        workers=row.replicas * wishes.workers,
        devices=row.replicas * wishes.devices,
        chips=wishes.chips,
        mix=wishes.mix,
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        finished_at=row.finished_at,
        attempts=group.attempts,
        stop_reason=StopReason(group.stop_reason) if group.stop_reason else None,
        progress=progress,
        replicas=row.replicas,
        ready=int(group.ready),
        array=row.array_id,
    )
