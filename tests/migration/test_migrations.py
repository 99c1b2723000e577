"""The schema's history: up, no drift, down to nothing, and up again, on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, MetaData, Table, inspect

import migrations
from scheduler.adapters.database import migrate
from scheduler.adapters.database.schema import metadata
from tests.builders.database import Database, make_world
from tests.postgres import FAST, running_postgres

WANT_TABLES = {table.name for table in metadata.sorted_tables} | {"alembic_version"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[str]]:
    """URLs of empty databases, of each kind in turn."""
    if request.param == "sqlite":
        folder: Path = tmp_path_factory.mktemp("migrations")
        yield (f"sqlite:///{folder / str(number)}.db" for number in range(99))
    else:
        with running_postgres(*FAST) as server:
            yield (server.create_database() for _ in range(99))


@pytest.fixture
def database(urls: Iterator[str]) -> Database:
    return Database(next(urls))


def tables(database: Database) -> set[str]:
    with database.raw() as connection:
        return set(inspect(connection).get_table_names())


def test_the_migrations_lead_to_the_tables_of_the_code_and_back_to_nothing(database: Database) -> None:
    for _ in range(2):
        assert migrate.upgrade(database.url) == migrate.newest_revision()
        assert tables(database) == WANT_TABLES
        assert migrate.drift(database.url) == []
        migrate.downgrade(database.url, "base")
        assert tables(database) == {"alembic_version"}


def test_the_names_of_the_files_say_the_order_in_which_alembic_goes_through_them() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert [script.revision for script in scripts.walk_revisions()] == [*reversed(migrate.known_revisions())]
    assert scripts.get_heads() == [migrate.newest_revision()]


def test_upgrading_again_changes_nothing_and_keeps_what_is_there(database: Database) -> None:
    migrate.upgrade(database.url)
    with database.opened() as storage:
        job = make_world(storage).submit()
    migrate.upgrade(database.url)
    with database.opened() as storage:
        assert storage.views.job(job.id, tenant=None) is not None


def test_several_processes_may_upgrade_at_once(database: Database) -> None:
    with ThreadPoolExecutor(4) as threads:
        revisions = list(threads.map(migrate.upgrade, [database.url] * 4))
    assert set(revisions) == {migrate.newest_revision()}
    assert tables(database) == WANT_TABLES


@pytest.mark.parametrize(
    "damage",
    [
        "ALTER TABLE users RENAME COLUMN created_at TO born_at",
        "DROP INDEX uq_attempts_one_live",
        "DROP TABLE rendezvous",
    ],
)
def test_drift_is_found(database: Database, damage: str) -> None:
    migrate.upgrade(database.url)
    with database.raw() as connection:
        connection.exec_driver_sql(damage)
        connection.commit()
    assert migrate.drift(database.url)


def test_a_changed_check_is_drift(database: Database) -> None:
    migrate.upgrade(database.url)
    with database.raw() as connection:
        connection.exec_driver_sql("DROP TABLE workers")
        other = Table("workers", MetaData(), Column("rank", Integer))
        other.create(connection)
        connection.commit()
    assert any("ck_workers_phase" in difference for difference in migrate.drift(database.url))
