"""Connections: one that writes, several that read, on SQLite or PostgreSQL."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from scheduler.adapters.database.failures import StorageError, is_outage, short_text
from scheduler.ports.journal import StorageUnavailable

READING_CONNECTIONS = 16
CONNECT_TIMEOUT_S = 5
POOL_TIMEOUT_S = 5
LOCK_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 30
SILENCE_TIMEOUT_S = 10
"""A server that stopped answering on the network counts as gone after this."""

WAL_PAUSE_S = 0.01
_MEMORY_READING_CONNECTIONS = 2

_WAL = "journal_mode=WAL"
_POSTGRESQL_OPTIONS = (
    f"-c statement_timeout={STATEMENT_TIMEOUT_S}s -c lock_timeout={LOCK_TIMEOUT_S}s "
    f"-c idle_in_transaction_session_timeout={2 * STATEMENT_TIMEOUT_S}s -c synchronous_commit=on -c timezone=UTC"
)


@dataclass(frozen=True, slots=True)
class Engines:
    """The two ways to a database."""

    writing: Engine
    """One connection; on SQLite every transaction takes the write lock as it begins."""
    reading: Engine
    """Every transaction sees one moment and cannot write."""

    def close(self) -> None:
        """Close all connections that are not in use."""
        self.reading.dispose()
        self.writing.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment. Raises StorageUnavailable where the database does not answer."""
        try:
            with self.reading.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            if is_outage(error):
                raise StorageUnavailable(f"The database does not answer: {short_text(error)}") from error
            raise


def open_engines(url: str, *, reading: int = READING_CONNECTIONS) -> Engines:
    """Return engines for `sqlite:////absolute/path` or `postgresql://...`; connects to nothing yet.

    `reading` is the most connections for reading, beside the one that writes. Raises StorageError where the URL is of
    another kind.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise _wrong_url("it is no database URL.") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed, reading)
    if backend in ("postgresql", "postgres"):
        return _postgresql(parsed.set(drivername="postgresql+psycopg"), reading)
    raise _wrong_url(f"it names {backend}, which Medley does not use.")


def open_memory_engines() -> Engines:
    """Return engines of a new, empty SQLite database in memory, which is gone once they are closed.

    Nothing in it is durable, and whoever reads must not do so while another thread writes: it is for simulations.
    """
    name = f"file:medley-{uuid4().hex}"
    url = URL.create("sqlite+pysqlite", database=name, query={"mode": "memory", "cache": "shared", "uri": "true"})
    return _sqlite_engines(url, _MEMORY_READING_CONNECTIONS)


def _wrong_url(why: str) -> StorageError:
    return StorageError(
        "Medley cannot use this database URL",
        why=why,
        next_step="Use sqlite:////absolute/path/medley.db or postgresql://user:password@host:5432/name.",
    )


def _sqlite(url: URL, reading_connections: int) -> Engines:
    if not url.database or not Path(url.database).is_absolute():
        raise _wrong_url("a SQLite database needs the absolute path of a file, so that a restart finds it again.")
    return _sqlite_engines(url.set(drivername="sqlite+pysqlite"), reading_connections)


def _sqlite_engines(url: URL, reading_connections: int) -> Engines:
    arguments = {"check_same_thread": False, "timeout": LOCK_TIMEOUT_S, "cached_statements": 512}
    pool = {"poolclass": QueuePool, "max_overflow": 0, "pool_timeout": POOL_TIMEOUT_S}
    writing = create_engine(url, pool_size=1, connect_args=arguments, **pool)
    reading = create_engine(url, pool_size=reading_connections, connect_args=arguments, **pool)
    _prepare_sqlite(writing, begin="BEGIN IMMEDIATE", pragmas=(_WAL, "synchronous=FULL"))
    _prepare_sqlite(reading, begin="BEGIN", pragmas=("query_only=ON",))
    return Engines(writing, reading)


def _prepare_sqlite(engine: Engine, *, begin: str, pragmas: tuple[str, ...]) -> None:
    """Begin transactions ourselves: the driver would begin them at the first write only."""

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("foreign_keys=ON", f"busy_timeout={LOCK_TIMEOUT_S * 1000}", *pragmas):
            _set_pragma(connection, pragma)

    def _begin(connection: Any) -> None:
        connection.execute(begin).close()

    engine.dialect.do_begin = _begin  # type: ignore[assignment]  # a listener would slow every statement


def _set_pragma(connection: Any, pragma: str) -> None:
    """Set it; where several switch a new file to WAL at once, SQLite tells all but one to come back by themselves."""
    until_s = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            connection.execute(f"PRAGMA {pragma}").close()
        except sqlite3.OperationalError:
            if pragma != _WAL or time.monotonic() > until_s:
                raise
            time.sleep(WAL_PAUSE_S)
        else:
            return


def _postgresql(url: URL, reading_connections: int) -> Engines:
    arguments = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "tcp_user_timeout": SILENCE_TIMEOUT_S * 1000,
        "keepalives_idle": SILENCE_TIMEOUT_S,
        "options": _POSTGRESQL_OPTIONS,
        "application_name": "medley",
    }
    writing = create_engine(
        url,
        pool_size=1,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args=arguments,
    )
    reading = create_engine(
        url,
        pool_size=reading_connections,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        connect_args=arguments,
        execution_options={"postgresql_readonly": True},
    )
    return Engines(writing, reading)
