"""What the contract suites run on: SQLite and PostgreSQL in turn, and a real Kubernetes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.adapters.database import migrate
from scheduler.adapters.database.schema import metadata
from scheduler.adapters.database.storage import Storage
from scheduler.core.model.access.audit import FIRST_SEAL
from tests.builders.cluster import Bench
from tests.builders.database import Database, World, empty_sqlite, make_world
from tests.builders.kubernetes_bench import kubernetes_bench
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.postgres import FAST, PostgresServer, running_postgres

SHARED = "medley"
SINGLE_ROWS = ("change_counter", "leadership", "installation", "audit_head")
EMPTY = "".join(
    [f"DELETE FROM {table.name};" for table in reversed(metadata.sorted_tables) if table.name not in SINGLE_ROWS]
    + ["UPDATE change_counter SET last = 0; UPDATE leadership SET epoch = 0, holder = '';"]
    + ["UPDATE installation SET secret_fingerprint = '';"]
    + [f"UPDATE audit_head SET last = 0, sha256 = '{FIRST_SEAL}';"]
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the session, with one database that has the schema: tests take turns in it."""
    with running_postgres(*FAST) as server:
        server.execute(f"CREATE DATABASE {SHARED}")
        migrate.upgrade(server.url(SHARED))
        yield server


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Database:
    """The session's database, emptied: ten times faster than making one from a template."""
    postgres.execute(EMPTY, database=SHARED)
    return Database(postgres.url(SHARED))


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Database:
    return empty_sqlite(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database of its own, of each kind in turn."""
    fixture = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    found = request.getfixturevalue(fixture)
    assert isinstance(found, Database)
    return found


@pytest.fixture
def storage(database: Database) -> Iterator[Storage]:
    with database.opened() as storage:
        yield storage


@pytest.fixture
def world(storage: Storage) -> World:
    return make_world(storage)


@pytest.fixture
def on_kubernetes(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[Bench]:
    """A cluster on the real API server; asked for only where a test wants it, because it takes seconds."""
    with kubernetes_bench(control_plane, namespace, tmp_path) as bench:
        yield bench
