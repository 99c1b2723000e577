"""Going back to the schema before shares: what an older Medley can read stays, and what it could not end stops it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect

from migrations.versions.migration_0001_first_schema import tables as first_tables
from scheduler.adapters.database import migrate
from scheduler.adapters.database.engine import open_engines
from scheduler.adapters.database.failures import StorageError
from scheduler.core.model.node import ForeignUse, NodeState
from tests.builders.database import (
    Database,
    World,
    make_node,
    make_world,
    take,
    take_counted,
    take_no_devices,
    take_share,
)
from tests.postgres import FAST, PostgresServer, running_postgres


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres(*FAST) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """A database that nothing was done to."""
    if request.param == "sqlite":
        return Database(f"sqlite:///{tmp_path / 'medley.db'}")
    server: PostgresServer = request.getfixturevalue("postgres")
    return Database(server.create_database())


def test_the_way_back_leads_to_the_tables_there_were(database: Database) -> None:
    engines = open_engines(database.url)
    with engines.writing.begin() as connection:
        first_tables.create_all(connection)
        wanted = portrait(connection)
        first_tables.drop_all(connection)
    engines.close()
    migrate.upgrade(database.url)
    migrate.downgrade(database.url, "0001")
    with database.raw() as connection:
        assert portrait(connection) == wanted


def portrait(connection: Connection) -> dict[str, Any]:
    """Return the columns, checks, keys and indexes of all tables."""
    found = inspect(connection)
    return {
        table: (
            sorted((each["name"], str(each["type"]), each["nullable"]) for each in found.get_columns(table)),
            sorted((str(each["name"]), each["sqltext"]) for each in found.get_check_constraints(table)),
            sorted((each["name"], each["unique"], each["column_names"]) for each in found.get_indexes(table)),
            sorted((str(each["name"]), each["constrained_columns"]) for each in found.get_foreign_keys(table)),
            found.get_pk_constraint(table)["constrained_columns"],
        )
        for table in first_tables.tables
    }


def test_whole_devices_stay_held_and_what_others_use_is_forgotten(database: Database) -> None:
    with database.opened() as storage:
        world = make_world(storage)
        foreign = ForeignUse((("h100", 4),), cpu_milli=1, memory_mib=2, pods=3)
        world.record(
            make_node("n1", foreign=foreign, tenant="alpha", state=NodeState.DEGRADED),
            make_node("n2", state=NodeState.SUSPECT),
        )
        world.place(world.submit(), take("n1", 0, 1))
        for rank in (take_no_devices("n1"), take_share("n1", 2, 500, 9)):
            world.end(world.place(world.submit(), rank))
    migrate.downgrade(database.url, "0002")
    assert database.ask("SELECT devices FROM quota_usage") == [(2,)]
    assert database.ask("SELECT name, state FROM nodes ORDER BY name") == [("n1", "ready"), ("n2", "drained")]
    counters = "SELECT resource, allocatable, used FROM node_resources WHERE node_id = 'mixed/n1' ORDER BY resource"
    assert database.ask(counters) == [
        ("cpu_milli", 64_000, 1_000),
        ("devices_milli/h100", 8_000, 2_000),
        ("memory_mib", 512_000, 2_000),
        ("pods", 16, 1),
    ]
    assert database.ask("SELECT slots FROM allocations ORDER BY attempt_id") == [("[0,1]",), ("[2]",)]
    held = database.ask("SELECT slot, holder_attempt IS NOT NULL FROM device_slots WHERE used_milli > 0 ORDER BY slot")
    assert [(slot, bool(is_held)) for slot, is_held in held] == [(0, True), (1, True)]
    with database.opened() as storage:
        assert storage.views.capacity_errors() == []


@pytest.mark.parametrize(
    "hold",
    [
        lambda world: world.place(world.submit(), take_share("n1", 0, 500)),
        lambda world: world.place(world.submit(), take_no_devices("n1")),
        lambda world: world.place(world.submit(), take_counted("n1", 1)),
        lambda world: world.place(world.submit(), replace(take("n1", 0), pods=16)),
    ],
    ids=["a share", "no devices", "counted devices", "a whole node"],
)
def test_what_an_older_medley_could_not_end_stops_the_way_back(
    database: Database, hold: Callable[[World], str]
) -> None:
    with database.opened() as storage:
        world = make_world(storage)
        world.add_picking_cluster()
        attempt = hold(world)
    with pytest.raises(StorageError, match="knows nothing of: 1 of them"):
        migrate.downgrade(database.url, "0002")
    with database.opened() as storage:
        World(storage, storage.leadership.take("again")).end(attempt, epoch=2)
    migrate.downgrade(database.url, "0002")
