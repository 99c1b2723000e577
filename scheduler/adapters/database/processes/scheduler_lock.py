"""The scheduler's lock: of several that were started, the one that holds it takes the lead, the others wait."""

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from scheduler.adapters.database.engine import open_engines
from scheduler.adapters.database.failures import short_text
from scheduler.ports.journal import StorageUnavailable

_KEY = 0x6D65646C6F
"""Key of the PostgreSQL lock."""
_TAKE = text("SELECT pg_try_advisory_lock(:key)")
_NOTICE_A_DEAD_CLIENT = text(
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
)
"""So that the lock of a machine that vanished is free after half a minute, not after hours."""


class SchedulerLock:
    """A lock of PostgreSQL that goes with the connection that took it.

    It keeps two schedulers from taking the lead from each other in turn. It is no fence: who lost it without knowing
    is kept from writing by the leader's epoch.
    """

    def __init__(self, url: str) -> None:
        """Connects to nothing yet."""
        self._engines = open_engines(url)
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Take the lock, or see that it is still held; says whether it is. Raises StorageUnavailable."""
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return True
            return self._try()
        except SQLAlchemyError as error:
            self._drop()
            raise StorageUnavailable(f"Who holds the scheduler's lock is unknown: {short_text(error)}") from error

    def close(self) -> None:
        """Let go of it."""
        self._drop()
        self._engines.close()

    def _try(self) -> bool:
        connection = self._engines.writing.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.execute(_NOTICE_A_DEAD_CLIENT)
            if connection.execute(_TAKE, {"key": _KEY}).scalar_one():
                self._connection = connection
                return True
        finally:
            if self._connection is not connection:
                connection.close()
        return False

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # never back to the pool: the lock goes with the session
            connection.close()
