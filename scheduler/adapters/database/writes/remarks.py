"""Writing what clusters said of workers."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import bindparam, select, update

from scheduler.adapters.database.documents import storable
from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.work import attempts
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.adapters.database.writes.standings import Standings
from scheduler.core.model.change import WorkersNoted
from scheduler.core.model.identifiers import job_named_by
from scheduler.ports.journal import (
    MOST_REMARKS,
    NoteWorkers,
    Outcome,
    Rejected,
    Rejection,
    Unchanged,
    Written,
)

LONGEST_REMARK = 500

_KNOWN = select(attempts.c.id, attempts.c.remarks).where(attempts.c.id.in_(LISTED))
_COUNT = update(attempts).where(attempts.c.id == bindparam("of_id")).values(remarks=bindparam("remarks"))


def note(transaction: Transaction, items: Sequence[NoteWorkers]) -> list[Outcome]:
    """Put remarks into the feed while their attempt has room for them; groups are locked as by every other write."""
    ids = sorted({item.attempt for item in items})
    standings = Standings(transaction, (job_named_by(attempt) for attempt in ids))
    kept = {row.id: row.remarks for row in rows_listed(transaction.connection, _KNOWN, ids)}
    before = dict(kept)
    outcomes = [_note_one(transaction, standings, kept, item) for item in items]
    grown = [{"of_id": attempt, "remarks": count} for attempt, count in kept.items() if count != before[attempt]]
    transaction.execute_guarded(_COUNT, grown)
    return outcomes


def _note_one(transaction: Transaction, standings: Standings, kept: dict[str, int], item: NoteWorkers) -> Outcome:
    if not transaction.leads(item.epoch):
        return Rejected(Rejection.STALE_EPOCH, str(item.epoch))
    if item.attempt not in kept:
        return Rejected(Rejection.NOT_FOUND, item.attempt)
    job = job_named_by(item.attempt)
    remarks = tuple(
        replace(remark, text=storable(remark.text, LONGEST_REMARK))
        for remark in item.remarks[: MOST_REMARKS - kept[item.attempt]]
    )
    if not remarks:
        return Unchanged(job, standings.state_of(job))
    kept[item.attempt] += len(remarks)
    tenant = standings.of_job(job)[0].tenant
    change = transaction.add(Draft(item.at, WorkersNoted(item.attempt, remarks), tenant=tenant, job=job))
    return Written(job, standings.state_of(job), change)
