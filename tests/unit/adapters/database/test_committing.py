"""Group commit: what is tried again, what is given up, and who is told."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from scheduler.adapters.database import committing
from scheduler.adapters.database.committing import Call, Committer, Items
from scheduler.adapters.database.engine import Engines, open_engines
from scheduler.adapters.database.failures import LostRace, is_outage, may_be_retried
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.core.model.change import TenantCreated
from scheduler.core.model.group import State
from scheduler.ports.journal import Outcome, Rejected, Rejection, StorageUnavailable, WishStop, Write, Written
from tests.builders.database import NOON, empty_sqlite

ITEM = WishStop("000000001abcdefg", None, "ann", NOON)


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engines]:
    monkeypatch.setattr(committing, "FIRST_PAUSE_S", 0.0)
    engines = open_engines(empty_sqlite(tmp_path).url)
    yield engines
    engines.close()


class Script:
    """Writes one change per item, after raising what the script says, one error per try."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.tries = 0

    def __call__(self, transaction: Transaction, items: Sequence[Write], /) -> list[Outcome]:
        self.tries += 1
        outcomes: list[Outcome] = []
        for item in items:
            assert isinstance(item, WishStop)
            place = transaction.add(Draft(NOON, TenantCreated(item.by)))
            outcomes.append(Written(item.job, State.CANCELLED, place))
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        return outcomes


class PoisonedBy(Script):
    """Breaks whatever transaction holds the item of one user."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __call__(self, transaction: Transaction, items: Sequence[Write], /) -> list[Outcome]:
        if any(isinstance(item, WishStop) and item.by == self.name for item in items):
            self.errors = [IntegrityError("statement", {}, ValueError(self.name))]
        return super().__call__(transaction, items)


def postgresql_error(kind: type[psycopg.Error]) -> DBAPIError:
    return OperationalError("statement", {}, kind())


def by(name: str) -> WishStop:
    return WishStop("000000001abcdefg", None, name, NOON)


@pytest.mark.parametrize(
    "error",
    [
        LostRace("a row had moved"),
        postgresql_error(psycopg.errors.DeadlockDetected),
        postgresql_error(psycopg.errors.SerializationFailure),
        postgresql_error(psycopg.errors.LockNotAvailable),
    ],
)
def test_what_may_pass_is_tried_up_to_five_times_and_then_given_up(engines: Engines, error: Exception) -> None:
    passing = Script(error, error, error, error)
    (answer,) = Committer(engines.writing, passing).commit([Items([ITEM])]).answers
    assert passing.tries == 5
    assert answer.value == [Written(ITEM.job, State.CANCELLED, 1)], "failed tries left nothing, numbers included"
    hopeless = Script(*[error] * 9)
    committed = Committer(engines.writing, hopeless).commit([Items([ITEM]), Items([ITEM])])
    assert hopeless.tries == 5
    assert [type(answer.error) for answer in committed.answers] == [StorageUnavailable] * 2
    assert not committed.has_changes


def test_an_outage_is_not_tried_again_as_the_commit_may_have_happened(engines: Engines) -> None:
    script = Script(OperationalError("statement", {}, psycopg.OperationalError("server closed the connection")))
    (answer,) = Committer(engines.writing, script).commit([Items([ITEM])]).answers
    assert script.tries == 1
    assert isinstance(answer.error, StorageUnavailable)
    assert "server closed the connection" in str(answer.error)


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.OperationalError("disk I/O error"),
        sqlite3.DatabaseError("database disk image is malformed"),
        RuntimeError("interrupted"),
    ],
)
def test_what_failed_after_its_commit_was_sent_is_never_written_again(
    engines: Engines, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    commit = engines.writing.dialect.do_commit

    def commit_and_fail(connection: PoolProxiedConnection) -> None:
        commit(connection)
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(engines.writing.dialect, "do_commit", commit_and_fail)
        committed = Committer(engines.writing, Script()).commit([Items([by("a")]), Items([by("b")])])
    assert [type(answer.error) for answer in committed.answers] == [StorageUnavailable] * 2
    (later,) = Committer(engines.writing, Script()).commit([Items([by("c")])]).answers
    assert later.value[0].change == 3, "the two were written once"


def test_a_commit_that_certainly_wrote_nothing_is_tried_again(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = engines.writing.dialect.do_commit
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    errors = [busy, busy]

    def fail_at_first(connection: PoolProxiedConnection) -> None:
        if errors:
            raise errors.pop()
        commit(connection)

    monkeypatch.setattr(engines.writing.dialect, "do_commit", fail_at_first)
    script = Script()
    (answer,) = Committer(engines.writing, script).commit([Items([by("a")])]).answers
    assert answer.value[0].change == 1
    assert script.tries == 3


def test_neighbouring_batches_share_a_transaction_and_get_their_own_outcomes(engines: Engines) -> None:
    script = Script()
    calls: list[Items | Call] = [
        Items([by("a"), by("b")]),
        Items([by("c")]),
        Call(lambda transaction: transaction.added),
        Items([by("d")]),
    ]
    answers = Committer(engines.writing, script).commit(calls).answers
    numbers = [[out.change for out in answer.value] for answer in answers if isinstance(answer.value, list)]
    assert numbers == [[1, 2], [3], [4]]
    assert answers[2].value == 3
    assert script.tries == 2, "once before and once after the call"


def test_a_poisonous_item_is_refused_alone(engines: Engines) -> None:
    committer = Committer(engines.writing, PoisonedBy("eve"))
    fine, poisoned, fine_too = committer.commit(
        [Items([by("a")]), Items([by("b"), by("eve"), by("c")]), Items([by("d")])]
    ).answers
    assert fine.value[0].change == 1
    assert [type(outcome) for outcome in poisoned.value] == [Written, Rejected, Written]
    assert poisoned.value[1] == Rejected(Rejection.ILLEGAL, "eve")
    assert [poisoned.value[0].change, poisoned.value[2].change, fine_too.value[0].change] == [2, 3, 4]


def test_what_a_call_raises_is_its_callers_and_undoes_what_it_wrote(engines: Engines) -> None:
    def fail(transaction: Transaction) -> None:
        transaction.add(Draft(NOON, TenantCreated("x")))
        raise KeyError("mine")

    committed = Committer(engines.writing, Script()).commit([Call(fail), Items([ITEM])])
    assert isinstance(committed.answers[0].error, KeyError)
    assert committed.answers[1].value[0].change == 1


def test_errors_are_told_apart() -> None:
    deadlock = postgresql_error(psycopg.errors.DeadlockDetected)
    poison = IntegrityError("statement", {}, psycopg.errors.UniqueViolation())
    assert may_be_retried(deadlock)
    assert not may_be_retried(poison)
    assert not may_be_retried(ValueError())
    assert is_outage(postgresql_error(psycopg.errors.AdminShutdown))
    assert not is_outage(poison)
