"""Quotas of tenants become limits of their own queues, and are such again on the way back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.adapters.database import migrate
from scheduler.core.model.sharing.queue import ChipGroup, Queue, QueueQuota
from scheduler.core.model.tenant import Quota
from scheduler.ports.views import TenantUse
from tests.builders.database import NOON, Database, make_world, take
from tests.postgres import FAST, running_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database that nothing was done to."""
    if request.param == "sqlite":
        yield Database(f"sqlite:///{tmp_path / 'medley.db'}")
        return
    with running_postgres(*FAST) as server:
        yield Database(server.create_database())


def test_quotas_and_what_is_held_survive_the_way_back_and_forth(database: Database) -> None:
    with database.opened() as storage:
        world = make_world(storage)
        queues = storage.queues
        queues.set_queue(Queue("org"), NOON)
        queues.set_queue(Queue("alpha", "org", "alpha"), NOON)
        queues.set_queue(Queue("night", "alpha", "alpha"), NOON)
        queues.set_chip_group(ChipGroup("all", ("h100", "mi300x")), NOON)
        for quota in (
            QueueQuota("alpha", "h100", guaranteed=2, limit=6, lending=1),
            QueueQuota("alpha", "all", limit=9),
            QueueQuota("alpha", "mi300x", guaranteed=1),
            QueueQuota("org", "h100", limit=8),
        ):
            queues.set_quota(quota, NOON)
        world.place(world.submit(world.make_job(queue="night")))
        world.place(world.submit(), take("n1", 1, 2))
    migrate.downgrade(database.url, "0010")
    assert database.ask("SELECT tenant, chip, devices FROM quotas") == [("alpha", "h100", 6)]
    assert database.ask("SELECT tenant, chip, devices_milli FROM quota_usage") == [("alpha", "h100", 3_000)]
    with database.opened() as storage:
        assert [queue.name for queue in storage.queues.queues()] == ["alpha", "beta"]
        assert storage.queues.quotas("alpha") == [QueueQuota("alpha", "h100", limit=6)]
        assert storage.directory.quotas("alpha") == [Quota("alpha", "h100", 6)]
        assert storage.views.tenant_use(None) == [TenantUse("alpha", "h100", 3_000)]
        assert storage.views.capacity_errors() == []
        assert {job.queue for job in storage.views.snapshot().jobs} == {"alpha"}
