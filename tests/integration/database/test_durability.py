"""What the databases promise is asked of them: settings, crashes, lost connections."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from scheduler.adapters.database.engine import open_engines
from scheduler.core.model.tenant import Tenant
from scheduler.ports.journal import StorageUnavailable
from scheduler.ports.views import JobFilter
from tests.builders.database import NOON, Database, make_world
from tests.builders.eventually import eventually
from tests.postgres import PostgresServer

REPOSITORY = Path(__file__).parents[3]
SUBMIT_FOR_EVER = """
import sys
from tests.builders.database import Database, make_world
with Database(sys.argv[1]).opened() as storage:
    world = make_world(storage)
    while True:
        print(world.submit().id, flush=True)
"""


def pragma(connection: Connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def setting(connection: Connection, name: str) -> object:
    return connection.exec_driver_sql(f"SHOW {name}").scalar()


def test_sqlite_keeps_what_it_acknowledged_and_checks_foreign_keys(sqlite_url: str) -> None:
    with Database(sqlite_url).opened() as storage:
        with storage.engines.writing.connect() as writing:
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
            assert [pragma(writing, name) for name in names] == ["wal", 2, 1, 5_000, 0]
        with storage.engines.reading.connect() as reading:
            assert [pragma(reading, name) for name in ("journal_mode", "foreign_keys", "query_only")] == ["wal", 1, 1]
            with pytest.raises(OperationalError, match="readonly"):
                reading.exec_driver_sql("UPDATE change_counter SET last = 9")


def test_sqlite_takes_the_write_lock_as_a_transaction_begins(sqlite_url: str) -> None:
    with Database(sqlite_url).opened() as storage, ThreadPoolExecutor(1) as threads:
        engines = open_engines(sqlite_url)
        with engines.writing.begin() as held:
            held.exec_driver_sql("SELECT 1")
            writing = threads.submit(storage.directory.create_tenant, "alpha", NOON)
            with pytest.raises(StillWaiting):
                writing.result(0.2)
            assert storage.directory.tenants(after=None, limit=9) == [], "readers do not wait for writers"
        assert writing.result(10) == Tenant("alpha", NOON)
        engines.close()


def test_postgresql_keeps_what_it_acknowledged_and_bounds_every_wait(durable_postgres: PostgresServer) -> None:
    with Database(durable_postgres.create_database()).opened() as storage:
        with storage.engines.writing.connect() as writing:
            names = ("synchronous_commit", "fsync", "statement_timeout", "lock_timeout", "transaction_isolation")
            assert [setting(writing, name) for name in names] == ["on", "on", "30s", "5s", "read committed"]
        with storage.engines.reading.connect() as reading:
            wanted = ("transaction_isolation", "transaction_read_only", "statement_timeout", "timezone")
            assert [setting(reading, name) for name in wanted] == ["repeatable read", "on", "30s", "UTC"]


def test_names_are_compared_byte_by_byte_in_every_column_of_postgresql(durable_postgres: PostgresServer) -> None:
    database = Database(durable_postgres.create_database())
    with database.opened():
        other = database.ask(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C' AND column_name IN "
            "('id', 'name', 'tenant', 'chip', 'cluster', 'node_id', 'job_id', 'group_id', 'attempt_id', 'resource')"
        )
    assert other == []


def test_a_lost_connection_is_replaced(durable_postgres: PostgresServer) -> None:
    with Database(durable_postgres.create_database()).opened() as storage:
        storage.directory.create_tenant("alpha", NOON)
        assert storage.directory.tenant("alpha") is not None
        durable_postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'medley'"
        )
        storage.directory.create_tenant("beta", NOON)
        assert storage.directory.tenant("beta") is not None


def test_a_connection_lost_at_the_commit_leaves_the_job_there_once_or_not_at_all(
    durable_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Database(durable_postgres.create_database()).opened() as storage:
        world = make_world(storage)
        commit = storage.engines.writing.dialect.do_commit

        def commit_and_lose_the_connection(connection: Any) -> None:
            commit(connection)
            durable_postgres.execute(f"SELECT pg_terminate_backend({connection.driver_connection.info.backend_pid})")
            connection.driver_connection.execute("SELECT 1")

        with monkeypatch.context() as patched:
            patched.setattr(storage.engines.writing.dialect, "do_commit", commit_and_lose_the_connection)
            with pytest.raises(StorageUnavailable, match="Nobody knows"):
                world.submit()
        (written_once,) = storage.views.jobs(JobFilter(), before=None, limit=99)
        after = world.submit()
        assert [view.job.id for view in storage.views.jobs(JobFilter(), before=None, limit=99)] == [
            after.id,
            written_once.job.id,
        ]


def test_a_crash_of_postgresql_loses_nothing_and_needs_no_restart_of_ours(durable_postgres: PostgresServer) -> None:
    with Database(durable_postgres.create_database()).opened() as storage:
        world = make_world(storage)
        kept = [world.submit().id for _ in range(5)]
        durable_postgres.crash()
        with pytest.raises(StorageUnavailable):
            world.submit()
        with pytest.raises(StorageUnavailable):
            storage.views.last_change()
        assert storage.ping() is False
        durable_postgres.start()
        assert eventually(storage.ping, within_s=60)
        kept.append(world.submit().id)
        assert [view.job.id for view in storage.views.jobs(JobFilter(), before=None, limit=99)] == kept[::-1]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_killed_process_loses_no_acknowledged_job(
    kind: str, sqlite_url: str, durable_postgres: PostgresServer
) -> None:
    url = sqlite_url if kind == "sqlite" else durable_postgres.create_database()
    process = subprocess.Popen(
        [sys.executable, "-c", SUBMIT_FOR_EVER, url], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in process.stdout if line.endswith("\n")]
    with Database(url).opened() as storage:
        kept = [view.job.id for view in storage.views.jobs(JobFilter(), before=None, limit=9_999)]
        numbers = [change.number for change in storage.views.changes_after(0, limit=9_999)]
    assert all(acknowledged)
    assert kept[::-1][: len(acknowledged)] == acknowledged
    assert len(kept) <= len(acknowledged) + 1
    assert numbers == list(range(1, len(numbers) + 1))
