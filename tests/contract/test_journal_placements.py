"""Committing decisions: a gang is placed whole or not at all, and never beyond what there is."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.asking.grounds import Grounds, KeptRoom, QueueShare, Standing
from scheduler.core.model.change import GroupMoved, GroupPlaced
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import ExactMix
from scheduler.core.model.node import NodeState
from scheduler.core.model.reason import NoCluster
from scheduler.ports.journal import Rejection, Write, Written
from scheduler.ports.views import TenantUse
from tests.builders.database import (
    CLUSTER,
    Database,
    World,
    after_noon,
    first_attempt,
    make_node,
    refused,
    take,
    written,
)

NEW_ATTEMPT = "INSERT INTO attempts (id, group_id, number, generation, state, notes, placed_at, ended_at)"


def held(world: World, node: str = "n1") -> tuple[int, int, list[int]]:
    """Return milli-cores, MiB and devices per holding that are held on a node."""
    (view,) = (
        view
        for view in world.storage.views.nodes(cluster=None, chip=None, after=None, limit=9)
        if view.node.name == node
    )
    return view.cpu_milli_held, view.memory_mib_held, [holding.devices for holding in view.holdings]


def test_a_placed_gang_holds_its_slots_and_the_feed_tells_all_of_it(world: World) -> None:
    job = world.submit(world.make_job(ExactMix((("h100", 1), ("mi300x", 1))), workers=2))
    item = world.placing(job, take("n1", 3, 4), take("n2", 8, rank=1, chip="mi300x"))
    outcome = written(world.write(item))
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    (attempt,) = view.attempts
    assert (outcome.job, outcome.state, view.state) == (job.id, State.PLACED, State.PLACED)
    assert (attempt.id, attempt.number, attempt.generation) == (first_attempt(job), 1, 1)
    assert attempt.allocations == item.decision.allocations
    assert attempt.notes == item.decision.notes
    assert (attempt.placed_at, attempt.started_at, attempt.ended_at) == (item.at, None, None)
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=9)
    assert change.body == GroupPlaced(view.groups[0], attempt.id, item.decision.allocations, item.decision.notes)
    assert held(world) == (1_000, 2_000, [2])
    assert held(world, "n2") == (1_000, 2_000, [1])
    assert world.storage.views.tenant_use(None) == [
        TenantUse("alpha", "h100", 2_000),
        TenantUse("alpha", "mi300x", 1_000),
    ]


def test_a_gang_is_placed_whole_or_not_at_all(world: World) -> None:
    world.place(world.submit(), take("n2", 0))
    gang = world.submit(world.make_job(workers=2))
    outcome = world.write(world.placing(gang, take("n1", 0), take("n2", 0, rank=1)))
    assert refused(outcome) is Rejection.NO_CAPACITY
    assert held(world) == (0, 0, [])
    assert world.group(gang).state is State.QUEUED


@pytest.mark.parametrize(
    "ranks",
    [
        pytest.param((take("n1", 0),), id="too few ranks"),
        pytest.param((take("n1", 0), take("n1", 1)), id="a rank twice"),
        pytest.param((take("n1", 0), take("n1", 1, rank=1), take("n1", 2, rank=2)), id="too many ranks"),
    ],
)
def test_a_decision_that_is_no_whole_gang_is_illegal(world: World, ranks: tuple[object, ...]) -> None:
    gang = world.submit(world.make_job(workers=2))
    assert refused(world.write(world.placing(gang, *ranks))) is Rejection.ILLEGAL  # type: ignore[arg-type] # allocations


@pytest.mark.parametrize(
    "rank",
    [
        pytest.param(take("n1", 0), id="a held slot"),
        pytest.param(take("n1", 9), id="a slot of another chip"),
        pytest.param(take("n1", 99), id="a slot that does not exist"),
        pytest.param(take("n1", 1, 1), id="one slot twice"),
        pytest.param(take("n9", 1), id="a node that does not exist"),
        pytest.param(take("n1", 1, chip="ascend-910b"), id="a chip the node has not"),
        pytest.param(replace(take("n1", 1), cpu_milli=63_001), id="more cpu than is left"),
        pytest.param(replace(take("n1", 1), memory_mib=510_001), id="more memory than is left"),
    ],
)
def test_what_is_not_free_is_not_given(world: World, rank: object) -> None:
    world.place(world.submit(), take("n1", 0))
    before = held(world)
    outcome = world.write(world.placing(world.submit(), rank))  # type: ignore[arg-type] # an allocation
    assert refused(outcome) is Rejection.NO_CAPACITY
    assert held(world) == before


def test_a_node_runs_no_more_workers_than_it_may(world: World) -> None:
    world.record(make_node("n1", pods=2))
    for slot in range(2):
        world.place(world.submit(), take("n1", slot))
    assert refused(world.write(world.placing(world.submit(), take("n1", 2)))) is Rejection.NO_CAPACITY


@pytest.mark.parametrize("state", [NodeState.DRAINED, NodeState.GONE])
def test_a_node_that_is_not_ready_takes_nothing_new(world: World, state: NodeState) -> None:
    world.record(make_node("n1", state=state))
    assert refused(world.write(world.placing(world.submit(), take("n1", 0)))) is Rejection.NO_CAPACITY


def test_a_quota_is_a_limit_and_without_one_there_is_none(world: World) -> None:
    world.set_quota(2)
    one, two, three = (world.submit() for _ in range(3))
    items = [world.placing(job, take("n1", slot)) for slot, job in enumerate((one, two, three))]
    first, second, third = world.storage.journal.write(items)
    assert isinstance(first, Written)
    assert isinstance(second, Written)
    assert refused(third) is Rejection.OVER_QUOTA
    world.storage.directory.lift_quota("alpha", "h100", after_noon(1))
    written(world.write(items[2]))


def test_a_quota_of_one_tenant_does_not_bind_another(world: World) -> None:
    world.set_quota(0)
    assert refused(world.write(world.placing(world.submit(), take("n1", 0)))) is Rejection.OVER_QUOTA
    world.place(world.submit(world.make_job(tenant="beta")), take("n1", 0))
    world.place(world.submit(world.make_job("mi300x")), take("n1", 8, chip="mi300x"))


def test_a_quota_set_below_what_is_held_only_stops_the_next(world: World) -> None:
    world.place(world.submit(), take("n1", 0))
    world.set_quota(0)
    assert world.storage.views.tenant_use("alpha") == [TenantUse("alpha", "h100", 1_000)]
    assert refused(world.write(world.placing(world.submit(), take("n1", 1)))) is Rejection.OVER_QUOTA


def test_the_second_of_two_placements_for_one_slot_is_refused_and_the_others_are_written(world: World) -> None:
    jobs = [world.submit() for _ in range(3)]
    items = [world.placing(job, take("n1", slot)) for job, slot in zip(jobs, (0, 0, 1), strict=True)]
    first, second, third = world.storage.journal.write(items)
    assert refused(second) is Rejection.NO_CAPACITY
    assert [written(first).change + 1] == [written(third).change]
    assert held(world)[2] == [1, 1]


def test_placements_of_one_batch_share_what_a_node_has(world: World) -> None:
    world.record(make_node("n1", cpu_milli=2_000))
    jobs = [world.submit() for _ in range(3)]
    items = [world.placing(job, take("n1", slot)) for slot, job in enumerate(jobs)]
    *fitting, too_much = world.storage.journal.write(items)
    assert all(isinstance(outcome, Written) for outcome in fitting)
    assert refused(too_much) is Rejection.NO_CAPACITY
    assert held(world) == (2_000, 4_000, [1, 1])


def test_a_decision_on_an_older_version_is_stale(world: World) -> None:
    job = world.submit()
    item = world.placing(job, take("n1", 0))
    world.write(item)
    assert refused(world.write(item)) is Rejection.STALE_VERSION
    world.end(first_attempt(job), StopReason.PREEMPTED)
    assert refused(world.write(item)) is Rejection.STALE_VERSION
    written(world.write(world.placing(job, take("n1", 0))))


def test_a_decision_must_name_the_next_attempt(world: World) -> None:
    job = world.submit()
    item = world.placing(job, take("n1", 0), attempt=f"{job.id}-g0-a7")
    assert refused(world.write(item)) is Rejection.STALE_VERSION


def test_a_cancelled_job_is_not_placed(world: World) -> None:
    job = world.submit()
    item = world.placing(job, take("n1", 0))
    world.cancel(job)
    assert refused(world.write(item)) is Rejection.STALE_VERSION


def test_a_decision_about_nothing_is_not_found(world: World) -> None:
    item = world.placing(world.submit(), take("n1", 0), group="000000099abcdefg-g0")
    assert refused(world.write(item)) is Rejection.NOT_FOUND
    refusing = world.refusing(world.submit())
    unknown = replace(refusing, decision=replace(refusing.decision, group="000000099abcdefg-g0"))
    assert refused(world.write(unknown)) is Rejection.NOT_FOUND


def test_an_old_epoch_writes_nothing(world: World) -> None:
    job = world.submit()
    attempt = world.place(world.submit(), take("n1", 5))
    world.storage.leadership.take("another")
    items: list[Write] = [
        world.placing(job, take("n1", 0)),
        world.refusing(job),
        world.seeing(attempt, Event.WORKERS_CREATED),
    ]
    outcomes = world.storage.journal.write(items)
    assert [refused(outcome) for outcome in outcomes] == [Rejection.STALE_EPOCH] * 3
    assert world.group(job).state is State.QUEUED


def test_a_refused_group_fails_with_its_reasons_in_the_feed(world: World) -> None:
    job = world.submit()
    outcome = written(world.write(world.refusing(job)))
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    assert (outcome.state, view.state, view.finished_at) == (State.FAILED, State.FAILED, after_noon(100))
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=9)
    assert change.body == GroupMoved(view.groups[0], None, reasons=(NoCluster(),))
    assert refused(world.write(replace(world.refusing(job)))) is Rejection.STALE_VERSION


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE node_resources SET used = allocatable + 1",
        "UPDATE node_resources SET used = -1",
        "UPDATE node_resources SET allocatable = 0 WHERE used > 0",
        "UPDATE device_slots SET used_milli = 1001 WHERE used_milli > 0",
        "UPDATE device_slots SET used_milli = 999 WHERE holder_attempt IS NOT NULL",
        "UPDATE device_slots SET used_memory_mib = 1 WHERE holder_attempt IS NOT NULL",
        "UPDATE device_slots SET used_memory_mib = 1 WHERE used_milli = 0",
        "UPDATE device_slots SET used_milli = 1, used_memory_mib = memory_mib + 1 WHERE used_milli = 0",
        "UPDATE device_slots SET used_milli = 1, used_memory_mib = -1 WHERE used_milli = 0",
        "UPDATE device_slots SET holder_attempt = 'nobody' WHERE holder_attempt IS NOT NULL",
        "UPDATE queue_usage SET devices_milli = -1",
        "UPDATE attempts SET ended_at = placed_at",
        "UPDATE groups SET state = 'resting'",
        "UPDATE allocations SET node_id = 'mixed/n9'",
        "UPDATE allocations SET chip = NULL",
        "UPDATE allocations SET counted = -1",
        "UPDATE allocations SET pods = 0",
        "UPDATE allocations SET share_milli = 1000",
        "UPDATE allocations SET share_milli = 500, counted = 1",
        "UPDATE allocations SET share_memory_mib = 1",
        "UPDATE nodes SET state = 'asleep'",
        f"{NEW_ATTEMPT} SELECT id || 'x', group_id, 2, 1, 'placed', '[]', placed_at, NULL FROM attempts",
        f"{NEW_ATTEMPT} SELECT id || 'x', group_id, 1, 1, 'failed', '[]', placed_at, placed_at FROM attempts",
        "INSERT INTO job_chips (job_id, chip) SELECT id, 'abacus' FROM jobs",
        "INSERT INTO change_counter (id, last) VALUES (2, 0)",
    ],
)
def test_the_schema_itself_refuses_what_must_not_be(world: World, database: Database, statement: str) -> None:
    world.place(world.submit(), take("n1", 0))
    world.storage.close()
    with database.raw() as connection, pytest.raises(IntegrityError):
        connection.execute(text(statement))


def test_the_counters_say_what_the_allocations_add_up_to(world: World, database: Database) -> None:
    for number in range(6):
        attempt = world.place(world.submit(), take("n1", number))
        if number % 2:
            world.end(attempt)
    world.storage.close()
    counters = dict(database.ask(f"SELECT resource, used FROM node_resources WHERE node_id = '{CLUSTER}/n1'"))
    assert counters == {
        "cpu_milli": 3_000,
        "memory_mib": 6_000,
        "pods": 3,
        "devices_milli/h100": 3_000,
        "devices_milli/mi300x": 0,
    }
    assert database.ask("SELECT slot FROM device_slots WHERE used_milli > 0 ORDER BY slot") == [(0,), (2,), (4,)]


def test_what_a_placement_rests_on_is_kept_with_the_attempt(world: World) -> None:
    standing = Standing("fair", "alpha", 2, 5, 60.0, (QueueShare("alpha", 0.25, 2),), level=None)
    siblings, kept = (QueueShare("beta", 0.5, 1),), (KeptRoom("x-g0", after_noon(500)),)
    grounds = Grounds(standing, 1, ("x-g0",), siblings, kept)
    noted, plain = world.submit(), world.submit()
    written(world.write(world.placing(noted, take("n1", 0), grounds=grounds)))
    world.place(plain, take("n1", 1))
    found = [world.storage.views.job(job.id, tenant=None) for job in (noted, plain)]
    assert [view.attempts[0].grounds for view in found if view is not None] == [grounds, None]
