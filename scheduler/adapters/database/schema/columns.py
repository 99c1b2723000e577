"""The metadata that all tables share, and the column types that make both databases answer alike."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""How constraints and indexes are called, so that a migration can name what it changes."""

metadata = MetaData(naming_convention=NAMING)

Name = Text().with_variant(Text(collation="C"), "postgresql")
"""An id or a name: compared byte by byte on both databases, so that pages come in the same order."""

Number = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit number; SQLite keeps a primary key of this type as its row id."""


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond: aware on the way in and out.

    SQLite knows no such type and keeps text of one width, which sorts by time.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Keep text on SQLite and a time with time zone elsewhere."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a naive time: nobody could say when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        moment = value.astimezone(UTC)
        return moment.isoformat(timespec="microseconds") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the time in UTC."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if dialect.name == "sqlite" else value
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def one_of(column: str, values: Iterable[str]) -> str:
    """Return the SQL text of "the column holds one of these words"."""
    words = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({words})"
