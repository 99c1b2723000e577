"""Writing where rank 0 of an attempt is reached."""

from collections.abc import Sequence

from scheduler.adapters.database.schema.work import rendezvous
from scheduler.adapters.database.transaction import Row, Transaction
from scheduler.adapters.database.writes.reports.speakers import speakers_of, speaking
from scheduler.core.model.identifiers import AttemptId
from scheduler.ports.journal import Outcome, Rejected, Written
from scheduler.ports.workers.reports import RegisterRendezvous


def register(transaction: Transaction, items: Sequence[RegisterRendezvous]) -> list[Outcome]:
    """Keep rank 0's address; the latest one counts. Nothing follows it, so it adds nothing to the feed."""
    speakers = speakers_of(transaction, items)
    outcomes: list[Outcome] = []
    rows: dict[tuple[AttemptId, int], Row] = {}
    for item in items:
        speaker = speaking(speakers, item)
        if isinstance(speaker, Rejected):
            outcomes.append(speaker)
            continue
        rows[item.attempt, item.generation] = {
            "attempt_id": item.attempt,
            "generation": item.generation,
            "address": item.address,
            "at": item.at,
        }
        outcomes.append(Written(speaker.job, speaker.state, transaction.added))
    transaction.insert_or_replace(rendezvous, list(rows.values()))
    return outcomes
