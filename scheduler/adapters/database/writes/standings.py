"""The groups that a run of items is about: read and locked once, moved in memory, written once."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, select, update

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.rows import group_of
from scheduler.adapters.database.schema.work import attempts, groups, jobs
from scheduler.adapters.database.transaction import Row, Transaction
from scheduler.core.lifecycle.job_state import job_state
from scheduler.core.lifecycle.transitions import RetryRule
from scheduler.core.model.change import Together
from scheduler.core.model.group import FINAL, HOLDING, WISHES, Group, State
from scheduler.core.model.identifiers import GroupId, JobId, TenantName
from scheduler.core.model.job import JobKind, Wish
from scheduler.core.model.sharing.queue import QueueName

_GROUPS = (
    select(
        groups,
        *(jobs.c[name] for name in ("tenant", "queue", "kind", "wish", "retries", "replicas", "revision")),
        attempts.c.generation,
        attempts.c.started_at,
        attempts.c.revision.label("attempt_revision"),
    )
    .join(jobs, jobs.c.id == groups.c.job_id)
    .outerjoin(attempts, (attempts.c.group_id == groups.c.id) & (attempts.c.number == groups.c.attempts))
    .where(groups.c.job_id.in_(LISTED))
    .order_by(groups.c.job_id, groups.c.position)
    .with_for_update(of=groups)
)
_MOVE_GROUP = (
    update(groups)
    .where(groups.c.id == bindparam("of_id"), groups.c.version == bindparam("of_version"))
    .values({name: bindparam(name) for name in ("state", "version", "attempts", "failures", "stop_reason")})
    .values({name: bindparam(name) for name in ("stop_detail", "not_before", "preemptions")})
)
_MOVE_ATTEMPT = (
    update(attempts)
    .where(attempts.c.id == bindparam("of_id"), attempts.c.ended_at.is_(None))
    .values({name: bindparam(name) for name in ("state", "stop_reason", "started_at", "ended_at")})
)
_MOVE_JOB = (
    update(jobs)
    .where(jobs.c.id == bindparam("of_id"))
    .values({name: bindparam(name) for name in ("wish", "state", "finished_at")})
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A group, and what its job and its latest attempt say about it."""

    group: Group
    tenant: TenantName
    queue: QueueName
    wish: Wish
    kind: JobKind
    retries: int
    replicas: int
    """How many its user wants."""
    revision: int
    """Of the job's specification."""
    attempt_revision: int
    """Of which version the latest attempt is; 0 before the first."""
    stop_detail: str | None
    generation: int | None
    """Of the latest attempt when it was read; None before the first."""
    started_at: datetime | None
    """When the latest attempt had all its workers ready."""

    def rule(self, now: datetime) -> RetryRule:
        """Return what the job allows after a failed attempt."""
        if self.kind is not JobKind.INFERENCE:
            return RetryRule(self.retries)
        ready_s = 0.0 if self.started_at is None else (now - self.started_at).total_seconds()
        return RetryRule(None, max(ready_s, 0.0))


@dataclass(frozen=True, slots=True)
class _Move:
    before: Standing
    after: Standing
    at: datetime


class Standings:
    """All groups of some jobs, locked until the transaction ends."""

    def __init__(self, transaction: Transaction, job_ids: Iterable[JobId]) -> None:
        self._transaction = transaction
        self._standings: dict[GroupId, Standing] = {}
        self._groups_of: dict[JobId, list[GroupId]] = defaultdict(list)
        self._moves: list[_Move] = []
        self._finished_at: dict[JobId, datetime] = {}
        self._load(sorted(set(job_ids)))

    def find(self, group: GroupId) -> Standing | None:
        """Return a group as it stands after the moves so far."""
        return self._standings.get(group)

    def of_job(self, job: JobId) -> list[Standing]:
        """Return a job's groups by index; empty where there is no such job."""
        return [self._standings[group] for group in self._groups_of.get(job, ())]

    def state_of(self, job: JobId) -> State:
        """Return the job's state after the moves so far; the job must exist."""
        return job_state([standing.group.state for standing in self.of_job(job)])

    def together(self, job: JobId) -> Together | None:
        """Return what the moves so far make of a job of several groups, None for any other."""
        groups = self.of_job(job)
        if len(groups) < 2:  # noqa: PLR2004 - one is not several
            return None
        return Together(self.state_of(job), sum(each.group.state is State.RUNNING for each in groups))

    def revised(self, job: JobId, revision: int) -> None:
        """Note that the job has a new version."""
        for standing in self.of_job(job):
            self._standings[standing.group.id] = replace(standing, revision=revision)

    def wish_stop(self, job: JobId) -> None:
        """Note that the user wants the job to stop; written with its groups' moves."""
        for standing in self.of_job(job):
            self._standings[standing.group.id] = replace(standing, wish=Wish.STOP)

    def move(self, standing: Standing, after: Group, *, at: datetime, stop_detail: str | None) -> None:
        """Move a group to where it is after an event; `stop_detail` replaces what was said of its latest stop."""
        becomes_ready = after.state is State.RUNNING and standing.group.state is not State.RUNNING
        started_at = at if becomes_ready else standing.started_at
        moved = replace(standing, group=after, stop_detail=stop_detail, started_at=started_at)
        self._standings[after.id] = moved
        self._moves.append(_Move(standing, moved, at))
        self._finished_at[after.job_id] = at

    def save(self) -> None:
        """Write the moves, each guarded by the version it was made on. Raises LostRace."""
        guarded = self._transaction.execute_guarded
        guarded(_MOVE_GROUP, [_group_row(move) for move in self._moves])
        guarded(_MOVE_ATTEMPT, [_attempt_row(move) for move in self._moves if move.before.group.state in HOLDING])
        guarded(_MOVE_JOB, [self._job_row(job) for job in self._finished_at])

    def _load(self, job_ids: list[JobId]) -> None:
        for row in rows_listed(self._transaction.connection, _GROUPS, job_ids):
            self._groups_of[row.job_id].append(row.id)
            self._standings[row.id] = Standing(
                group=group_of(row),
                tenant=row.tenant,
                queue=row.queue,
                wish=Wish(row.wish),
                kind=JobKind(row.kind),
                retries=row.retries,
                replicas=row.replicas,
                revision=row.revision,
                attempt_revision=row.attempt_revision or 0,
                stop_detail=row.stop_detail,
                generation=row.generation,
                started_at=row.started_at,
            )

    def _job_row(self, job: JobId) -> Row:
        state = self.state_of(job)
        finished_at = self._finished_at[job] if state in FINAL else None
        return {"of_id": job, "wish": self.of_job(job)[0].wish, "state": state, "finished_at": finished_at}


def _group_row(move: _Move) -> Row:
    group = move.after.group
    return {
        "of_id": group.id,
        "of_version": move.before.group.version,
        "state": group.state,
        "version": group.version,
        "attempts": group.attempts,
        "failures": group.failures,
        "stop_reason": group.stop_reason,
        "stop_detail": move.after.stop_detail,
        "not_before": group.not_before,
        "preemptions": group.preemptions,
    }


def _attempt_row(move: _Move) -> Row:
    """An attempt mirrors its group while it lives, and keeps how it ended."""
    before, after = move.before.group, move.after.group
    row: Row = {"of_id": before.latest_attempt, "started_at": move.after.started_at}
    if after.state in HOLDING:
        return row | {"state": after.state, "stop_reason": after.stop_reason, "ended_at": None}
    if after.state is State.SUCCEEDED:
        state = State.SUCCEEDED
    else:
        state = State.CANCELLED if before.stop_reason in WISHES else State.FAILED
    return row | {"state": state, "stop_reason": before.stop_reason, "ended_at": move.at}
