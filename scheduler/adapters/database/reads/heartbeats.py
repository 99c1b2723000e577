"""Reading what was heard of attempts."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.work import attempts, heartbeats
from scheduler.core.model.attempt import Checkpoint, Heartbeat
from scheduler.core.model.identifiers import AttemptId
from scheduler.core.reconciling.life_signs import LifeSign

_HEARD = select(heartbeats).where(heartbeats.c.attempt_id.in_(LISTED))
_SIGNS = (
    select(heartbeats.c.attempt_id, heartbeats.c.generation, heartbeats.c.beats, heartbeats.c.reports)
    .select_from(attempts)
    .join(heartbeats, heartbeats.c.attempt_id == attempts.c.id)
    .where(attempts.c.ended_at.is_(None))
)
"""From the open attempts, which have an index of their own: of those that are over there are ever more."""


def heartbeats_of(
    connection: Connection, attempt_ids: Iterable[AttemptId]
) -> dict[AttemptId, tuple[Heartbeat, Checkpoint | None]]:
    """Return the latest heartbeat of attempts, with their newest checkpoint; silent ones are absent."""
    return {
        row.attempt_id: (
            Heartbeat(row.at, row.memory_mib, row.device_memory_mib),
            None if row.checkpoint_step is None else Checkpoint(row.checkpoint_step, row.checkpoint_at),
        )
        for row in rows_listed(connection, _HEARD, attempt_ids)
    }


def read_life_signs(connection: Connection) -> list[LifeSign]:
    """Return the counts of all open attempts that were ever heard of."""
    return [LifeSign(*row) for row in connection.execute(_SIGNS)]
