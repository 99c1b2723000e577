"""The installation's row."""

from sqlalchemy import select, update

from scheduler.adapters.database.engine import Engines
from scheduler.adapters.database.schema.installation import installation
from scheduler.adapters.database.transaction import Transaction
from scheduler.adapters.database.writer import Writer

_FINGERPRINT = select(installation.c.secret_fingerprint)


class DatabaseInstallation:
    """Which Medley a database belongs to (ports.installation)."""

    def __init__(self, engines: Engines, writer: Writer) -> None:
        self._engines = engines
        self._writer = writer

    def fingerprint(self) -> str:
        """Return the fingerprint of the server's secret; empty where no server ever ran on the database."""
        with self._engines.read() as connection:
            return str(connection.execute(_FINGERPRINT).scalar_one())

    def agree(self, fingerprint: str, *, may_replace: bool) -> bool:
        """Keep the fingerprint where there is none, or another may be replaced; says whether it is now the kept one."""

        def compare(transaction: Transaction) -> bool:
            kept: str = transaction.connection.execute(_FINGERPRINT.with_for_update()).scalar_one()
            if kept and not may_replace:
                return kept == fingerprint
            transaction.connection.execute(update(installation).values(secret_fingerprint=fingerprint))
            return True

        return self._writer.call(compare)
