"""Nodes that an operator drained: a wish that outlives whatever clusters say."""

from dataclasses import replace

import pytest

from scheduler.core.model.access.audit import Actor
from scheduler.core.model.change import NodeSeen
from scheduler.core.model.node import Drain, Node, NodeState
from scheduler.ports.directory import DoesNotExist
from scheduler.ports.journal import Rejection
from scheduler.ports.records.audit import AuditFilter
from scheduler.ports.views import NodeView
from tests.builders.database import CLUSTER, NOON, World, after_noon, make_node, refused, take

N1 = make_node("n1", {"h100": 8, "mi300x": 4})
N2 = make_node("n2", {"h100": 8, "mi300x": 4})
FAN = Drain("ada", NOON, "a fan is broken")


def view(world: World, node: Node = N1) -> NodeView:
    (found,) = world.storage.views.nodes(cluster=None, chip=None, after=None, limit=9, ids=[node.id])
    return found


def told(world: World, after: int) -> list[object]:
    return [change.body for change in world.storage.views.changes_after(after, limit=99)]


def test_a_drained_node_takes_nothing_new_and_keeps_what_it_runs(world: World) -> None:
    running, waiting = world.submit(), world.submit()
    world.place(running, take("n1", 0))
    before = world.storage.views.last_change()
    world.storage.directory.drain_node(N1.id, FAN)
    assert told(world, before) == [NodeSeen(replace(N1, state=NodeState.DRAINED))]
    assert view(world).drain == FAN
    assert [holding.job for holding in view(world).holdings] == [running.id]
    assert refused(world.write(world.placing(waiting, take("n1", 1)))) is Rejection.NO_CAPACITY
    world.storage.directory.undrain_node(N1.id, NOON)
    assert (view(world).node, view(world).drain) == (N1, None)
    world.place(waiting, take("n1", 1))


def test_a_drain_outlives_what_the_cluster_says_and_then_ends_in_that(world: World) -> None:
    world.storage.directory.drain_node(N1.id, FAN)
    for said in (NodeState.READY, NodeState.DEGRADED):
        world.record(replace(N1, state=said, note="as it says"), N2)
        assert (view(world).node.state, view(world).node.note) == (NodeState.DRAINED, "as it says")
    world.storage.directory.undrain_node(N1.id, NOON)
    assert view(world).node == replace(N1, state=NodeState.DEGRADED, note="as it says")


def test_a_cluster_that_falls_silent_is_suspected_behind_the_drain(world: World) -> None:
    world.storage.directory.drain_node(N1.id, FAN)
    assert world.storage.directory.suspect_nodes(CLUSTER, "silent", NOON) == 2
    assert (view(world).node.state, view(world).node.note) == (NodeState.DRAINED, "silent")
    world.storage.directory.undrain_node(N1.id, NOON)
    assert view(world).node.state is NodeState.SUSPECT


def test_a_node_that_leaves_and_comes_back_is_still_drained(world: World) -> None:
    world.place(world.submit(), take("n1", 0))
    world.storage.directory.drain_node(N1.id, FAN)
    world.record(N2)
    assert view(world).node.state is NodeState.GONE
    world.record(N1, N2)
    assert (view(world).node.state, view(world).drain) == (NodeState.DRAINED, FAN)
    world.record(N2)
    world.storage.directory.undrain_node(N1.id, NOON)
    assert view(world).node.state is NodeState.GONE


def test_what_the_cluster_drained_stays_so_when_the_operators_wish_is_taken_back(world: World) -> None:
    world.record(replace(N1, state=NodeState.DRAINED), N2)
    world.storage.directory.drain_node(N1.id, FAN)
    world.storage.directory.undrain_node(N1.id, NOON)
    assert (view(world).node.state, view(world).drain) == (NodeState.DRAINED, None)


def test_a_drained_node_that_shrank_is_held_back_as_any_other(world: World) -> None:
    attempt = world.place(world.submit(), take("n1", 2))
    world.storage.directory.drain_node(N1.id, FAN)
    shrunk = make_node("n1", {"h100": 2, "mi300x": 4})
    assert world.record(shrunk, N2).held_back == (N1.id,)
    world.storage.directory.undrain_node(N1.id, NOON)
    assert view(world).node == replace(N1, state=NodeState.DRAINED)
    world.end(attempt)
    world.record(shrunk, N2)
    assert view(world).node == shrunk


def test_another_wish_replaces_the_first_and_the_same_again_changes_nothing(world: World) -> None:
    directory = world.storage.directory
    directory.drain_node(N1.id, FAN)
    directory.drain_node(N1.id, replace(FAN, at=after_noon(9)))
    assert view(world).drain == FAN
    before = world.storage.views.last_change()
    later = Drain("bob", after_noon(9), "")
    directory.drain_node(N1.id, later)
    assert view(world).drain == later
    directory.undrain_node(N1.id, NOON)
    directory.undrain_node(N1.id, NOON)
    assert told(world, before) == [NodeSeen(N1)]


def test_a_guard_sees_what_is_there_and_stops_the_write(world: World) -> None:
    seen: list[object] = []

    def guard(present: object) -> None:
        seen.append(present)
        raise PermissionError

    directory = world.storage.directory
    with pytest.raises(PermissionError):
        directory.drain_node(N1.id, FAN, guard)
    directory.drain_node(N1.id, FAN)
    with pytest.raises(PermissionError):
        directory.undrain_node(N1.id, NOON, guard)
    assert seen == [None, FAN]
    assert view(world).drain == FAN


def test_a_node_that_is_not_there_cannot_be_drained(world: World) -> None:
    with pytest.raises(DoesNotExist):
        world.storage.directory.drain_node(f"{CLUSTER}/n9", FAN)
    with pytest.raises(DoesNotExist):
        world.storage.directory.undrain_node(f"{CLUSTER}/n9", NOON)


def test_the_audit_trail_tells_of_both(world: World) -> None:
    directory = world.storage.directory.acting(Actor("ada", None, None, "drain_node", "r"))
    directory.drain_node(N1.id, FAN)
    directory.drain_node(N1.id, FAN)
    directory.undrain_node(N1.id, NOON)
    directory.undrain_node(N1.id, NOON)
    entries = world.storage.audit.entries(AuditFilter(), before=None, limit=9)
    assert [(entry.object_kind, entry.object_name) for entry in entries] == [("node", N1.id)] * 2
    assert "a fan is broken" in str(entries[1].after)
    assert (entries[0].before, entries[0].after) == (entries[1].after, '{"drain":null}')
