"""What a database keeps of the Medley it belongs to, and the lock of its scheduler."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from scheduler.adapters.database.processes.scheduler_lock import SchedulerLock
from scheduler.adapters.database.storage import Storage
from scheduler.services.access.process_secrets import NoServerYet, OtherSecret, claim_secret, require_same_secret
from tests.builders.database import Database
from tests.builders.eventually import eventually
from tests.postgres import PostgresServer

OURS, OTHER = b"a" * 32, b"b" * 32


def test_the_first_secret_is_the_databases_and_another_one_is_refused(storage: Storage) -> None:
    with pytest.raises(NoServerYet):
        require_same_secret(storage.installation, OURS)
    claim_secret(storage.installation, OURS, may_replace=False)
    claim_secret(storage.installation, OURS, may_replace=False)
    require_same_secret(storage.installation, OURS)
    with pytest.raises(OtherSecret):
        require_same_secret(storage.installation, OTHER)
    with pytest.raises(OtherSecret):
        claim_secret(storage.installation, OTHER, may_replace=False)
    assert OURS.hex() not in storage.installation.fingerprint()


def test_a_secret_may_be_replaced_on_purpose(storage: Storage) -> None:
    claim_secret(storage.installation, OURS, may_replace=False)
    claim_secret(storage.installation, OTHER, may_replace=True)
    require_same_secret(storage.installation, OTHER)


def test_of_two_that_come_at_once_with_different_secrets_one_is_refused(database: Database) -> None:
    with database.opened() as one, database.opened() as two, ThreadPoolExecutor(2) as threads:
        agreed = list(
            threads.map(lambda each: each[0].installation.agree(each[1], may_replace=False), ((one, "a"), (two, "b")))
        )
        assert sorted(agreed) == [False, True]


def test_one_holds_the_lock_at_a_time_and_the_next_when_it_lets_go_or_its_connection_dies(
    postgres: PostgresServer, postgres_database: Database
) -> None:
    first, second = SchedulerLock(postgres_database.url), SchedulerLock(postgres_database.url)
    try:
        assert (first.take(), first.take(), second.take()) == (True, True, False)
        first.close()
        assert eventually(second.take, within_s=60)
        ending = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        postgres.execute(ending)
        third = SchedulerLock(postgres_database.url)
        assert eventually(third.take, within_s=60)
        third.close()
    finally:
        first.close()
        second.close()
