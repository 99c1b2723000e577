"""Leadership: an old leader's transaction is either before the takeover or refused."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as StillWaiting

import pytest

from scheduler.adapters.database.committing import Committer, Items
from scheduler.adapters.database.engine import Engines, open_engines
from scheduler.adapters.database.journal import write_items
from scheduler.adapters.database.storage import Storage
from scheduler.adapters.database.transaction import Transaction
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import WorkerPhase, WorkerRecord
from scheduler.core.model.group import State
from scheduler.ports.journal import Outcome, Rejection, Write, Written
from tests.builders.database import Database, World, refused, take, written

WAIT_S = 20


@pytest.fixture
def old_leader(database: Database) -> Iterator[Engines]:
    """The connections of a leader whose transactions the test holds open."""
    engines = open_engines(database.url)
    yield engines
    engines.close()


def test_nobody_leads_at_first_and_every_takeover_raises_the_epoch(storage: Storage) -> None:
    assert storage.leadership.current() == (0, "")
    assert storage.leadership.take("one") == 1
    assert storage.leadership.take("two") == 2
    assert storage.leadership.take("two") == 3
    assert storage.leadership.current() == (3, "two")


def test_a_takeover_waits_for_the_old_leaders_open_transaction(world: World, old_leader: Engines) -> None:
    job = world.submit()
    item = world.placing(job, take("n1", 0))
    with ThreadPoolExecutor(1) as threads:
        with old_leader.writing.begin() as connection:
            transaction = Transaction(connection)
            (outcome,) = write_items(transaction, [item])
            taking = threads.submit(world.storage.leadership.take, "new")
            with pytest.raises(StillWaiting):
                taking.result(0.3)
            transaction.number_changes()
        assert taking.result(WAIT_S) == 2
    written(outcome)
    assert world.group(job).state is State.PLACED


def test_even_a_look_at_the_epoch_holds_it_until_the_commit(world: World, old_leader: Engines) -> None:
    with ThreadPoolExecutor(1) as threads:
        with old_leader.writing.begin() as connection:
            assert Transaction(connection).leads(world.epoch)
            taking = threads.submit(world.storage.leadership.take, "new")
            with pytest.raises(StillWaiting):
                taking.result(0.3)
        assert taking.result(WAIT_S) == 2


def test_a_transaction_after_the_takeover_is_refused_whoever_writes_it(world: World, database: Database) -> None:
    item = world.placing(world.submit(), take("n1", 0))
    with database.opened() as new_leader:
        assert new_leader.leadership.take("new") == 2
        for storage in (world.storage, new_leader):
            (outcome,) = storage.journal.write([item])
            assert refused(outcome) is Rejection.STALE_EPOCH


def test_on_postgresql_a_transaction_that_began_before_the_takeover_but_looked_after_it_is_refused(
    postgres_database: Database,
) -> None:
    engines = open_engines(postgres_database.url)
    try:
        with postgres_database.opened() as storage, engines.writing.begin() as connection:
            first = storage.leadership.take("old")
            connection.exec_driver_sql("SELECT count(*) FROM jobs")
            storage.leadership.take("new")
            assert not Transaction(connection).leads(first)
    finally:
        engines.close()


def test_an_item_that_fails_does_not_take_the_fence_from_those_after_it(world: World, old_leader: Engines) -> None:
    no_rank = WorkerRecord(-1, WorkerPhase.RUNNING)
    spoilt = world.seeing(world.place(world.submit(), take("n1", 0)), Event.ALL_READY, no_rank)
    fine = world.placing(world.submit(), take("n1", 2))
    takeovers: list[Future[int]] = []
    came_between: list[bool] = []

    def write_slowly(transaction: Transaction, items: Sequence[Write], /) -> list[Outcome]:
        """Write items; between the spoilt one and the fine one somebody else takes the lead, or waits to."""
        if list(items) == [fine]:
            takeovers.append(threads.submit(world.storage.leadership.take, "new"))
            came_between.append(bool(wait(takeovers, 0.5).done))
        return write_items(transaction, items)

    with ThreadPoolExecutor(1) as threads:
        (answer,) = Committer(old_leader.writing, write_slowly).commit([Items([spoilt, fine])]).answers
        assert takeovers[0].result(WAIT_S) == 2
    first, second = answer.value
    assert refused(first) is Rejection.ILLEGAL
    assert isinstance(second, Written) is not came_between[0]
    assert isinstance(second, Written) or refused(second) is Rejection.STALE_EPOCH


def test_of_many_takeovers_at_once_each_has_an_epoch_of_its_own(database: Database) -> None:
    with database.opened() as one, database.opened() as two, ThreadPoolExecutor(8) as threads:
        epochs = list(threads.map(lambda number: (one, two)[number % 2].leadership.take(str(number)), range(16)))
        assert sorted(epochs) == list(range(1, 17))
        assert one.leadership.current()[0] == 16
