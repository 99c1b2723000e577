"""Who says something of an attempt, and whether it is still listened to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import select

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.work import attempts, groups, jobs
from scheduler.adapters.database.transaction import Transaction
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import AttemptId, JobId, TenantName
from scheduler.ports.journal import Rejected, Rejection

_SPEAKERS = (
    select(
        attempts.c.id,
        attempts.c.called,
        attempts.c.met,
        attempts.c.placed_at,
        attempts.c.ended_at,
        groups.c.state,
        groups.c.job_id,
        jobs.c.tenant,
    )
    .join(groups, groups.c.id == attempts.c.group_id)
    .join(jobs, jobs.c.id == groups.c.job_id)
    .where(attempts.c.id.in_(LISTED))
)


class Said(Protocol):
    """What a worker says of its attempt."""

    @property
    def attempt(self) -> AttemptId:
        """Which attempt it means."""
        ...

    @property
    def generation(self) -> int:
        """Which generation of it."""
        ...


@dataclass(frozen=True, slots=True)
class Speaker:
    """An attempt that says something."""

    job: JobId
    tenant: TenantName
    state: State
    called: int
    """The generation that its workers were asked to be of last."""
    met: int
    """The one that its rank 0 was last heard as one of."""
    placed_at: datetime
    is_open: bool


def speakers_of(transaction: Transaction, items: Iterable[Said]) -> dict[AttemptId, Speaker]:
    """Return the attempts that items are about, those that there are."""
    found: dict[AttemptId, Speaker] = {}
    for row in rows_listed(transaction.connection, _SPEAKERS, sorted({item.attempt for item in items})):
        state, is_open = State(row.state), row.ended_at is None
        found[row.id] = Speaker(row.job_id, row.tenant, state, row.called, row.met, row.placed_at, is_open)
    return found


def speaking(speakers: dict[AttemptId, Speaker], item: Said) -> Speaker | Rejected:
    """Return who speaks of an open attempt.

    Of its generations the one is listened to that it was heard as, and, until it is heard as that, the one that it was
    called to.
    """
    speaker = speakers.get(item.attempt)
    if speaker is None:
        return Rejected(Rejection.NOT_FOUND, item.attempt)
    if not speaker.is_open or item.generation not in (speaker.met, speaker.called):
        return Rejected(Rejection.STALE_ATTEMPT, f"{item.attempt}, generation {item.generation}")
    return speaker
