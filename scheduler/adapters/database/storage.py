"""The way in: a database opened as the ports it fulfils."""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.exc import ArgumentError

from scheduler.adapters.database.access.trail import DatabaseAuditTrail
from scheduler.adapters.database.committing import AUDIT_KEPT, Committer
from scheduler.adapters.database.directory import DatabaseDirectory
from scheduler.adapters.database.engine import READING_CONNECTIONS, Engines, open_engines, open_memory_engines
from scheduler.adapters.database.failures import StorageError
from scheduler.adapters.database.journal import DatabaseJournal, write_items
from scheduler.adapters.database.migrate import make_schema, require_newest, upgrade
from scheduler.adapters.database.processes.installation import DatabaseInstallation
from scheduler.adapters.database.processes.leadership import DatabaseLeadership
from scheduler.adapters.database.queues.queues import DatabaseQueues
from scheduler.adapters.database.usage.estimates import DatabaseEstimates
from scheduler.adapters.database.usage.profiles import DatabaseProfiles
from scheduler.adapters.database.usage.throughputs import DatabaseThroughputs
from scheduler.adapters.database.usage.usage_log import DatabaseUsage
from scheduler.adapters.database.views import DatabaseViews
from scheduler.adapters.database.writer import Writer
from scheduler.ports.journal import StorageUnavailable
from scheduler.ports.telling.telemetry import SILENCE, Telemetry
from scheduler.ports.wake_up import WakeUp

__all__ = ["Storage", "StorageError", "file_of", "open_memory_storage", "open_storage"]


@dataclass(frozen=True, slots=True)
class Storage:
    """One open database."""

    journal: DatabaseJournal
    directory: DatabaseDirectory
    views: DatabaseViews
    audit: DatabaseAuditTrail
    leadership: DatabaseLeadership
    installation: DatabaseInstallation
    usage: DatabaseUsage
    throughputs: DatabaseThroughputs
    profiles: DatabaseProfiles
    estimates: DatabaseEstimates
    queues: DatabaseQueues
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


def open_storage(
    url: str,
    wake_up: WakeUp,
    telemetry: Telemetry = SILENCE,
    *,
    reading: int = READING_CONNECTIONS,
    brings_schema: bool = True,
    audit_kept: timedelta = AUDIT_KEPT,
) -> Storage:
    """Open a database, bringing its schema up to date first, or requiring that somebody has.

    `wake_up` is notified once after every commit that added changes; `reading` is the most connections for reading.
    Raises StorageError where the database cannot be opened or its schema is newer than this code; where the schema is
    not brought also SchemaBehind and StorageUnavailable.
    """
    # It connects to nothing yet, and refuses what is no database before a file is made.
    engines = open_engines(url, reading=reading)
    path = file_of(url)
    if path is not None:
        _create_private(path)
    if brings_schema:
        upgrade(url)
    else:
        _require_schema(engines)
    return _opened(engines, wake_up, telemetry, audit_kept)


def open_memory_storage(wake_up: WakeUp) -> Storage:
    """Open a new database in memory, which is gone once it is closed: for simulations, see open_memory_engines."""
    engines = open_memory_engines()
    make_schema(engines)
    return _opened(engines, wake_up, SILENCE, AUDIT_KEPT)


def _opened(engines: Engines, wake_up: WakeUp, telemetry: Telemetry, audit_kept: timedelta) -> Storage:
    writer = Writer(Committer(engines.writing, write_items, audit_kept=audit_kept), wake_up, telemetry)
    return Storage(
        journal=DatabaseJournal(writer),
        directory=DatabaseDirectory(engines, writer),
        views=DatabaseViews(engines),
        audit=DatabaseAuditTrail(engines, writer),
        leadership=DatabaseLeadership(engines, writer),
        installation=DatabaseInstallation(engines, writer),
        usage=DatabaseUsage(engines, writer),
        throughputs=DatabaseThroughputs(engines, writer),
        profiles=DatabaseProfiles(engines, writer),
        estimates=DatabaseEstimates(engines, writer),
        queues=DatabaseQueues(engines, writer),
        engines=engines,
        writer=writer,
    )


def _require_schema(engines: Engines) -> None:
    try:
        require_newest(engines)
    except BaseException:
        engines.close()
        raise


def file_of(url: str) -> Path | None:
    """Return the file a SQLite URL names by its absolute path, however it is written; None for any other URL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    if parsed.get_backend_name() != "sqlite" or not Path(parsed.database or "").is_absolute():
        return None
    return Path(str(parsed.database)).resolve()


def _create_private(path: Path) -> None:
    """Make an empty database file that its owner alone reads; SQLite gives its companions the same mode.

    A file that is there keeps its mode: whoever made it may have let others read it on purpose.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StorageError(
            f"Medley cannot use the database file {path}",
            why=f"{error.strerror}.",
            next_step="Name a file in a folder that this user may write to.",
        ) from error
