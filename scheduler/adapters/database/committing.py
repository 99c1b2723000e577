"""From requests to one committed transaction: together where possible, each by itself where one spoils it."""

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from typing import Any, Protocol

from sqlalchemy import Engine, RootTransaction
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from scheduler.adapters.database.access.audit import acts_of
from scheduler.adapters.database.failures import LostRace, is_outage, may_be_retried, short_text
from scheduler.adapters.database.transaction import Transaction
from scheduler.core.model.access.audit import Actor
from scheduler.ports.journal import Outcome, Rejected, Rejection, StorageUnavailable, Write, Written

log = logging.getLogger(__name__)

TRIES = 5
FIRST_PAUSE_S = 0.01
AUDIT_KEPT = timedelta(days=365)
"""How long entries of the audit trail are kept, unless said otherwise."""


class WriteItems(Protocol):
    """How items become rows: one outcome per item, with `Written.change` counted within the transaction."""

    def __call__(self, transaction: Transaction, items: Sequence[Write], /) -> list[Outcome]:
        """Write items in order."""
        ...


@dataclass(frozen=True, slots=True)
class Items:
    """A batch of the journal."""

    items: Sequence[Write]
    actor: Actor | None = None
    """In whose name; None for the server's own."""

    @property
    def size(self) -> int:
        """How much of a transaction it takes."""
        return max(len(self.items), 1)


@dataclass(frozen=True, slots=True)
class Call:
    """Any other write; it may be run more than once, so it acts on nothing but its transaction."""

    function: Callable[[Transaction], Any]
    actor: Actor | None = None
    size: int = 1


Request = Items | Call


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller gets: a value, or an error to raise."""

    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """The answers, one per request, and whether the feed grew."""

    answers: list[Answer]
    has_changes: bool


class Committer:
    """Writes requests durably; never raises, every error is some caller's answer."""

    def __init__(self, engine: Engine, write_items: WriteItems, *, audit_kept: timedelta = AUDIT_KEPT) -> None:
        self._engine = engine
        self._write_items = write_items
        self._audit_kept = audit_kept

    def commit(self, requests: Sequence[Request]) -> Committed:
        """Write the requests in one transaction; where one of them spoils it, each in its own."""
        try:
            return self._until_written(lambda: self._write(requests, self._write_items))
        except StorageUnavailable as error:
            return Committed([Answer(error=error)] * len(requests), has_changes=False)
        except Exception as error:  # noqa: BLE001 - whatever one request broke must not reach the others
            log.warning("%d requests failed together, each is written by itself: %s", len(requests), short_text(error))
        alone = [self._commit_alone(request) for request in requests]
        return Committed([each.answers[0] for each in alone], any(each.has_changes for each in alone))

    def _commit_alone(self, request: Request) -> Committed:
        try:
            return self._until_written(lambda: self._write([request], self._write_item_by_item))
        except Exception as error:  # noqa: BLE001 - it is the caller's
            return Committed([Answer(error=error)], has_changes=False)

    def _until_written(self, write: Callable[[], Committed]) -> Committed:
        """Try again while the database says that it wrote nothing and another try may pass."""
        for attempt in range(1, TRIES + 1):
            try:
                return write()
            except (SQLAlchemyError, LostRace) as error:
                if may_be_retried(error) and attempt < TRIES:
                    pause_s = FIRST_PAUSE_S * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
                    log.info("the database asks to try again in %.3f s: %s", pause_s, short_text(error))
                    time.sleep(pause_s)
                elif may_be_retried(error) or is_outage(error):
                    raise StorageUnavailable(f"The database does not work: {short_text(error)}") from error
                else:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def _write(self, requests: Sequence[Request], write_items: WriteItems) -> Committed:
        with self._engine.connect() as connection, connection.begin() as open_transaction:
            transaction = Transaction(connection)
            answers = list(_answers(transaction, requests, write_items))
            transaction.write_trail(self._audit_kept)
            before = transaction.number_changes()
            _commit(open_transaction)
        return Committed([_numbered(answer, before) for answer in answers], transaction.added > 0)

    def _write_item_by_item(self, transaction: Transaction, items: Sequence[Write], /) -> list[Outcome]:
        return [self._write_carefully(transaction, item) for item in items]

    def _write_carefully(self, transaction: Transaction, item: Write) -> Outcome:
        """Write one item; what the schema forbids is refused and leaves no trace."""
        try:
            with transaction.savepoint():
                return self._write_items(transaction, [item])[0]
        except (IntegrityError, DataError) as error:
            return Rejected(Rejection.ILLEGAL, short_text(error))


def _commit(open_transaction: RootTransaction) -> None:
    """Commit. Raises StorageUnavailable where nobody knows whether it happened: written again, it could be twice."""
    try:
        open_transaction.commit()
    except Exception as error:
        open_transaction.rollback()  # or the pool would keep the connection as it is, with its transaction open
        if may_be_retried(error):
            raise
        raise StorageUnavailable(f"Nobody knows whether the database wrote it: {short_text(error)}") from error


def _answers(transaction: Transaction, requests: Sequence[Request], write_items: WriteItems) -> Iterator[Answer]:
    """Yield one answer per request, in order; neighbouring batches are written as one."""
    for kind, neighbours in groupby(requests, type):
        if kind is Items:
            batches = [request for request in neighbours if isinstance(request, Items)]
            outcomes = iter(write_items(transaction, [item for batch in batches for item in batch.items]))
            yield from (_audited(transaction, batch, [next(outcomes) for _ in batch.items]) for batch in batches)
        else:
            yield from (_call(transaction, request) for request in neighbours if isinstance(request, Call))


def _audited(transaction: Transaction, batch: Items, outcomes: list[Outcome]) -> Answer:
    """Have the audit trail tell of a batch that somebody handed in."""
    if batch.actor is not None:
        with transaction.acting(batch.actor):
            for act in acts_of(batch.items, outcomes, transaction.tenants_of_jobs()):
                transaction.audit(act)
    return Answer(outcomes)


def _call(transaction: Transaction, call: Call) -> Answer:
    try:
        with transaction.savepoint(), transaction.acting(call.actor):
            return Answer(call.function(transaction))
    except (SQLAlchemyError, LostRace):
        raise
    except Exception as error:  # noqa: BLE001 - a refusal, for the caller alone
        return Answer(error=error)


def _numbered(answer: Answer, before: int) -> Answer:
    """Turn places within the transaction into numbers of the feed."""
    if not isinstance(answer.value, list):
        return answer
    return Answer(
        [replace(out, change=before + out.change) if isinstance(out, Written) else out for out in answer.value]
    )
