"""The epoch row."""

from sqlalchemy import select

from scheduler.adapters.database.engine import Engines
from scheduler.adapters.database.schema.feed import leadership
from scheduler.adapters.database.writer import Writer


class DatabaseLeadership:
    """Who may decide (ports.leadership)."""

    def __init__(self, engines: Engines, writer: Writer) -> None:
        self._engines = engines
        self._writer = writer

    def take(self, holder: str) -> int:
        """Make `holder` the leader; waits for the old leader's open transaction. Raises StorageUnavailable."""
        return self._writer.call(lambda transaction: transaction.take_leadership(holder))

    def current(self) -> tuple[int, str]:
        """Return the present epoch and its holder. Raises StorageUnavailable."""
        with self._engines.read() as connection:
            row = connection.execute(select(leadership.c.epoch, leadership.c.holder)).one()
        return row.epoch, row.holder
