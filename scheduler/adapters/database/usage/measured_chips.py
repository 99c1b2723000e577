"""Chip types of which is kept how fast jobs are: one transaction at a time writes that of each."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.fleet import chip_types
from scheduler.core.model.identifiers import ChipName

_LOCKED = (
    select(chip_types.c.name)
    .where(chip_types.c.name.in_(LISTED))
    .order_by(chip_types.c.name)
    .with_for_update(key_share=True)
)


def lock_chips(connection: Connection, names: Iterable[ChipName]) -> set[ChipName]:
    """Return those that the catalogue has; nobody else writes what is kept of these until the transaction ends.

    The rows that are written would not do: two who both are the first to say something find none to lock.
    """
    return {row.name for row in rows_listed(connection, _LOCKED, sorted(set(names)))}
