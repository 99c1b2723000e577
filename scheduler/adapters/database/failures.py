"""What an error of the database means: try again, give up for now, or never."""

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_SQLITE_TRY_AGAIN = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_POSTGRESQL_TRY_AGAIN = frozenset({"40001", "40P01", "55P03"})
"""Serialization failure, deadlock, lock not available."""


class StorageError(Exception):
    """The storage cannot be used. Its text says what, why, and what to do next."""

    def __init__(self, what: str, *, why: str, next_step: str) -> None:
        super().__init__(f"{what}: {why} {next_step}")
        self.what = what
        self.why = why
        self.next_step = next_step


class LostRace(Exception):
    """A guarded write met rows that had changed since they were read; the transaction starts over."""


def may_be_retried(error: Exception) -> bool:
    """Say whether the database certainly wrote nothing and the same transaction may pass when tried again."""
    if isinstance(error, LostRace):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_TRY_AGAIN
    return getattr(error.orig, "sqlstate", None) in _POSTGRESQL_TRY_AGAIN


def is_outage(error: Exception) -> bool:
    """Say whether the database cannot be reached or cannot work, whatever was asked of it."""
    return isinstance(error, OperationalError | InterfaceError | PoolTimeoutError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def short_text(error: Exception) -> str:
    """Return the database's own words, without the statement they are about."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return " ".join(str(cause).split())
