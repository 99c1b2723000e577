"""Statements about lists of any length, such as "the groups of these jobs"."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Connection, Executable, Row, bindparam

T = TypeVar("T")

VALUES_PER_STATEMENT = 5_000
"""Even threes of values stay far below what either database takes (SQLite 32,766, PostgreSQL 65,535)."""

LISTED: BindParameter[Any] = bindparam("listed", expanding=True)
"""The list, where a statement speaks of it: `groups.c.job_id.in_(LISTED)`."""


def rows_listed(connection: Connection, statement: Executable, values: Iterable[Any]) -> list[Row[Any]]:
    """Return the rows of a statement that speaks of `LISTED`; asks nothing where the list is empty."""
    rows: list[Row[Any]] = []
    for chunk in in_chunks(values):
        rows += connection.execute(statement, {LISTED.key: chunk}).all()
    return rows


def in_chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Yield the values in lists short enough for one statement."""
    rest = iter(values)
    while chunk := list(islice(rest, VALUES_PER_STATEMENT)):
        yield chunk
