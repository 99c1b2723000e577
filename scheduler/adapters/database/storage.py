"""The way in: a database opened as the ports it fulfils."""

from dataclasses import dataclass

from sqlalchemy import text

from scheduler.adapters.database.committing import Committer
from scheduler.adapters.database.directory import DatabaseDirectory
from scheduler.adapters.database.engine import Engines, open_engines
from scheduler.adapters.database.failures import StorageError
from scheduler.adapters.database.journal import DatabaseJournal, write_items
from scheduler.adapters.database.leadership import DatabaseLeadership
from scheduler.adapters.database.migrate import upgrade
from scheduler.adapters.database.views import DatabaseViews
from scheduler.adapters.database.writer import Writer
from scheduler.ports.journal import StorageUnavailable
from scheduler.ports.wake_up import WakeUp

__all__ = ["Storage", "StorageError", "open_storage"]


@dataclass(frozen=True, slots=True)
class Storage:
    """One open database."""

    journal: DatabaseJournal
    directory: DatabaseDirectory
    views: DatabaseViews
    leadership: DatabaseLeadership
    engines: Engines
    writer: Writer

    def ping(self) -> bool:
        """Say, within seconds, whether the database answers and writes are taken."""
        if not self.writer.is_open:
            return False
        try:
            with self.engines.read() as connection:
                connection.execute(text("SELECT 1"))
        except StorageUnavailable:
            return False
        return True

    def close(self) -> None:
        """Write what was handed over, then close every connection."""
        self.writer.close()
        self.engines.close()


def open_storage(url: str, wake_up: WakeUp) -> Storage:
    """Open a database, bringing its schema up to date first.

    `wake_up` is notified once after every commit that added changes. Raises StorageError where the database cannot
    be opened or its schema is newer than this code.
    """
    upgrade(url)
    engines = open_engines(url)
    writer = Writer(Committer(engines.writing, write_items), wake_up)
    return Storage(
        journal=DatabaseJournal(writer),
        directory=DatabaseDirectory(engines, writer),
        views=DatabaseViews(engines),
        leadership=DatabaseLeadership(engines, writer),
        engines=engines,
        writer=writer,
    )
