"""One write transaction while it is open, and the changes it will add to the feed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Insert, Table, Update, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from scheduler.adapters.database.access.audit import Done, write_trail
from scheduler.adapters.database.documents import encode_body
from scheduler.adapters.database.failures import LostRace
from scheduler.adapters.database.schema.feed import change_counter, changes, leadership
from scheduler.core.model.access.audit import Act, Actor
from scheduler.core.model.change import ChangeBody
from scheduler.core.model.identifiers import JobId, TenantName
from scheduler.ports.directory import DoesNotExist

Row = dict[str, Any]

_EPOCH = select(leadership.c.epoch).with_for_update(read=True)
_RAISE_EPOCH = (
    update(leadership)
    .values(epoch=leadership.c.epoch + 1, holder=bindparam("new_holder"))
    .returning(leadership.c.epoch)
)
_LAST_CHANGE = select(change_counter.c.last)
_COUNT_CHANGES = (
    update(change_counter).values(last=change_counter.c.last + bindparam("added")).returning(change_counter.c.last)
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A change before it has a number."""

    at: datetime
    body: ChangeBody
    tenant: TenantName | None = None
    job: JobId | None = None


class Transaction:
    """What the writes of one transaction share."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.actor: Actor | None = None
        """In whose name it is written now; None for the server's own."""
        self._drafts: list[Draft] = []
        self._done: list[Done] = []
        self._epoch: int | None = None

    def add(self, draft: Draft) -> int:
        """Add a change to the feed; returns its place among those of this transaction, from 1."""
        self._drafts.append(draft)
        return len(self._drafts)

    def audit(self, act: Act) -> None:
        """Have the audit trail tell of what was done; without effect where the server itself did it."""
        if self.actor is not None:
            self._done.append((self.actor, act))

    @contextmanager
    def acting(self, actor: Actor | None) -> Iterator[None]:
        """Write in somebody's name."""
        self.actor = actor
        try:
            yield
        finally:
            self.actor = None

    def tenants_of_jobs(self) -> dict[JobId, TenantName | None]:
        """Return whose the jobs are that the changes so far tell of."""
        return {draft.job: draft.tenant for draft in self._drafts if draft.job is not None}

    def write_trail(self, kept: timedelta) -> None:
        """Write the entries of the audit trail; what is older than `kept` is forgotten by and by.

        Its head stays locked until the commit, and is locked before the counter of changes, by everybody.
        """
        write_trail(self.connection, self._done, kept)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo all that was done within where it raises: rows, changes, and what was locked.

        The epoch is among the last: a rollback gives its lock away, so that it is no longer known.
        """
        place, done, epoch = len(self._drafts), len(self._done), self._epoch
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            del self._drafts[place:]
            del self._done[done:]
            self._epoch = epoch
            raise

    @property
    def added(self) -> int:
        """How many changes were added so far."""
        return len(self._drafts)

    def leads(self, epoch: int) -> bool:
        """Say whether `epoch` is the present one, and keep it so until the transaction ends.

        The shared lock makes a takeover wait for this transaction; on SQLite the transaction is alone anyway.
        """
        if self._epoch is None:
            self._epoch = self.connection.execute(_EPOCH).scalar_one()
        return epoch == self._epoch

    def take_leadership(self, holder: str) -> int:
        """Raise the epoch by one; what the old leader writes after this is refused."""
        epoch: int = self.connection.execute(_RAISE_EPOCH, {"new_holder": holder}).scalar_one()
        self._epoch = epoch
        return epoch

    def number_changes(self) -> int:
        """Give the added changes their numbers and write them; returns the last number before them.

        Must be the transaction's last act: the counter's row stays locked until the commit, so that numbers
        have no gaps and appear in the order of commits.
        """
        added = len(self._drafts)
        counted = self.connection.execute(_COUNT_CHANGES if added else _LAST_CHANGE, {"added": added})
        before: int = counted.scalar_one() - added
        self.insert(changes, [_row(before + place, draft) for place, draft in enumerate(self._drafts, start=1)])
        return before

    def has(self, column: Column[Any], value: str) -> bool:
        """Say whether a row has the value."""
        return self.connection.execute(select(column).where(column == value)).first() is not None

    def require(self, column: Column[Any], value: str | None) -> None:
        """Raise DoesNotExist unless a row has the value; None refers to nothing and passes."""
        if value is not None and not self.has(column, value):
            raise DoesNotExist(value)

    def insert(self, table: Table, rows: list[Row]) -> None:
        """Insert rows; without effect where there are none."""
        if rows:
            self.connection.execute(insert(table), rows)

    def insert_or_replace(self, table: Table, rows: list[Row]) -> None:
        """Insert whole rows, replacing those of the same primary key."""
        if rows:
            self.connection.execute(_insert_or_replace(table, self.connection.dialect.name), rows)

    def insert_missing(self, table: Table, rows: list[Row]) -> None:
        """Insert rows, leaving those alone whose primary key is there."""
        if rows:
            self.connection.execute(_insert_missing(table, self.connection.dialect.name), rows)

    def execute_guarded(self, statement: Update, rows: Iterable[Row]) -> None:
        """Run a guarded statement once per row. Raises LostRace unless each run wrote exactly one row."""
        parameters = list(rows)
        if not parameters:
            return
        result = self.connection.execute(statement, parameters)
        if result.rowcount != len(parameters):
            raise LostRace(f"{result.rowcount} of {len(parameters)} guarded rows were as expected")


@cache
def _insert_or_replace(table: Table, dialect: str) -> Insert:
    statement = _dialect_insert(table, dialect)
    values = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)


@cache
def _insert_missing(table: Table, dialect: str) -> Insert:
    return _dialect_insert(table, dialect).on_conflict_do_nothing()


def _dialect_insert(table: Table, dialect: str) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _row(number: int, draft: Draft) -> Row:
    kind, body = encode_body(draft.body)
    return {
        "number": number,
        "at": draft.at,
        "tenant": draft.tenant,
        "job_id": draft.job,
        "kind": kind,
        "body": body,
    }
