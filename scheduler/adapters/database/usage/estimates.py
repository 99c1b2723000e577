"""What gangs were told of their start, on a database."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from scheduler.adapters.database.engine import Engines
from scheduler.adapters.database.reads.listed import LISTED, in_chunks, rows_listed
from scheduler.adapters.database.reads.rows import AnyRow
from scheduler.adapters.database.schema.promises import start_estimates
from scheduler.adapters.database.schema.work import attempts
from scheduler.adapters.database.transaction import Transaction
from scheduler.adapters.database.writer import Writer
from scheduler.core.model.identifiers import AttemptId
from scheduler.core.model.waiting.estimate import StartBasis
from scheduler.core.model.waiting.score import Score, ToldStart

_OPEN = select(start_estimates.c.attempt_id, start_estimates.c.basis).where(start_estimates.c.placed_at.is_(None))
_PLACED = select(attempts.c.id, attempts.c.placed_at).where(attempts.c.id.in_(LISTED))
_TOLD = select(start_estimates).where(start_estimates.c.attempt_id.in_(LISTED), start_estimates.c.placed_at.is_(None))
_SETTLE = (
    update(start_estimates)
    .where(start_estimates.c.attempt_id == bindparam("of_id"), start_estimates.c.placed_at.is_(None))
    .values(placed_at=bindparam("at"))
)
_DROP = delete(start_estimates).where(start_estimates.c.attempt_id.in_(LISTED), start_estimates.c.placed_at.is_(None))


class DatabaseEstimates:
    """Fulfils ports.records.estimates.Estimates."""

    def __init__(self, engines: Engines, writer: Writer) -> None:
        self._engines = engines
        self._writer = writer

    def open(self) -> set[tuple[AttemptId, StartBasis]]:
        """Return what was told and is not settled."""
        with self._engines.read() as connection:
            return {(row.attempt_id, StartBasis(row.basis)) for row in connection.execute(_OPEN)}

    def keep(
        self, told: Sequence[ToldStart], over: Collection[AttemptId], forget_before: datetime, epoch: int
    ) -> list[Score] | None:
        """Keep what was told, and settle what was told of those that wait no more; None for an old epoch."""

        def write(transaction: Transaction) -> list[Score] | None:
            if not transaction.leads(epoch):
                return None
            rows = [
                {
                    "attempt_id": one.attempt,
                    "basis": one.basis,
                    "told_at": one.at,
                    "earliest": one.earliest,
                    "latest": one.latest,
                }
                for one in told
            ]
            transaction.insert_missing(start_estimates, rows)
            scores = _settle(transaction, sorted(over))
            transaction.connection.execute(delete(start_estimates).where(start_estimates.c.told_at < forget_before))
            return scores

        return self._writer.call(write)

    def scores(self, since: datetime, limit: int) -> list[Score]:
        """Return what became of estimates of those that were placed since then, the latest first."""
        table = start_estimates.c
        asked = select(start_estimates).where(table.placed_at >= since)
        asked = asked.order_by(table.placed_at.desc(), table.attempt_id, table.basis).limit(limit)
        with self._engines.read() as connection:
            return [Score(_told(row), row.placed_at) for row in connection.execute(asked)]


def _settle(transaction: Transaction, over: Sequence[AttemptId]) -> list[Score]:
    connection = transaction.connection
    placed = {row.id: row.placed_at for row in rows_listed(connection, _PLACED, over)}
    scores = [Score(_told(row), placed[row.attempt_id]) for row in rows_listed(connection, _TOLD, sorted(placed))]
    if placed:
        connection.execute(_SETTLE, [{"of_id": name, "at": at} for name, at in sorted(placed.items())])
    for chunk in in_chunks(name for name in over if name not in placed):
        connection.execute(_DROP, {LISTED.key: chunk})
    return scores


def _told(row: AnyRow) -> ToldStart:
    return ToldStart(row.attempt_id, StartBasis(row.basis), row.told_at, row.earliest, row.latest)
