from collections.abc import Callable
from dataclasses import replace

import pytest

from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import FIRST_GENERATION, Progress
from scheduler.core.model.change import (
    ChangeBody,
    ClusterSeen,
    GroupMoved,
    JobSubmitted,
    NodeSeen,
    ProgressReported,
    TenantCreated,
)
from scheduler.core.model.decision import Placed
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import ArrayMember, Dependency, Wish
from scheduler.core.model.node import Cluster, NodeState
from scheduler.core.model.sharing.queue import QueueQuota
from tests.builders.core import (
    NOON,
    World,
    as_change,
    devices_free,
    make_group,
    make_job,
    make_node,
    make_shape,
    make_state,
)
from tests.oracle.decisions import decide

JOB = make_job(1, workers=2, retries=1)
GROUP = make_group(JOB).id


def world_with_a_running_job() -> World:
    world = World()
    world.see_cluster("mixed")
    world.see_node(make_node())
    world.set_quota(QueueQuota("alpha", "h100", limit=6))
    world.submit(JOB)
    world.decide()
    world.move(GROUP, Event.ALL_READY)
    return world


def follow(world: World) -> SchedulerState:
    state = SchedulerState()
    for change in world.changes:
        state.apply(change)
    return state


def test_a_placed_group_is_live_with_what_it_holds() -> None:
    state = follow(world_with_a_running_job())
    (live,) = state.live.values()
    assert (live.attempt, live.number, live.generation) == (f"{GROUP}-a1", 1, FIRST_GENERATION)
    want = LiveAttempt(live.attempt, state.groups[GROUP], JOB, FIRST_GENERATION, live.allocations, NOON, placed_at=NOON)
    assert live == want
    assert live.group.state is State.RUNNING
    assert len(live.allocations) == 2
    assert state.ledger.queue_devices_milli("alpha", "h100") == 2_000
    assert dict(state.waiting) == {}


STEPS: list[Callable[[World], None]] = [
    lambda world: world.move(GROUP, Event.STOP, reason=StopReason.PREEMPTED),
    lambda world: world.move(GROUP, Event.GONE),
    lambda world: world.decide(),
    lambda world: world.set_priority(JOB.id, 9),
    lambda world: world.wish_stop(JOB.id),
    lambda world: world.move(GROUP, Event.GONE),
]


@pytest.mark.parametrize("steps", range(len(STEPS) + 1))
def test_a_state_that_followed_the_feed_is_the_state_built_from_what_is_true(steps: int) -> None:
    world = world_with_a_running_job()
    for step in STEPS[:steps]:
        step(world)
    assert len(world.changes) >= 6 + steps
    assert follow(world).digest() == world.present().digest()


def test_devices_are_held_until_the_workers_are_proven_gone() -> None:
    world = world_with_a_running_job()
    world.move(GROUP, Event.STOP, reason=StopReason.LOST)
    assert devices_free(follow(world).ledger) == 6
    world.move(GROUP, Event.GONE)
    state = follow(world)
    assert devices_free(state.ledger) == 8
    assert list(state.waiting) == [GROUP]
    assert dict(state.live) == {}


def test_a_job_is_forgotten_once_all_its_groups_are_final() -> None:
    world = world_with_a_running_job()
    world.move(GROUP, Event.ALL_SUCCEEDED)
    state = follow(world)
    assert (dict(state.jobs), dict(state.groups), dict(state.live)) == ({}, {}, {})


def test_a_job_with_one_living_group_keeps_all_its_groups() -> None:
    second = make_group(JOB, index=1)
    state = SchedulerState()
    state.apply(as_change(JobSubmitted(JOB, (make_group(JOB), second))))
    cancelled = replace(make_group(JOB), state=State.CANCELLED, version=2)
    state.apply(as_change(GroupMoved(cancelled, None)))
    assert list(state.groups) == [GROUP, second.id]
    assert list(state.waiting) == [second.id]


def test_a_wish_to_stop_reaches_the_job_and_its_live_attempt() -> None:
    world = world_with_a_running_job()
    world.wish_stop(JOB.id)
    state = follow(world)
    (live,) = state.live.values()
    assert state.jobs[JOB.id].wish is Wish.STOP
    assert (live.job.wish, live.group.state) == (Wish.STOP, State.STOPPING)


def test_another_priority_reaches_the_job_and_its_live_attempt() -> None:
    world = world_with_a_running_job()
    world.set_priority(JOB.id, 9)
    state = follow(world)
    (live,) = state.live.values()
    assert state.jobs[JOB.id].spec.priority == live.job.spec.priority == 9


@pytest.mark.parametrize("became", [Event.ALL_SUCCEEDED, Event.STOP])
def test_what_became_of_a_job_reaches_those_that_come_after_it(became: Event) -> None:
    world = world_with_a_running_job()
    later = make_job(7, after=(Dependency(JOB.id), Dependency(make_job(8).id)))
    world.submit(later)
    assert follow(world).digest() == world.present().digest()
    world.move(GROUP, became, reason=StopReason.CANCELLED)
    world.move(GROUP, Event.GONE)
    state = follow(world)
    state_of_it = State.SUCCEEDED if became is Event.ALL_SUCCEEDED else State.CANCELLED
    assert state.jobs[later.id].settled == ((JOB.id, state_of_it),)
    assert state.digest() == world.present().digest()


def test_what_became_of_a_whole_array_reaches_those_that_come_after_it_and_what_is_left_of_one_is_built_anew() -> None:
    world = World()
    members = [make_job(number, array=ArrayMember("a1", "sweep", number, 2)) for number in range(2)]
    for job in (*members, later := make_job(7, after=(Dependency("a1", is_array=True),))):
        world.submit(job)
    world.wish_stop(members[0].id)
    built = world.present()
    assert follow(world).digest() == built.digest()
    assert follow(world).jobs[later.id].settled == ()
    position = len(world.changes)
    world.wish_stop(members[1].id)
    for change in world.changes[position:]:
        built.apply(change)
    for state in (follow(world), built):
        assert state.jobs[later.id].settled == (("a1", State.CANCELLED),)
        assert state.digest() == world.present().digest()


def test_every_change_may_come_twice() -> None:
    world = world_with_a_running_job()
    world.move(GROUP, Event.STOP, reason=StopReason.LOST)
    world.move(GROUP, Event.GONE)
    world.change_node("n1", "mixed", NodeState.GONE)
    world.lift_quota("alpha", "h100")
    once, twice = SchedulerState(), SchedulerState()
    for change in world.changes:
        once.apply(change)
        twice.apply(change)
        twice.apply(change)
        assert twice.digest() == once.digest()


def test_older_news_of_a_group_changes_nothing() -> None:
    world = world_with_a_running_job()
    world.move(GROUP, Event.STOP, reason=StopReason.LOST)
    state = follow(world)
    want = state.digest()
    for change in world.changes:
        if not isinstance(change.body, JobSubmitted):
            state.apply(change)
    assert state.digest() == want


UNKNOWN = replace(make_group(make_job(9)), version=5)


@pytest.mark.parametrize(
    "body",
    [
        GroupMoved(UNKNOWN, None),
        ProgressReported("a1", Progress(1, 2, 0.5, 10.0, NOON)),
        TenantCreated("alpha"),
    ],
    ids=lambda body: type(body).__name__,
)
def test_what_decides_nothing_changes_nothing(body: ChangeBody) -> None:
    state = follow(world_with_a_running_job())
    before = state.digest()
    state.apply(as_change(body))
    assert state.digest() == before


def test_a_node_that_left_is_forgotten_with_the_last_that_it_ran() -> None:
    world = world_with_a_running_job()
    world.change_node("n1", "mixed", NodeState.GONE)
    state = follow(world)
    assert state.ledger.is_held("mixed/n1")
    world.move(GROUP, Event.ALL_SUCCEEDED)
    assert not follow(world).ledger.has_node("mixed/n1")
    assert not world.present().ledger.has_node("mixed/n1")


def test_a_node_that_shrank_under_its_holdings_can_be_started_from() -> None:
    world = world_with_a_running_job()
    world.see_node(make_node(devices={"h100": 1}, cpu_milli=1, memory_mib=1, pods=0))
    state = world.present()
    assert devices_free(state.ledger) == 0
    assert state.digest() == follow(world).digest()


def test_a_quota_is_followed_and_lifted() -> None:
    world = world_with_a_running_job()
    assert dict(follow(world).sharing.quotas) == {("alpha", "h100"): QueueQuota("alpha", "h100", limit=6)}
    world.lift_quota("alpha", "h100")
    assert dict(follow(world).sharing.quotas) == {}
    assert list(follow(world).clusters) == ["mixed"]


ONE_THING: list[Callable[[World], None]] = [
    lambda world: world.see_cluster("other"),
    lambda world: world.set_quota(QueueQuota("alpha", "h100", limit=7)),
    lambda world: world.change_node("n1", "mixed", NodeState.DRAINED),
    lambda world: world.submit(make_job(2)),
    lambda world: world.move(GROUP, Event.STOP, reason=StopReason.LOST),
    lambda world: world.promise(GROUP, "mixed/n1"),
]


@pytest.mark.parametrize("change_one_thing", ONE_THING)
def test_states_that_differ_in_one_thing_have_other_digests(change_one_thing: Callable[[World], None]) -> None:
    world = world_with_a_running_job()
    before = follow(world).digest()
    change_one_thing(world)
    assert follow(world).digest() != before


def test_all_nodes_are_known_once_every_cluster_declares_its_own_and_has_done_so() -> None:
    state = SchedulerState()
    for body, want in (
        (ClusterSeen(Cluster("mixed", "local")), False),
        (NodeSeen(make_node(cluster="mixed")), True),
        (ClusterSeen(Cluster("west", "local")), False),
        (NodeSeen(make_node(cluster="west")), True),
        (NodeSeen(make_node(cluster="west", state=NodeState.GONE)), False),
        (NodeSeen(make_node(cluster="west")), True),
        (ClusterSeen(Cluster("far", "kubernetes")), False),
        (NodeSeen(make_node(cluster="far")), False),
    ):
        state.apply(as_change(body))
        assert state.fleet.has_all_nodes is want


def test_those_who_hold_something_are_neighbours_until_they_are_proven_gone() -> None:
    labels = (("app", "serving"),)
    world = World()
    world.see_cluster("mixed")
    world.see_node(make_node())
    world.submit(make_job(1, labels=labels, retries=1))
    seen = [follow(world).neighbours.with_labels("alpha", labels)]
    for step in (world.decide, lambda: world.move(GROUP, Event.STOP, reason=StopReason.LOST)):
        step()
        seen.append(follow(world).neighbours.with_labels("alpha", labels))
    assert seen == [set(), {f"{GROUP}-a1"}, {f"{GROUP}-a1"}]
    assert world.present().neighbours.with_labels("alpha", labels) == {f"{GROUP}-a1"}
    world.move(GROUP, Event.GONE)
    assert follow(world).neighbours.with_labels("alpha", labels) == set()


def test_shares_and_nodes_of_their_own_are_followed_as_they_are_built() -> None:
    world = World()
    world.see_cluster("mixed")
    world.see_node(make_node("a", pods=7))
    world.see_node(make_node("b"))
    world.submit(make_job(1, workers=3, shape=make_shape(share_milli=400, share_memory_mib=1_000)))
    world.submit(make_job(2, exclusive=True))
    world.decide()
    followed, built = follow(world), world.present()
    assert len(followed.live) == 2
    assert followed.digest() == built.digest()
    assert devices_free(followed.ledger) == devices_free(built.ledger)
    assert followed.ledger.queue_devices_milli("alpha", "h100") == 2_200


@pytest.mark.parametrize(("workers", "want"), [(1, "mixed/whole"), (200, "mixed/broken")])
def test_once_enough_jobs_came_devices_are_kept_for_those_that_usually_come(workers: int, want: str) -> None:
    nodes = (make_node("whole", {"h100": 8}, cpu_milli=64_000), make_node("broken", {"h100": 4}, cpu_milli=512_000))
    usual = make_job(2, workers=workers, shape=make_shape(8))
    state = make_state(*nodes, jobs=(make_job(1),))
    state.apply(as_change(JobSubmitted(usual, (make_group(usual),))))
    first = decide(state, NOON)[0]
    assert isinstance(first, Placed)
    assert first.allocations[0].node == want


def test_what_is_known_of_a_job_shares_its_names() -> None:
    state = follow(world_with_a_running_job())
    (live,) = state.live.values()
    (name,) = state.groups
    assert state.groups[name] is live.group
    assert live.group.id is name
    assert live.group.job_id is state.jobs[JOB.id].id
    nodes = state.ledger.inventory.entries
    assert all(held.node is nodes[held.node].id for held in live.allocations)


def test_the_room_that_is_kept_is_followed_as_it_is_built_until_it_is_kept_no_more() -> None:
    world = World()
    world.see_node(make_node())
    world.submit(JOB)
    for nodes in (("mixed/n1",), ("mixed/n1", "mixed/n2"), ()):
        world.promise(GROUP, *nodes)
        followed, present = follow(world), world.present()
        assert followed.promised == present.promised == world.promises
        assert followed.digest() == present.digest()
