"""Writing the heartbeats of attempts: one row each, written over; the feed hears of steps and checkpoints only."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import bindparam, select, update

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.work import attempts, heartbeats
from scheduler.adapters.database.transaction import Draft, Row, Transaction
from scheduler.adapters.database.writes.reports.progress import report
from scheduler.adapters.database.writes.reports.speakers import Speaker, speakers_of, speaking
from scheduler.core.model.attempt import Checkpoint, ResizeStep
from scheduler.core.model.change import CheckpointSaved, ResizeAdvanced
from scheduler.core.model.identifiers import AttemptId
from scheduler.ports.journal import Outcome, Rejected, Unchanged, Written
from scheduler.ports.workers.reports import Beat, ReportProgress

CLOSEST_CHECKPOINTS_S = 1.0

_MEET = (
    update(attempts)
    .where(attempts.c.id == bindparam("of_id"), attempts.c.met < bindparam("of_generation"))
    .values(met=bindparam("of_generation"))
)
_KNOWN = select(heartbeats).where(heartbeats.c.attempt_id.in_(LISTED))


def beat(transaction: Transaction, items: Sequence[Beat]) -> list[Outcome]:
    """Keep heartbeats, and what is new of the progress and the checkpoints that they tell of."""
    speakers = speakers_of(transaction, items)
    known: dict[AttemptId, Row] = {
        row.attempt_id: dict(row._mapping)  # noqa: SLF001 - its public name
        for row in rows_listed(transaction.connection, _KNOWN, sorted(speakers))
    }
    heard: dict[AttemptId, Row] = {}
    outcomes: list[Outcome] = []
    for item in items:
        speaker = speaking(speakers, item)
        if isinstance(speaker, Rejected):
            outcomes.append(speaker)
            continue
        row = _row(known.get(item.attempt), item)
        outcomes.append(_keep_checkpoint(transaction, speaker, row, item))
        if item.generation > speaker.met:
            outcomes[-1] = _meet(transaction, speaker, item)
            speakers[item.attempt] = replace(speaker, met=item.generation)
        known[item.attempt] = heard[item.attempt] = row
    transaction.insert_or_replace(heartbeats, list(heard.values()))
    return _with_progress(transaction, items, outcomes)


def _row(known: Row | None, item: Beat) -> Row:
    is_same = known is not None and known["generation"] == item.generation
    before = known if known is not None and is_same else {"beats": 0, "reports": 0}
    return {
        "attempt_id": item.attempt,
        "generation": item.generation,
        "beats": before["beats"] + 1,
        "reports": max(before["reports"], item.reports),
        "at": item.at,
        "memory_mib": item.memory_mib,
        "device_memory_mib": item.device_memory_mib,
        # What one generation saved, the next goes on from.
        "checkpoint_step": None if known is None else known["checkpoint_step"],
        "checkpoint_at": None if known is None else known["checkpoint_at"],
    }


def _meet(transaction: Transaction, speaker: Speaker, item: Beat) -> Outcome:
    """Write that the gang goes on as one of its next generation."""
    transaction.execute_guarded(_MEET, [{"of_id": item.attempt, "of_generation": item.generation}])
    body = ResizeAdvanced(item.attempt, item.generation, ResizeStep.MET)
    change = transaction.add(Draft(item.at, body, tenant=speaker.tenant, job=speaker.job))
    return Written(speaker.job, speaker.state, change)


def _keep_checkpoint(transaction: Transaction, speaker: Speaker, row: Row, item: Beat) -> Outcome:
    """Put a checkpoint that is further than the last one into row and feed; one that comes too soon is told again."""
    step, before, before_at = item.checkpoint_step, row["checkpoint_step"], row["checkpoint_at"]
    is_further = step is not None and (before is None or step > before)
    is_close = before_at is not None and abs(item.at - before_at) < timedelta(seconds=CLOSEST_CHECKPOINTS_S)
    if step is None or not is_further or is_close:
        return Unchanged(speaker.job, speaker.state)
    row["checkpoint_step"], row["checkpoint_at"] = step, item.at
    body = CheckpointSaved(item.attempt, Checkpoint(step, item.at))
    change = transaction.add(Draft(item.at, body, tenant=speaker.tenant, job=speaker.job))
    return Written(speaker.job, speaker.state, change)


def _with_progress(transaction: Transaction, items: Sequence[Beat], outcomes: list[Outcome]) -> list[Outcome]:
    """Keep the progress that was told as every report is kept; what that wrote is the heartbeat's outcome."""
    told = [
        (place, ReportProgress(item.attempt, item.generation, item.progress))
        for place, item in enumerate(items)
        if item.progress is not None and not isinstance(outcomes[place], Rejected)
    ]
    if told:
        for (place, _), outcome in zip(told, report(transaction, [each for _, each in told]), strict=True):
            if not isinstance(outcome, Unchanged):
                outcomes[place] = outcome
    return outcomes
