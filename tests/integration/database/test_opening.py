"""Opening a database: what cannot be used is refused with what, why and what to do."""

from pathlib import Path

import pytest
from sqlalchemy import text

from scheduler.adapters.database.storage import StorageError
from tests.builders.database import Database
from tests.postgres import PostgresServer


def opening(url: str) -> StorageError:
    """Return the error of opening a database that must not open."""
    with pytest.raises(StorageError) as caught, Database(url).opened():
        pass
    assert caught.value.what
    assert caught.value.next_step in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("url", "want_why"),
    [
        ("no url", "no database URL"),
        ("mysql://host/name", "mysql"),
        ("sqlite://", "absolute"),
        ("sqlite:///relative.db", "absolute"),
        ("sqlite:///:memory:", "absolute"),
    ],
)
def test_a_url_of_another_kind_is_refused(url: str, want_why: str) -> None:
    assert want_why in opening(url).why


def test_a_folder_that_is_not_there_is_named_by_the_database(tmp_path: Path) -> None:
    assert "unable to open" in opening(f"sqlite:///{tmp_path}/missing/medley.db").why


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "medley.db"
    path.write_text("not a database, although long enough to be taken for the header of one " * 9)
    assert "not a database" in opening(f"sqlite:///{path}").why
    assert path.read_text().startswith("not a database")


def test_a_server_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "connection" in opening(f"postgresql://medley@/medley?host={tmp_path}").why


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_newer_schema_is_refused_and_left_alone(kind: str, sqlite_url: str, durable_postgres: PostgresServer) -> None:
    database = Database(sqlite_url if kind == "sqlite" else durable_postgres.create_database())
    with database.opened():
        pass
    with database.raw() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.commit()
    assert "9999" in opening(database.url).why
    assert database.ask("SELECT version_num FROM alembic_version") == [("9999",)]


def test_opening_twice_finds_what_was_kept(sqlite_url: str) -> None:
    for want_epoch in (1, 2):
        with Database(sqlite_url).opened() as storage:
            assert storage.leadership.take("me") == want_epoch
