"""The schema before access and back: old tokens go on, and what an older Medley would open too wide is revoked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scheduler.adapters.database import migrate
from scheduler.core.model.tenant import Role, Scope, User
from tests.builders.database import NOON, Database, after_noon, make_world
from tests.contract.test_directory import make_token
from tests.postgres import FAST, PostgresServer, running_postgres

BEFORE = "0005"


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres(*FAST) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return Database(f"sqlite:///{tmp_path / 'medley.db'}")
    server: PostgresServer = request.getfixturevalue("postgres")
    return Database(server.create_database())


def test_old_tokens_go_on_and_narrow_ones_are_revoked_on_the_way_back(database: Database) -> None:
    with database.opened() as storage:
        directory = make_world(storage).storage.directory
        directory.create_user(User("ann", "alpha", NOON))
        directory.create_user(User("bob", "alpha", NOON, Role.VIEWER))
        directory.create_user(User("eve", "alpha", NOON, disabled_at=NOON))
        for token in (
            make_token(1),
            make_token(2, user="ann"),
            make_token(3, scope=frozenset({Scope.JOBS_READ})),
            make_token(4, user="bob"),
            make_token(5, user="eve"),
            make_token(6, user="ann", is_login=True),
        ):
            directory.create_token(token)
    migrate.downgrade(database.url, BEFORE)
    assert database.ask("SELECT id FROM tokens WHERE revoked_at IS NULL ORDER BY id") == [("t1",), ("t2",)]
    migrate.upgrade(database.url)
    assert migrate.drift(database.url) == []
    with database.opened() as storage:
        holder = storage.directory.holder_of(make_token(2).secret_sha256)
        assert holder is not None
        assert holder.token == replace(make_token(2), user="ann")
        assert holder.owner == User("ann", "alpha", NOON)
        assert holder.may_enter(after_noon(1))
        assert storage.audit.check().last == 0
