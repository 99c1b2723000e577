"""Writing how far trainings are."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select, tuple_

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.work import attempts, progress
from scheduler.adapters.database.transaction import Draft, Row, Transaction
from scheduler.adapters.database.writes.reports.speakers import speakers_of, speaking
from scheduler.core.model.attempt import Progress
from scheduler.core.model.change import ProgressReported
from scheduler.core.model.identifiers import AttemptId
from scheduler.ports.journal import Outcome, Rejected, Rejection, Unchanged, Written
from scheduler.ports.workers.reports import ReportProgress

KEPT_REPORTS = 1_000
CLOSEST_REPORTS_S = 0.2
REPORTS_PER_AGE = 2_000
"""A curve of so many points shows all there is to see: an hour in, reports are kept 1.8 s apart. Every one of them
stays in the change feed."""
LEAST_OFTEN_S = 30.0
""""How far is it" is answered with the latest kept report, so they are never further apart than this."""

_KEPT = select(progress).where(tuple_(progress.c.attempt_id, progress.c.generation, progress.c.step).in_(LISTED))
_OF_SAME = progress.alias("of_same")
_LAST_AT = (
    select(func.max(_OF_SAME.c.at)).where(_OF_SAME.c.attempt_id == attempts.c.id).correlate(attempts).scalar_subquery()
)
_LATEST = (
    select(progress.c.attempt_id, progress.c.step, progress.c.steps, progress.c.at)
    .select_from(attempts)
    .join(progress, progress.c.attempt_id == attempts.c.id)
    .where(progress.c.at == _LAST_AT, attempts.c.id.in_(LISTED))
)
"""By the time, not by the step: who reports ever smaller steps must not be free to send as many as they like."""
_NEWEST_TOO_MANY = (
    select(progress.c.generation, progress.c.step)
    .where(progress.c.attempt_id == bindparam("attempt"))
    .order_by(progress.c.generation.desc(), progress.c.step.desc())
    .offset(KEPT_REPORTS)
    .limit(1)
)
_DROP_UP_TO = delete(progress).where(
    progress.c.attempt_id == bindparam("attempt"),
    tuple_(progress.c.generation, progress.c.step)
    <= tuple_(
        bindparam("last_generation", type_=progress.c.generation.type),
        bindparam("last_step", type_=progress.c.step.type),
    ),
)


@dataclass(frozen=True, slots=True)
class _Latest:
    """An attempt's latest kept report."""

    at: datetime
    is_last_step: bool

    def is_too_close(self, given: Progress, placed_at: datetime) -> bool:
        """Say whether a report came so soon after this one that it is not kept; the older an attempt, the sooner so."""
        tells_of_end = given.step == given.steps and not self.is_last_step
        age_s = abs((given.at - placed_at).total_seconds())
        closest_s = max(CLOSEST_REPORTS_S, min(age_s / REPORTS_PER_AGE, LEAST_OFTEN_S))
        # A clock that was set back must not silence an attempt until it has caught up.
        return not tells_of_end and abs(given.at - self.at) < timedelta(seconds=closest_s)


def report(transaction: Transaction, items: Sequence[ReportProgress]) -> list[Outcome]:
    """Keep reports of training; one that is there already, or is too close to the latest, changes nothing."""
    speakers, latest = speakers_of(transaction, items), _latest(transaction, {item.attempt for item in items})
    kept = _kept(transaction, items)
    rows: dict[tuple[AttemptId, int, int], Row] = {}
    outcomes: list[Outcome] = []
    for item in items:
        speaker = speaking(speakers, item)
        if isinstance(speaker, Rejected):
            outcomes.append(speaker)
            continue
        key, row = (item.attempt, item.generation, item.progress.step), _row(item)
        if not (math.isfinite(item.progress.loss or 0.0) and math.isfinite(item.progress.tokens_per_s)):
            outcomes.append(Rejected(Rejection.ILLEGAL, "loss and tokens/s must be finite numbers"))
        elif kept.get(key) == row or (
            item.attempt in latest and latest[item.attempt].is_too_close(item.progress, speaker.placed_at)
        ):
            outcomes.append(Unchanged(speaker.job, speaker.state))
        else:
            kept[key] = rows[key] = row
            latest[item.attempt] = _Latest(item.progress.at, item.progress.step == item.progress.steps)
            body = ProgressReported(item.attempt, item.progress)
            change = transaction.add(Draft(item.progress.at, body, tenant=speaker.tenant, job=speaker.job))
            outcomes.append(Written(speaker.job, speaker.state, change))
    transaction.insert_or_replace(progress, list(rows.values()))
    for attempt in sorted({attempt for attempt, _, _ in rows}):
        _drop_oldest(transaction, attempt)
    return outcomes


def _kept(transaction: Transaction, items: Sequence[ReportProgress]) -> dict[tuple[AttemptId, int, int], Row]:
    """Return those reports that are there already."""
    found: dict[tuple[AttemptId, int, int], Row] = {}
    keys = {(item.attempt, item.generation, item.progress.step) for item in items}
    for row in rows_listed(transaction.connection, _KEPT, keys):
        found[row.attempt_id, row.generation, row.step] = dict(row._mapping)  # noqa: SLF001 - its public name
    return found


def _latest(transaction: Transaction, attempt_ids: Iterable[AttemptId]) -> dict[AttemptId, _Latest]:
    """Return the latest kept report of attempts; of two at once the last step counts."""
    found: dict[AttemptId, _Latest] = {}
    for row in rows_listed(transaction.connection, _LATEST, sorted(attempt_ids)):
        same = found.get(row.attempt_id)
        is_last_step = row.step == row.steps or (same is not None and same.is_last_step)
        found[row.attempt_id] = _Latest(row.at, is_last_step)
    return found


def _drop_oldest(transaction: Transaction, attempt: AttemptId) -> None:
    """Keep an attempt's latest reports only."""
    last = transaction.connection.execute(_NEWEST_TOO_MANY, {"attempt": attempt}).first()
    if last is not None:
        dropped = {"attempt": attempt, "last_generation": last.generation, "last_step": last.step}
        transaction.connection.execute(_DROP_UP_TO, dropped)


def _row(item: ReportProgress) -> Row:
    return {
        "attempt_id": item.attempt,
        "generation": item.generation,
        "step": item.progress.step,
        "steps": item.progress.steps,
        "loss": item.progress.loss,
        "tokens_per_s": item.progress.tokens_per_s,
        "at": item.progress.at,
    }
