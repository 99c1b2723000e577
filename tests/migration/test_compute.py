"""What runs while quotas of compute come to be counted by what was charged."""

from pathlib import Path

from scheduler.adapters.database import migrate
from tests.builders.database import Database, World, make_world, take

BEFORE = "0017"


def test_what_is_held_counts_as_the_catalogue_says_and_is_given_back_so(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'medley.db'}")
    with database.opened() as storage:
        world = make_world(storage)
        attempt = world.place(world.submit(world.make_job()), take("n1", 0, 1))
        ended = world.place(world.submit(world.make_job()), take("n1", 2))
        world.end(ended)
        (rate,) = {round(chip.planning_tflops or 0) for chip in storage.directory.chips() if chip.name == "h100"}
    migrate.downgrade(database.url, BEFORE)
    assert database.ask("SELECT chip, devices_milli FROM queue_usage") == [("h100", 2_000)]
    migrate.upgrade(database.url)
    assert database.ask("SELECT compute_milli FROM allocations ORDER BY compute_milli") == [(0,), (2_000 * rate,)]
    with database.opened() as storage:
        assert storage.views.capacity_errors() == []
        World(storage, storage.leadership.take("again")).end(attempt)
        assert storage.views.capacity_errors() == []
    assert database.ask("SELECT sum(devices_milli) FROM queue_usage") == [(0,)]
