"""What people and followers read."""

from dataclasses import replace

import pytest

from scheduler.adapters.database.reads.feed import read_last_change, read_snapshot
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import WorkerPhase, WorkerRecord
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import AnyOf, Job
from scheduler.core.model.node import Cluster, ForeignUse, NodeState, Pool
from scheduler.ports.views import Holding, JobFilter, TenantUse
from scheduler.services.follow_changes import state_of
from tests.builders.database import (
    CLUSTER,
    NOON,
    PICKING_CLUSTER,
    World,
    after_noon,
    make_node,
    take,
    take_counted,
    take_no_devices,
    take_share,
)


def listed(world: World, where: JobFilter | None = None, **page: object) -> list[str]:
    views = world.storage.views.jobs(where or JobFilter(), **{"before": None, "limit": 99, **page})  # type: ignore[arg-type] # a page
    return [view.job.id for view in views]


def test_jobs_come_newest_first_in_pages(world: World) -> None:
    jobs = [world.submit().id for _ in range(5)]
    assert listed(world) == jobs[::-1]
    assert listed(world, limit=2) == [jobs[4], jobs[3]]
    assert listed(world, before=jobs[3], limit=2) == [jobs[2], jobs[1]]


@pytest.mark.parametrize(
    ("where", "want_names"),
    [
        (JobFilter(tenant="beta"), ["b"]),
        (JobFilter(states=frozenset({State.CANCELLED, State.PLACED})), ["c", "a"]),
        (JobFilter(states=frozenset()), []),
        (JobFilter(name="c"), ["c"]),
        (JobFilter(chip="mi300x"), ["b", "a"]),
        (JobFilter(submitted_by="bob"), ["c"]),
        (JobFilter(label=("team", "x")), ["c", "a"]),
        (JobFilter(label=("team", "z")), []),
        (JobFilter(tenant="alpha", chip="mi300x", label=("team", "x")), ["a"]),
    ],
)
def test_jobs_are_filtered_by_what_they_are(world: World, where: JobFilter, want_names: list[str]) -> None:
    either = AnyOf(("h100", "mi300x"))
    a = world.submit(world.make_job(either, name="a", labels=(("team", "x"), ("tier", "1"))))
    world.submit(world.make_job(either, name="b", labels=(("team", "y"),), tenant="beta"))
    c = world.submit(world.make_job(name="c", labels=(("team", "x"),), submitted_by="bob"))
    world.place(a)
    world.cancel(c)
    views = world.storage.views.jobs(where, before=None, limit=9)
    assert [view.job.spec.name for view in views] == want_names


def test_a_list_shows_the_latest_attempt_and_a_job_all_of_them(world: World) -> None:
    job, fresh = world.submit(world.make_job(retries=5)), world.submit()
    for _ in range(2):
        attempt = world.place(job)
        world.report(attempt, 7)
        world.end(attempt)
    running = WorkerRecord(0, WorkerPhase.RUNNING, started_at=NOON)
    attempt = world.place(job, take("n2", 1))
    world.see(attempt, Event.ALL_READY, running)
    world.report(attempt, 9)
    waiting, in_list = world.storage.views.jobs(JobFilter(), before=None, limit=9)
    whole = world.storage.views.job(job.id, tenant="alpha")
    assert whole is not None
    assert waiting.job == fresh
    assert waiting.attempts == ()
    assert waiting.progress is None
    assert [attempt.number for attempt in whole.attempts] == [1, 2, 3]
    assert in_list == replace(whole, attempts=whole.attempts[2:])
    assert whole.attempts[2].workers == (running,)
    assert whole.progress is not None
    assert whole.progress.step == 9


def test_another_tenants_job_is_none(world: World) -> None:
    job = world.submit()
    assert world.storage.views.job(job.id, tenant="beta") is None
    assert world.storage.views.job("000000099abcdefg", tenant=None) is None


def test_nodes_show_who_holds_what_and_leave_out_what_is_gone(world: World) -> None:
    job = world.submit(world.make_job("h100", workers=2))
    attempt = world.place(job, take("n1", 0, 1), take("n1", 2, rank=1))
    other = world.submit(world.make_job("mi300x", tenant="beta"))
    later = world.place(other, take("n1", 8, chip="mi300x"))
    (view,) = world.storage.views.nodes(cluster=CLUSTER, chip=None, after=None, limit=1)
    assert (view.node.name, view.cpu_milli_held, view.memory_mib_held) == ("n1", 3_000, 6_000)
    assert view.holdings == (
        Holding("alpha", job.id, attempt, "h100", 3, slots=(0, 1, 2)),
        Holding("beta", other.id, later, "mi300x", 1, slots=(8,)),
    )
    world.record(make_node("n1", {"h100": 8, "mi300x": 4}), make_node("n3", {"ascend-910b": 1}))
    assert names(world) == ["n1", "n3"]
    assert names(world, chip="ascend-910b") == ["n3"]
    assert names(world, after=f"{CLUSTER}/n1") == ["n3"]
    assert names(world, cluster="other") == []


def names(world: World, **where: str) -> list[str]:
    asked: dict[str, str | None] = {"cluster": None, "chip": None, "after": None, **where}
    return [view.node.name for view in world.storage.views.nodes(**asked, limit=9)]


def test_pools_count_nodes_of_the_same_kind(world: World) -> None:
    world.storage.directory.register_cluster(Cluster("second", "local"), NOON)
    nodes = [make_node(f"n{number}", {"h100": 8, "mi300x": 4}) for number in range(1, 4)]
    world.record(*nodes, make_node("small", {"h100": 4}), make_node("gone", {"h100": 8}))
    world.record(*nodes[:2], replace(nodes[2], state=NodeState.DRAINED), make_node("small", {"h100": 4}))
    world.storage.directory.record_nodes("second", [replace(nodes[0], cluster="second")], NOON)
    world.place(world.submit(), take("n1", 0, 1))
    assert [pool for pool in world.storage.views.pools() if pool.cluster == CLUSTER] == [
        Pool(CLUSTER, "h100", 81_920, 4, nodes=1, devices=4, devices_held=0, devices_drained=0),
        Pool(CLUSTER, "h100", 81_920, 8, nodes=3, devices=24, devices_held=2, devices_drained=8),
        Pool(CLUSTER, "mi300x", 81_920, 4, nodes=3, devices=12, devices_held=0, devices_drained=4),
    ]
    assert [pool.name for pool in world.storage.views.pools()][3:] == [
        "second/h100-81920-x8",
        "second/mi300x-81920-x4",
    ]


def test_held_devices_of_a_drained_node_are_not_counted_as_drained(world: World) -> None:
    world.place(world.submit(), take("n1", 0, 1, 2))
    world.record(make_node("n1", state=NodeState.DRAINED))
    (pool,) = world.storage.views.pools()
    assert (pool.devices, pool.devices_held, pool.devices_drained, pool.devices_free) == (8, 3, 5, 0)


def test_a_gone_node_is_shown_and_counted_while_something_is_held_on_it(world: World) -> None:
    world.record(make_node("n1"), make_node("n2"))
    attempt = world.place(world.submit(), take("n1", 0, 1))
    world.record(make_node("n2"))
    (gone, stayed) = world.storage.views.nodes(cluster=None, chip=None, after=None, limit=9)
    assert (gone.node.name, gone.node.state, len(gone.holdings)) == ("n1", NodeState.GONE, 1)
    assert (stayed.node.name, stayed.node.state) == ("n2", NodeState.READY)
    (pool,) = world.storage.views.pools()
    assert (pool.nodes, pool.devices, pool.devices_held, pool.devices_free) == (1, 8 + 2, 2, 8)
    world.end(attempt)
    assert names(world) == ["n2"]
    (pool,) = world.storage.views.pools()
    assert (pool.nodes, pool.devices, pool.devices_held, pool.devices_free) == (1, 8, 0, 8)


def test_a_node_shows_shares_and_counted_devices_of_each_attempt(world: World) -> None:
    world.add_picking_cluster()
    job = world.submit(world.make_job(workers=4))
    ranks = (
        take_share("n1", 0, 300, 1_000),
        take_share("n1", 1, 400, 2_000, rank=1),
        take("n1", 2, 3, rank=2),
        take_no_devices("n1", rank=3),
    )
    attempt = world.place(job, *ranks)
    other = world.submit(world.make_job(tenant="beta"))
    counted = world.place(other, take_counted("n1", 3))
    views = {view.node.id: view for view in world.storage.views.nodes(cluster=None, chip=None, after=None, limit=9)}
    assert views[f"{CLUSTER}/n1"].holdings == (Holding("alpha", job.id, attempt, "h100", 2, 700, 3_000, (0, 1, 2, 3)),)
    assert (views[f"{CLUSTER}/n1"].cpu_milli_held, views[f"{CLUSTER}/n1"].pods_held) == (4_000, 4)
    assert views[f"{PICKING_CLUSTER}/n1"].holdings == (Holding("beta", other.id, counted, "h100", 3),)
    world.end(attempt)
    world.end(counted)
    left = world.storage.views.nodes(cluster=None, chip=None, after=None, limit=9)
    assert [view.holdings for view in left] == [()] * 3


def test_a_pool_counts_shared_devices_as_held_and_tells_what_others_use(world: World) -> None:
    foreign = ForeignUse((("h100", 2), ("abacus", 1)))
    world.record(make_node("n1", foreign=foreign), make_node("n2"))
    for rank in (take_share("n1", 0, 500), take_share("n1", 0, 500), take_share("n1", 1, 1), take("n1", 2)):
        world.place(world.submit(), rank)
    (pool,) = world.storage.views.pools()
    assert pool == Pool(
        CLUSTER, "h100", 81_920, 8, nodes=2, devices=16, devices_held=3, devices_drained=0, devices_foreign=2
    )
    assert pool.devices_free == 11
    for state in (NodeState.DRAINED, NodeState.SUSPECT):
        world.record(make_node("n1", foreign=foreign, state=state), make_node("n2", state=NodeState.DEGRADED))
        (pool,) = world.storage.views.pools()
        assert (pool.devices_held, pool.devices_drained, pool.devices_foreign, pool.devices_free) == (3, 3, 2, 8)
    world.record(make_node("n2"))
    (pool,) = world.storage.views.pools()
    assert (pool.nodes, pool.devices, pool.devices_held, pool.devices_foreign, pool.devices_free) == (1, 11, 3, 0, 8)


def test_a_pool_counts_devices_without_slots(world: World) -> None:
    world.add_picking_cluster(make_node("n1", foreign=ForeignUse((("h100", 9),))), make_node("n2"))
    world.place(world.submit(), take_counted("n2", 3))
    (pool,) = [pool for pool in world.storage.views.pools() if pool.cluster == PICKING_CLUSTER]
    assert (pool.devices, pool.devices_held, pool.devices_foreign, pool.devices_free) == (16, 3, 8, 5)


def test_use_is_listed_by_tenant_and_chip(world: World) -> None:
    world.place(world.submit(world.make_job(tenant="beta")), take("n1", 0))
    over = world.place(world.submit(), take("n1", 1))
    world.place(world.submit(world.make_job("mi300x")), take("n1", 8, 9, chip="mi300x"))
    world.end(over)
    want_use = [TenantUse("alpha", "mi300x", 2_000), TenantUse("beta", "h100", 1_000)]
    assert world.storage.views.tenant_use(None) == want_use
    assert world.storage.views.tenant_use("beta") == want_use[1:]


def test_changes_are_read_in_order_from_anywhere_and_of_one_job(world: World) -> None:
    views = world.storage.views
    start = views.last_change()
    jobs = [world.submit(world.make_job(tenant=tenant)) for tenant in ("alpha", "beta", "alpha")]
    world.cancel(jobs[0])
    everything = views.changes_after(start, limit=99)
    assert [change.number for change in everything] == list(range(start + 1, start + 6))
    assert views.changes_after(start + 1, limit=2) == everything[1:3]
    assert views.changes_after(start, limit=9, job=jobs[0].id) == [everything[0], *everything[3:]]
    assert views.last_change() == start + 5


def live_a_little(world: World) -> None:
    """Leave jobs in every state, with a quota and a node that is gone but held."""
    world.set_quota(6)
    world.set_quota(3, chip="mi300x", tenant="beta")
    world.storage.directory.lift_quota("beta", "mi300x", NOON)
    jobs: list[Job] = [world.submit(world.make_job(retries=1)) for _ in range(7)]
    for slot, job in enumerate(jobs[:5]):
        world.place(job, take("n1", slot))
    world.see(f"{jobs[0].id}-g0-a1", Event.ALL_SUCCEEDED)
    world.see(f"{jobs[1].id}-g0-a1", Event.ALL_READY, WorkerRecord(0, WorkerPhase.RUNNING, NOON))
    world.end(f"{jobs[2].id}-g0-a1", StopReason.WORKER_FAILED)
    world.see(f"{jobs[3].id}-g0-a1", Event.STOP, reason=StopReason.LOST)
    world.cancel(jobs[4])
    world.cancel(jobs[5])
    world.record(make_node("n2", {"h100": 8, "mi300x": 4}), make_node("n3"))


def test_a_state_rebuilt_from_the_snapshot_is_the_one_that_followed_the_feed(world: World) -> None:
    live_a_little(world)
    snapshot = world.storage.views.snapshot()
    rebuilt = state_of(snapshot)
    followed = SchedulerState()
    for change in world.storage.views.changes_after(0, limit=9_999):
        followed.apply(change)
    assert snapshot.change == world.storage.views.last_change()
    assert snapshot.chips == tuple(world.storage.directory.chips())
    assert rebuilt.digest() == followed.digest()
    assert sorted(group.state for group in snapshot.groups) == [
        State.QUEUED,
        State.QUEUED,
        State.RUNNING,
        State.STOPPING,
        State.STOPPING,
    ]
    assert len(snapshot.attempts) == 3


def test_a_snapshot_and_its_change_number_are_of_one_moment(world: World) -> None:
    live_a_little(world)
    with world.storage.engines.read() as connection:
        before = read_last_change(connection)
        world.place(world.submit(), take("n3", 0))
        world.record()
        then = read_snapshot(connection)
    now = world.storage.views.snapshot()
    assert (then.change, now.change) == (before, world.storage.views.last_change())
    assert before < now.change
    assert len(then.jobs) + 1 == len(now.jobs)
    assert len(then.attempts) + 1 == len(now.attempts)
    assert {node.state for node in now.nodes} == {NodeState.GONE} < {node.state for node in then.nodes}


def test_an_attempt_is_open_while_it_holds_devices_in_its_present_generation(world: World) -> None:
    views = world.storage.views
    attempt = world.place(world.submit())
    assert views.attempt_is_open(attempt, 1)
    assert not views.attempt_is_open(attempt, 2)
    assert not views.attempt_is_open("nothing", 1)
    world.see(attempt, Event.STOP, reason=StopReason.CANCELLED)
    assert views.attempt_is_open(attempt, 1), "it still holds its devices"
    world.see(attempt, Event.GONE)
    assert not views.attempt_is_open(attempt, 1)


def test_runs_that_succeeded_are_told_oldest_first_with_how_long_they_took(world: World) -> None:
    jobs = [world.submit() for _ in range(3)]
    for number, job in enumerate(jobs):
        attempt = world.place(job, take("n1", number))
        world.see(attempt, Event.WORKERS_CREATED)
        world.see(attempt, Event.ALL_READY, at=after_noon(200))
        if number < 2:
            world.see(attempt, Event.ALL_SUCCEEDED, at=after_noon(300 - 50 * number))
        else:
            world.end(attempt, at=after_noon(260))
    snapshot = world.storage.views.snapshot()
    assert [(job.id, run_s) for job, run_s in snapshot.runs] == [(jobs[1].id, 50), (jobs[0].id, 100)]
    learnt = state_of(snapshot).run_times.expect(world.make_job())
    assert learnt is not None
    assert (learnt.middle_s, learnt.most_s) == (50, 100)
