"""Change numbers: no gaps, in the order of commits, also between two writers that interleave."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from contextlib import contextmanager

import pytest

from scheduler.adapters.database.engine import Engines, open_engines
from scheduler.adapters.database.storage import Storage
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.core.model.change import TenantCreated
from scheduler.ports.journal import SubmitJob
from tests.builders.database import MANY_JOBS, NOON, Database, World, make_world, written

WAIT_S = 20


@pytest.fixture
def engines(database: Database) -> Iterator[Engines]:
    engines = open_engines(database.url)
    yield engines
    engines.close()


@contextmanager
def numbering(engines: Engines, name: str) -> Iterator[int]:
    """Open a transaction that has numbered one change, and commit it at the end."""
    with engines.writing.begin() as connection:
        transaction = Transaction(connection)
        transaction.add(Draft(NOON, TenantCreated(name)))
        yield transaction.number_changes() + 1


def number_one(database: Database, name: str) -> int:
    """Write one change by a connection of its own; return its number."""
    engines = open_engines(database.url)
    try:
        with numbering(engines, name) as number:
            return number
    finally:
        engines.close()


def feed(storage: Storage) -> list[tuple[int, object]]:
    return [(change.number, change.body) for change in storage.views.changes_after(0, limit=9_999)]


def is_waiting(future: "Future[int]") -> bool:
    try:
        future.result(0.2)
    except StillWaiting:
        return True
    return False


def test_a_second_writer_gets_its_number_only_after_the_first_committed(
    database: Database, engines: Engines, storage: Storage
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with numbering(engines, "first") as first:
            second = threads.submit(number_one, database, "second")
            assert is_waiting(second)
            assert feed(storage) == [], "nobody sees a change before its commit"
        assert (first, second.result(WAIT_S)) == (1, 2)
    assert feed(storage) == [(1, TenantCreated("first")), (2, TenantCreated("second"))]


def test_a_writer_that_gives_up_leaves_no_gap(database: Database, engines: Engines, storage: Storage) -> None:
    with ThreadPoolExecutor(1) as threads:
        first = engines.writing.connect()
        given_up = first.begin()
        transaction = Transaction(first)
        transaction.add(Draft(NOON, TenantCreated("first")))
        assert transaction.number_changes() == 0
        second = threads.submit(number_one, database, "second")
        assert is_waiting(second)
        given_up.rollback()
        first.close()
        assert second.result(WAIT_S) == 1
    assert feed(storage) == [(1, TenantCreated("second"))]


def test_a_reader_sees_the_counter_and_the_feed_of_one_moment(engines: Engines, storage: Storage) -> None:
    with numbering(engines, "first"):
        assert storage.views.last_change() == 0
        assert storage.views.snapshot().change == 0
    assert storage.views.last_change() == 1
    assert storage.views.snapshot().change == 1


def test_two_storages_with_many_threads_number_without_gaps_and_readers_never_see_one(database: Database) -> None:
    with database.opened() as one, database.opened() as two, ThreadPoolExecutor(9) as threads:
        worlds = [make_world(one), World(two, epoch=1)]
        worlds[1]._numbers = iter(range(500_000, 600_000))
        start = one.views.last_change()
        submitting = [threads.submit(submit_some, worlds[number % 2]) for number in range(8)]
        seen = [start]
        while not all(future.done() for future in submitting):
            numbers = [change.number for change in two.views.changes_after(start, limit=9_999)]
            assert numbers == list(range(start + 1, start + 1 + len(numbers)))
            seen.append(start + len(numbers))
        told = sorted(number for future in submitting for number in future.result())
        assert told == list(range(start + 1, start + 1 + 8 * 30)), "each item was told its own number"
        assert seen == sorted(seen), "what was seen once stays seen"
        assert one.views.last_change() == told[-1]


def submit_some(world: World) -> list[int]:
    """Submit 30 jobs in 10 batches; return the numbers of their changes."""
    numbers = []
    for _ in range(10):
        items = [SubmitJob(world.make_job(), None, MANY_JOBS) for _ in range(3)]
        numbers += [written(outcome).change for outcome in world.storage.journal.write(items)]
    return numbers


def test_a_refused_item_takes_no_number(world: World) -> None:
    start = world.storage.views.last_change()
    items = [SubmitJob(world.make_job(tenant=tenant), None, MANY_JOBS) for tenant in ("alpha", "nobody", "alpha")]
    first, _, third = world.storage.journal.write(items)
    assert [written(first).change, written(third).change] == [start + 1, start + 2]
    assert world.storage.views.last_change() == start + 2
