"""How SQLite finds rows: no statement of daily work walks through a table that grows."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import WorkerPhase, WorkerRecord
from scheduler.core.model.job import ArrayMember, Condition, Dependency
from scheduler.ports.journal import IdempotencyKey
from tests.builders.database import NOON, TENANT, Database, World, make_world

GROWING = ("jobs", "groups", "attempts", "allocations", "workers", "progress", "changes", "idempotency_keys")
LIVE_ONLY = ("ix_jobs_live", "uq_attempts_one_live", "ix_allocations_held")
"""Indexes that hold nothing of what is over: walking through one of them is fine."""


class Plans:
    """What SQLite says it does for each statement of two engines."""

    def __init__(self) -> None:
        self.steps: dict[str, list[str]] = {}

    def watch(self, engine: Engine) -> None:
        event.listen(engine, "before_cursor_execute", self._explain)

    def walks(self) -> list[tuple[str, str]]:
        """Return the steps that look at all rows of a table that grows, with their statements."""
        return [(step, statement) for statement, steps in self.steps.items() for step in steps if self._is_walk(step)]

    def _explain(self, connection: Connection, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if not statement.startswith(("SELECT", "UPDATE", "DELETE")):
            return
        first = parameters[0] if isinstance(parameters, list) else parameters
        plan = connection.connection.cursor()
        plan.execute(f"EXPLAIN QUERY PLAN {statement}", first)
        self.steps[statement] = [step for *_numbers, step in plan.fetchall()]
        plan.close()

    def _is_walk(self, step: str) -> bool:
        if not step.startswith(("SCAN", "SEARCH")) or "(" in step:
            return False
        return step.split()[1] in (*GROWING, "newer", "same", "of_same") and not any(
            index in step for index in LIVE_ONLY
        )


@pytest.fixture
def plans() -> Plans:
    return Plans()


@pytest.fixture
def world(tmp_path: Path, plans: Plans) -> Iterator[World]:
    with Database(f"sqlite:///{tmp_path / 'medley.db'}").opened() as storage:
        plans.watch(storage.engines.reading)
        plans.watch(storage.engines.writing)
        yield make_world(storage)


def live(world: World) -> str:
    """Take a job through all of its life but the end; returns its attempt."""
    attempt = world.place(world.submit(key=IdempotencyKey("mine", "abc")))
    world.see(attempt, Event.WORKERS_CREATED)
    world.see(attempt, Event.ALL_READY, WorkerRecord(0, WorkerPhase.RUNNING, NOON, None, None, None))
    world.report(attempt, 1)
    return attempt


def test_a_jobs_life_is_written_without_walking_through_tables(world: World, plans: Plans) -> None:
    world.see(live(world), Event.ALL_SUCCEEDED)
    world.cancel(world.submit())
    assert len(plans.steps) > 20
    assert plans.walks() == []


def test_a_tenants_live_jobs_are_counted_among_live_jobs_only(world: World, plans: Plans) -> None:
    world.submit()
    (plan,) = [steps for statement, steps in plans.steps.items() if "sum(jobs.replicas)" in statement]
    assert plan == ["SEARCH jobs USING INDEX ix_jobs_live (tenant=?)"]


def test_what_is_held_on_nodes_is_found_among_what_is_held_only(world: World, plans: Plans) -> None:
    live(world)
    world.storage.views.nodes(cluster=None, chip=None, after=None, limit=10)
    (plan,) = [steps for statement, steps in plans.steps.items() if "FROM allocations JOIN" in statement]
    assert plan[0] == "SEARCH allocations USING INDEX ix_allocations_held (node_id=?)"


def test_how_an_array_stands_that_others_come_after_is_read_from_an_index_alone(world: World, plans: Plans) -> None:
    array = "0000000000000000"
    members = [world.submit(world.make_job(array=ArrayMember(array, "sweep", index, 2))) for index in range(2)]
    later = world.submit(world.make_job(after=(Dependency(array, Condition.ENDED, is_array=True),)))
    world.cancel(members[0])
    world.storage.views.snapshot()
    world.cancel(members[1])
    world.place(later)
    counted = [steps for statement, steps in plans.steps.items() if "GROUP BY jobs.array_id, jobs.state" in statement]
    assert counted
    assert all(steps == ["SEARCH jobs USING COVERING INDEX ix_jobs_array (array_id=?)"] for steps in counted)
    assert plans.walks() == []


@pytest.mark.parametrize(
    "read",
    [
        lambda world: world.storage.views.snapshot(),
        lambda world: world.storage.views.changes_after(1, limit=10),
        lambda world: world.storage.views.changes_after(1, limit=10, job="000000001abcdefg"),
        lambda world: world.storage.views.job("000000001abcdefg", tenant=TENANT),
        lambda world: world.storage.views.attempt_is_open("000000001abcdefg-g0-a1", 1),
        lambda world: world.storage.views.progress("000000001abcdefg-g0-a1", limit=10),
        lambda world: world.storage.directory.holder_of("abc"),
        lambda world: world.storage.views.nodes(cluster=None, chip=None, after=None, limit=10),
        lambda world: world.storage.views.pools(),
        lambda world: world.storage.views.capacity_errors(),
    ],
    ids=["snapshot", "changes", "job-changes", "job", "is-open", "progress", "token", "nodes", "pools", "capacity"],
)
def test_what_is_often_asked_is_found_by_an_index(world: World, plans: Plans, read: Callable[[World], Any]) -> None:
    live(world)
    plans.steps.clear()
    read(world)
    assert plans.steps
    assert plans.walks() == []
