"""Rows that an older Medley wrote, brought to the newest schema: nothing is lost, and all goes on."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from migrations.versions.migration_0001_first_schema import tables as first_tables
from scheduler.adapters.database import migrate
from scheduler.adapters.database.failures import StorageError
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import Allocation, WorkerEnd, WorkerPhase, WorkerRecord, WorkerRemark
from scheduler.core.model.change import GroupMoved, WorkersNoted
from scheduler.core.model.group import WISHES, State, StopReason
from scheduler.core.model.job import CommandProgram
from scheduler.core.model.node import NO_FOREIGN_USE, Cluster
from scheduler.ports.journal import NoteWorkers
from scheduler.ports.views import Holding, TenantUse
from tests.builders.database import Database, World, take_share, written
from tests.postgres import FAST, PostgresServer, running_postgres

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
JOB = "000000001abcdefg"
GROUP = f"{JOB}-g0"
ATTEMPT = f"{GROUP}-a1"
ENDED_JOB = "000000000abcdefg"
ENDED_ATTEMPT = f"{ENDED_JOB}-g0-a1"
CHIP = dict.fromkeys(("memory_mib", "dense_bf16_tflops", "measured_tflops", "memory_bandwidth_gb_s", "link"))
SPEC = (
    '{"name":"train","kind":"training","workers":1,"shape":{"devices":1,"cpu_milli":1000,"memory_mib":2000},'
    '"chips":{"chips":["h100"]},"program":{"argv":["true"]},"environment":[["A","1"]],"retries":0,"time_limit_s":null,'
    '"grace_s":10,"priority":0,"labels":[]}'
)
MOVED = (
    f'{{"group":{{"id":"{GROUP}","job_id":"{JOB}","index":0,"state":"running","version":3,"attempts":1,"failures":0,'
    f'"stop_reason":null,"not_before":null}},"attempt":"{ATTEMPT}","workers":[{{"rank":0,"phase":"running",'
    '"started_at":"2026-01-01T12:00:00Z","ended_at":null,"exit_code":null,"end":null}],"reasons":[],"detail":null}'
)
"""Documents as the first Medley wrote them."""

ROWS: dict[str, list[dict[str, Any]]] = {
    "tenants": [{"name": "alpha", "created_at": AT}],
    "clusters": [{"name": "mixed", "kind": "local"}, {"name": "pods", "kind": "kubernetes"}],
    "chip_types": [
        {"name": "h100", "vendor": "V", "model": "H", "torch_device": "cuda", "collective_library": "nccl",
         "link_bandwidth_gb_s": None, "estimated_fields": "[]", **CHIP}
    ],
    "nodes": [
        {"id": "mixed/n1", "cluster": "mixed", "name": "n1", "cpu_milli": 64_000, "memory_mib": 64_000, "pods": 9,
         "topology": '{"domains":[]}', "labels": "[]", "state": "ready"}
    ],
    "node_devices": [{"node_id": "mixed/n1", "chip": "h100", "position": 0, "devices": 1, "memory_mib": 81_920}],
    "node_resources": [
        {"node_id": "mixed/n1", "resource": resource, "allocatable": has, "used": used}
        for resource, has, used in (
            ("cpu_milli", 64_000, 1_000), ("memory_mib", 64_000, 2_000), ("pods", 9, 1),
            ("devices_milli/h100", 1_000, 1_000)
        )
    ],
    "quota_usage": [{"tenant": "alpha", "chip": "h100", "devices": 1}],
    "jobs": [
        {"id": JOB, "tenant": "alpha", "name": "train", "kind": "training", "workers": 1, "retries": 0, "spec": SPEC,
         "submitted_by": "ann", "submitted_at": AT, "wish": "run", "state": "running", "finished_at": None},
        {"id": ENDED_JOB, "tenant": "alpha", "name": "train", "kind": "training", "workers": 1, "retries": 0,
         "spec": SPEC, "submitted_by": "ann", "submitted_at": AT, "wish": "run", "state": "failed", "finished_at": AT}
    ],
    "job_chips": [{"job_id": JOB, "chip": "h100"}],
    "groups": [
        {"id": GROUP, "job_id": JOB, "position": 0, "state": "running", "version": 3, "attempts": 1, "failures": 0,
         "stop_reason": None, "stop_detail": None, "not_before": None},
        {"id": f"{ENDED_JOB}-g0", "job_id": ENDED_JOB, "position": 0, "state": "failed", "version": 9, "attempts": 1,
         "failures": 1, "stop_reason": None, "stop_detail": None, "not_before": None}
    ],
    "attempts": [
        {"id": ATTEMPT, "group_id": GROUP, "number": 1, "generation": 1, "state": "running", "stop_reason": None,
         "notes": "[]", "placed_at": AT, "started_at": AT, "ended_at": None},
        {"id": ENDED_ATTEMPT, "group_id": f"{ENDED_JOB}-g0", "number": 1, "generation": 1, "state": "failed",
         "stop_reason": None, "notes": "[]", "placed_at": AT, "started_at": AT, "ended_at": AT}
    ],
    "allocations": [
        {"attempt_id": ATTEMPT, "generation": 1, "rank": 0, "node_id": "mixed/n1", "chip": "h100", "slots": "[0]",
         "cpu_milli": 1_000, "memory_mib": 2_000},
        {"attempt_id": ENDED_ATTEMPT, "generation": 1, "rank": 0, "node_id": "mixed/n1", "chip": "h100", "slots": "[0]",
         "cpu_milli": 1_000, "memory_mib": 2_000}
    ],
    "device_slots": [
        {"node_id": "mixed/n1", "slot": 0, "chip": "h100", "used_milli": 1_000, "holder_attempt": ATTEMPT}
    ],
    "workers": [
        {"attempt_id": ATTEMPT, "rank": 0, "phase": "running", "started_at": AT, "ended_at": None, "exit_code": None,
         "end": None}
    ],
    "progress": [
        {"attempt_id": ATTEMPT, "generation": 1, "step": 1, "steps": 2, "loss": 1.5, "tokens_per_s": 9.0, "at": AT}
    ],
    "rendezvous": [{"attempt_id": ATTEMPT, "generation": 1, "address": "10.0.0.1:1", "at": AT}],
    "changes": [
        {"number": 1, "at": AT, "tenant": "alpha", "job_id": JOB, "kind": "group-moved", "body": MOVED}
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres(*FAST) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """A database as the first Medley left it, with one job that runs."""
    if request.param == "sqlite":
        return filled(Database(f"sqlite:///{tmp_path / 'medley.db'}"))
    server: PostgresServer = request.getfixturevalue("postgres")
    return filled(Database(server.create_database()))


def filled(database: Database) -> Database:
    migrate.upgrade(database.url)
    migrate.downgrade(database.url, "0001")
    with database.raw() as connection:
        for table, rows in ROWS.items():
            connection.execute(insert(first_tables.tables[table]), rows)
        connection.execute(first_tables.tables["change_counter"].update().values(last=1))
        connection.commit()
    return database


def test_a_running_job_of_the_first_schema_is_there_after_the_upgrade(old: Database) -> None:
    migrate.upgrade(old.url)
    assert migrate.drift(old.url) == []
    with old.opened() as storage:
        view = storage.views.job(JOB, tenant=None)
        assert view is not None
        spec, (attempt,) = view.job.spec, view.attempts
        assert (spec.program, spec.environment) == (CommandProgram(("true",)), (("A", "1"),))
        assert (spec.image, spec.shared_memory_mib, spec.volumes, spec.secrets) == (None, 0, (), ())
        assert attempt.workers == (WorkerRecord(0, WorkerPhase.RUNNING, AT),)
        assert [node.node.note for node in storage.views.nodes(cluster=None, chip=None, after=None, limit=9)] == [""]
        (change,) = storage.views.changes_after(0, limit=9)
        assert isinstance(change.body, GroupMoved)
        assert storage.views.rendezvous(ATTEMPT, 1) == "10.0.0.1:1"
        assert len(storage.views.progress(ATTEMPT, limit=9)) == 1


def test_what_it_holds_is_counted_as_before_and_clusters_can_do_what_their_kind_can(old: Database) -> None:
    migrate.upgrade(old.url)
    with old.opened() as storage:
        assert storage.views.capacity_errors() == []
        assert storage.views.tenant_use(None) == [TenantUse("alpha", "h100", 1_000)]
        assert storage.directory.clusters() == [
            Cluster("mixed", "local", binds_devices=True, enforces_shares=True),
            Cluster("pods", "kubernetes", binds_devices=False, enforces_shares=False),
        ]
        (attempt,) = storage.views.snapshot().attempts
        assert attempt.allocations == (Allocation(0, "mixed/n1", "h100", (0,), 1_000, 2_000, compute_milli=1_000),)
        (view,) = storage.views.nodes(cluster=None, chip=None, after=None, limit=9)
        assert (view.node.tenant, view.node.foreign) == (None, NO_FOREIGN_USE)
        assert view.holdings == (Holding("alpha", JOB, ATTEMPT, "h100", 1, slots=(0,)),)


def test_a_device_has_its_memory_to_share_once_its_holder_ended(old: Database) -> None:
    migrate.upgrade(old.url)
    with old.opened() as storage:
        world = World(storage, storage.leadership.take("test"))
        world.see(ATTEMPT, Event.STOP, reason=StopReason.WORKER_FAILED)
        world.see(ATTEMPT, Event.GONE)
        world.place(world.submit(replace(world.make_job(), id="000000002abcdefg")), take_share("n1", 0, 1, 81_920))
        assert storage.views.capacity_errors() == []


def test_it_goes_on_with_every_end_and_every_stop_reason_there_is(old: Database) -> None:
    migrate.upgrade(old.url)
    with old.opened() as storage:
        world = World(storage, storage.leadership.take("test"))
        records = tuple(
            WorkerRecord(rank, WorkerPhase.EXITED, AT, AT, exit_code=1, end=end, detail="said the cluster")
            for rank, end in enumerate(WorkerEnd)
        )
        for reason in StopReason:
            if reason not in WISHES:
                world.see(ATTEMPT, Event.STOP, *records, reason=reason)
        world.see(ATTEMPT, Event.GONE)
        view = storage.views.job(JOB, tenant=None)
        assert view is not None
        assert (view.state, view.attempts[0].workers) == (State.FAILED, records)
        assert sum(pool.devices_held for pool in storage.views.pools()) == 0
        remark = WorkerRemark(0, "BackOff", AT)
        written(world.write(NoteWorkers(ATTEMPT, (remark,), world.epoch, AT)))
        assert storage.views.changes_after(0, limit=99)[-1].body == WorkersNoted(ATTEMPT, (remark,))


def test_on_the_way_back_rows_get_the_old_word_that_comes_closest(old: Database) -> None:
    migrate.upgrade(old.url)
    with old.opened() as storage:
        world = World(storage, storage.leadership.take("test"))
        lost = WorkerRecord(0, WorkerPhase.EXITED, end=WorkerEnd.REJECTED)
        world.see(ATTEMPT, Event.STOP, lost, reason=StopReason.NODE_REJECTED)
    migrate.downgrade(old.url, "0001")
    assert read(old, "groups", "stop_reason") == read(old, "attempts", "stop_reason") == [None, "lost"]
    assert read(old, "workers", "end") == ["lost"]
    assert read(old, "rendezvous", "address") == ["10.0.0.1:1"]


def test_rows_that_refer_to_nothing_stop_an_upgrade_of_sqlite(tmp_path: Path) -> None:
    old = filled(Database(f"sqlite:///{tmp_path / 'medley.db'}"))
    with closing(sqlite3.connect(tmp_path / "medley.db")) as connection, connection:
        connection.execute("DELETE FROM attempts")
    with pytest.raises(StorageError, match="refers to a row of attempts that is not there"):
        migrate.upgrade(old.url)
    assert read(old, "rendezvous", "address") == ["10.0.0.1:1"]


def read(database: Database, table: str, column: str) -> list[Any]:
    with database.raw() as connection:
        rows = first_tables.tables[table]
        return list(connection.execute(select(rows.c[column]).order_by(*rows.primary_key)).scalars())
