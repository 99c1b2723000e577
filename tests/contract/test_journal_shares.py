"""Placing what is no whole device in a slot: shares, counted devices, workers without devices, nodes for one alone."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from scheduler.core.model.attempt import Allocation
from scheduler.core.model.job import Alternative, AnyOf, WorkerRole
from scheduler.core.model.node import Cluster, ForeignUse, Node, NodeState
from scheduler.core.model.resources import WorkerShape
from scheduler.ports.journal import Rejection, Written
from scheduler.ports.views import JobFilter, TenantUse
from tests.builders.database import (
    CLUSTER,
    NOON,
    PICKING_CLUSTER,
    Database,
    World,
    make_node,
    refused,
    take,
    take_counted,
    take_no_devices,
    take_share,
    written,
)

SHAPE = WorkerShape(devices=1, cpu_milli=1_000, memory_mib=2_000)


def try_to_place(world: World, *ranks: Allocation, tenant: str = "alpha") -> Rejection | None:
    """Place a new job on these ranks; return why that was refused, None where it was not."""
    job = world.submit(world.make_job(workers=len(ranks), tenant=tenant))
    outcome = world.write(world.placing(job, *ranks))
    return None if isinstance(outcome, Written) else refused(outcome)


def used(world: World, database: Database, node: str = f"{CLUSTER}/n1") -> dict[str, int]:
    """Return a node's counters that are not 0, once they are what the live attempts add up to."""
    asked = "SELECT resource, used FROM node_resources WHERE node_id = :node AND used > 0"
    assert world.storage.views.capacity_errors() == []
    return {str(resource): int(amount) for resource, amount in database.ask(asked, node=node)}


def slots(database: Database) -> list[tuple[int, int, int]]:
    """Return slots of which anything is held, with thousandths and MiB held by shares."""
    rows = database.ask("SELECT slot, used_milli, used_memory_mib FROM device_slots WHERE used_milli > 0 ORDER BY slot")
    return [(int(slot), int(milli), int(memory)) for slot, milli, memory in rows]


def test_shares_of_one_device_are_taken_up_to_all_of_it_and_given_back_exactly(
    world: World, database: Database
) -> None:
    first = world.place(world.submit(), take_share("n1", 0, 300, 10_000))
    second = world.place(world.submit(world.make_job(tenant="beta")), take_share("n1", 0, 700, 20_000))
    assert slots(database) == [(0, 1_000, 30_000)]
    assert used(world, database) == {"cpu_milli": 2_000, "memory_mib": 4_000, "pods": 2, "devices_milli/h100": 1_000}
    assert try_to_place(world, take_share("n1", 0, 1)) is Rejection.NO_CAPACITY
    world.end(first)
    assert slots(database) == [(0, 700, 20_000)]
    assert world.storage.views.tenant_use(None) == [TenantUse("beta", "h100", 700)]
    world.end(second)
    assert slots(database) == []
    assert used(world, database) == {}
    assert try_to_place(world, take("n1", 0)) is None, "whole again"


def test_a_share_comes_back_from_the_database_as_it_was_placed(world: World) -> None:
    job = world.submit()
    rank = replace(take_share("n1", 5, 250, 1_024), role="evaluator")
    world.place(job, rank)
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    assert view.attempts[0].allocations == (rank,)
    assert world.storage.views.snapshot().attempts == view.attempts


@pytest.mark.parametrize(
    "rank",
    [
        pytest.param(take_share("n1", 0, 501), id="more compute than is left"),
        pytest.param(take_share("n1", 0, 1, 41_921), id="more memory than is left"),
        pytest.param(take("n1", 0), id="a whole device of which a share is held"),
        pytest.param(take("n1", 0, 1), id="whole devices, one of them shared"),
        pytest.param(take_share("n1", 2, 1), id="a share of a device that is held whole"),
        pytest.param(take_share("n1", 8, 1), id="a share of another chip type"),
        pytest.param(replace(take("n1", 3, 4), share_milli=500), id="one share of two devices"),
        pytest.param(replace(take("n1"), share_milli=500), id="a share of no device"),
        pytest.param(replace(take("n1"), counted=1), id="a device without a slot where devices are bound"),
        pytest.param(replace(take("n1", 3), chip=None), id="a slot of no chip type"),
    ],
)
def test_what_does_not_fit_beside_shares_is_refused(world: World, database: Database, rank: Allocation) -> None:
    world.place(world.submit(), take_share("n1", 0, 500, 40_000))
    world.place(world.submit(), take("n1", 2))
    before = used(world, database)
    assert try_to_place(world, rank) is Rejection.NO_CAPACITY
    assert used(world, database) == before


def test_a_gang_may_hold_several_shares_of_one_device_and_no_more_than_it_has(world: World, database: Database) -> None:
    ranks = [take_share("n1", 0, 400, 100, rank=rank) for rank in range(3)]
    assert try_to_place(world, *ranks) is Rejection.NO_CAPACITY
    assert try_to_place(world, *ranks[:2]) is None
    assert slots(database) == [(0, 800, 200)]
    mixed = (take_share("n1", 1, 1), take("n1", 1, rank=1))
    assert try_to_place(world, *mixed) is Rejection.NO_CAPACITY
    assert try_to_place(world, *(replace(rank, rank=1 - rank.rank) for rank in mixed[::-1])) is Rejection.NO_CAPACITY


def test_placements_of_one_batch_share_a_device(world: World, database: Database) -> None:
    jobs = [world.submit() for _ in range(4)]
    ranks = (take_share("n1", 0, 600), take_share("n1", 0, 600), take("n1", 0), take_share("n1", 0, 400))
    outcomes = world.storage.journal.write([world.placing(job, rank) for job, rank in zip(jobs, ranks, strict=True)])
    assert [isinstance(outcome, Written) for outcome in outcomes] == [True, False, False, True]
    assert slots(database) == [(0, 1_000, 0)]


def test_a_share_is_refused_where_the_cluster_does_not_enforce_it(world: World) -> None:
    cluster = Cluster(CLUSTER, "local", binds_devices=True, enforces_shares=False)
    world.storage.directory.register_cluster(cluster, NOON)
    assert world.storage.directory.clusters() == [cluster]
    assert try_to_place(world, take_share("n1", 0, 500)) is Rejection.NO_CAPACITY
    assert try_to_place(world, take("n1", 0)) is None


def test_where_the_cluster_picks_the_devices_they_are_counted_and_no_slot_is_taken(
    world: World, database: Database
) -> None:
    world.add_picking_cluster()
    attempt = world.place(world.submit(), take_counted("n1", 5))
    assert slots(database) == []
    assert used(world, database, f"{PICKING_CLUSTER}/n1")["devices_milli/h100"] == 5_000
    assert try_to_place(world, take_counted("n1", 4)) is Rejection.NO_CAPACITY
    assert try_to_place(world, take_counted("n1", 3)) is None
    world.end(attempt)
    assert world.storage.views.tenant_use(None) == [TenantUse("alpha", "h100", 3_000)]


@pytest.mark.parametrize("rank", [take("n1", 0), take_share("n1", 0, 500), replace(take("n1"), share_milli=500)])
def test_where_the_cluster_picks_the_devices_nothing_is_bound_to_a_slot(world: World, rank: Allocation) -> None:
    world.add_picking_cluster()
    assert try_to_place(world, replace(rank, node=f"{PICKING_CLUSTER}/n1")) is Rejection.NO_CAPACITY


def test_a_worker_without_devices_holds_the_rest_and_is_charged_to_no_quota(world: World, database: Database) -> None:
    world.set_quota(0)
    job = world.submit()
    rank = take_no_devices("n1")
    attempt = world.place(job, rank)
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    assert (view.attempts[0].allocations, view.attempts[0].notes[0].chip) == ((rank,), None)
    assert used(world, database) == {"cpu_milli": 1_000, "memory_mib": 2_000, "pods": 1}
    world.end(attempt)
    assert used(world, database) == {}


def test_a_node_that_is_taken_for_one_alone_takes_nothing_else(world: World, database: Database) -> None:
    attempt = world.place(world.submit(), replace(take("n1", 0), pods=16))
    assert try_to_place(world, take("n1", 1)) is Rejection.NO_CAPACITY
    assert try_to_place(world, take_no_devices("n1")) is Rejection.NO_CAPACITY
    world.end(attempt)
    assert used(world, database) == {}
    assert try_to_place(world, take("n1", 1)) is None
    assert try_to_place(world, replace(take("n1", 0), pods=16)) is Rejection.NO_CAPACITY


def test_a_quota_counts_shares_in_thousandths(world: World) -> None:
    world.set_quota(1)
    assert try_to_place(world, take_share("n1", 0, 500)) is None
    assert try_to_place(world, take("n1", 1)) is Rejection.OVER_QUOTA
    assert try_to_place(world, take_share("n1", 1, 501)) is Rejection.OVER_QUOTA
    assert try_to_place(world, take_share("n1", 0, 500)) is None
    assert [use.devices for use in world.storage.views.tenant_use(None)] == [1]


def test_use_counts_shares_up_to_the_next_whole_device() -> None:
    assert [TenantUse("alpha", "h100", milli).devices for milli in (1, 999, 1_000, 1_001)] == [1, 1, 1, 2]


@pytest.mark.parametrize("state", NodeState)
def test_a_node_takes_work_while_it_is_ready_or_degraded(world: World, state: NodeState) -> None:
    world.record(make_node("n1", state=state))
    takes_work = state in (NodeState.READY, NodeState.DEGRADED)
    assert try_to_place(world, take("n1", 0)) is (None if takes_work else Rejection.NO_CAPACITY)


def test_a_node_that_is_kept_for_a_tenant_takes_only_that_tenants_work(world: World) -> None:
    world.record(make_node("n1", tenant="beta"))
    assert try_to_place(world, take("n1", 0)) is Rejection.NO_CAPACITY
    assert try_to_place(world, take("n1", 0), tenant="beta") is None
    world.record(make_node("n1", tenant="nobody-yet"))
    assert try_to_place(world, take("n1", 1), tenant="beta") is Rejection.NO_CAPACITY


def occupied_node(**foreign: object) -> Node:
    return make_node("n1", foreign=replace(ForeignUse(), **foreign))  # type: ignore[arg-type] # fields of it


@pytest.mark.parametrize(
    ("node", "ranks"),
    [
        pytest.param(occupied_node(devices=(("h100", 6),)), 2, id="devices"),
        pytest.param(occupied_node(cpu_milli=61_500), 2, id="cpu"),
        pytest.param(occupied_node(memory_mib=507_999), 2, id="memory"),
        pytest.param(occupied_node(pods=14), 2, id="pods"),
        pytest.param(occupied_node(devices=(("h100", 9),)), 0, id="more than there is"),
    ],
)
def test_what_others_use_of_a_node_is_not_given(world: World, node: Node, ranks: int) -> None:
    world.record(node)
    answers = [try_to_place(world, take("n1", slot)) for slot in range(ranks + 1)]
    assert answers == [None] * ranks + [Rejection.NO_CAPACITY]


def test_a_device_that_is_shared_is_none_of_those_that_others_use(world: World) -> None:
    world.record(occupied_node(devices=(("h100", 7),)))
    assert try_to_place(world, take_share("n1", 0, 400), take_share("n1", 1, 400, rank=1)) is Rejection.NO_CAPACITY
    assert try_to_place(world, take_share("n1", 0, 400)) is None
    assert try_to_place(world, take_share("n1", 1, 400)) is Rejection.NO_CAPACITY, "the other seven are not ours"
    assert try_to_place(world, take("n1", 1)) is Rejection.NO_CAPACITY
    assert try_to_place(world, take_share("n1", 0, 600)) is None


def test_a_gang_has_the_size_of_any_one_of_its_options(world: World) -> None:
    spec = {
        "alternatives": (Alternative(3, SHAPE, ("mi300x",)),),
        "roles": (WorkerRole("launcher", 1, SHAPE, ()),),
    }
    wanted = AnyOf(("h100",))
    for workers, want_refusal in ((1, Rejection.ILLEGAL), (2, None), (3, Rejection.ILLEGAL), (4, None)):
        job = world.submit(world.make_job(wanted, workers=1, **spec))
        ranks = [take_no_devices("n2", rank=rank) for rank in range(workers)]
        outcome = world.write(world.placing(job, *ranks))
        assert (None if isinstance(outcome, Written) else refused(outcome)) is want_refusal
        if want_refusal is None:
            world.end(world.group(job).latest_attempt)
    assert len(world.storage.views.jobs(JobFilter(chip="mi300x"), before=None, limit=9)) == 4, "listed by every option"


@pytest.mark.parametrize("milli", [-1, 0, 1_001])
def test_the_schema_itself_bounds_what_is_shared(world: World, database: Database, milli: int) -> None:
    written(world.write(world.placing(world.submit(), take_share("n1", 0, 500, 80_000))))
    world.storage.close()
    with database.raw() as connection, pytest.raises(IntegrityError):
        connection.execute(text("UPDATE device_slots SET used_milli = :milli WHERE used_milli = 500"), {"milli": milli})
