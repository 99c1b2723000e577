"""Going back to the schema before elastic jobs: what runs in another size than it began with keeps it from that."""

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from scheduler.adapters.database import migrate
from scheduler.adapters.database.failures import StorageError
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import ResizeStep
from scheduler.core.model.group import StopReason
from scheduler.core.model.resources import Elastic
from scheduler.ports.journal import AdvanceResize
from tests.builders.database import Database, World, after_noon, make_world, take, written
from tests.contract.test_journal_resizes import resizing

BEFORE = "0013"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'medley.db'}")


def test_a_gang_that_was_resized_has_to_end_first(database: Database) -> None:
    two = (take("n1", 0), take("n1", 1, rank=1))
    with database.opened() as storage:
        world = make_world(storage)
        job = world.submit(world.make_job(workers=2, elastic=Elastic(1)))
        attempt = world.place(job, *two)
        world.see(attempt, Event.ALL_READY)
        written(world.write(resizing(world, job, two[:1])))
        written(world.write(AdvanceResize(attempt, 2, ResizeStep.FREED, world.epoch, after_noon(310))))
    with pytest.raises(StorageError, match="another number of workers than they began with: 1"):
        migrate.downgrade(database.url, BEFORE)
    with database.opened() as storage:
        world = World(storage, storage.leadership.take("again"))
        world.end(attempt, StopReason.RESIZE_FAILED, generation=2)
    migrate.downgrade(database.url, BEFORE)
    assert database.ask("SELECT stop_reason FROM attempts") == [("stalled",)]
    migrate.upgrade(database.url)


def test_no_rank_is_held_twice(database: Database) -> None:
    with database.opened() as storage:
        world = make_world(storage)
        world.place(world.submit())
    copy = (
        "INSERT INTO allocations (attempt_id, generation, rank, node_id, chip, slots, cpu_milli, memory_mib) "
        "SELECT attempt_id, 2, rank, node_id, chip, slots, cpu_milli, memory_mib FROM allocations"
    )
    with pytest.raises(IntegrityError, match=r"allocations\.attempt_id, allocations\.rank"):
        database.ask(copy)
