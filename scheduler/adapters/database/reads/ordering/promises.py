"""The room that is kept for groups."""

from sqlalchemy import Connection, select

from scheduler.adapters.database.documents import PROMISE
from scheduler.adapters.database.schema.promises import reservations
from scheduler.core.model.waiting.promise import Promise

_ALL = select(reservations.c.promise).order_by(reservations.c.begins, reservations.c.group_id)


def read_promises(connection: Connection) -> tuple[Promise, ...]:
    """Return all promises that stand, those first that begin first."""
    return tuple(PROMISE.decode(text) for (text,) in connection.execute(_ALL))
