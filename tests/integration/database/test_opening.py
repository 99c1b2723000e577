"""Opening a database: what cannot be used is refused with what, why and what to do."""

import stat
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
def test_a_url_of_another_kind_is_refused_and_leaves_no_file(
    url: str, want_why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert want_why in opening(url).why
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_is_private_and_one_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    new, shared = tmp_path / "new.db", tmp_path / "shared.db"
    shared.touch()
    shared.chmod(0o644)
    for path, want_mode in ((new, 0o600), (shared, 0o644)):
        with Database(f"sqlite:///{path}").opened():
            assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.glob(f"{path.name}*")} == {want_mode}


def test_a_folder_that_is_not_there_is_named_by_the_database(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "medley.db"
    error = opening(f"sqlite:///{path}")
    assert str(path) in error.what
    assert "No such file or directory" in error.why
    assert "Name a file in a folder" in error.next_step


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
