"""Recording inventories: what a cluster's nodes become, whatever is held on them."""

from dataclasses import replace

import pytest

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.change import NodeSeen
from scheduler.core.model.node import Cluster, DeviceGroup, ForeignUse, Node, NodeState
from scheduler.core.model.topology import Topology
from scheduler.ports.directory import DoesNotExist, InventoryOutcome
from tests.builders.database import CLUSTER, NOON, Database, World, after_noon, make_node, take, take_share

N1 = make_node("n1", {"h100": 8, "mi300x": 4})
N2 = make_node("n2", {"h100": 8, "mi300x": 4})


def present(world: World) -> list[Node]:
    return [view.node for view in world.storage.views.nodes(cluster=None, chip=None, after=None, limit=99)]


def test_the_same_inventory_again_changes_nothing(world: World) -> None:
    before = world.storage.views.last_change()
    assert world.record(N2, N1) == InventoryOutcome(0, 0, 0, ())
    assert world.storage.views.last_change() == before
    assert present(world) == [N1, N2]


def test_nodes_are_added_changed_and_gone_and_the_feed_tells_each(world: World) -> None:
    before = world.storage.views.last_change()
    changed = replace(N1, topology=Topology((("rack", "r9"), ("zone", "z"))), labels=(), cpu_milli=1)
    added = make_node("n0", {"ascend-910b": 2}, state=NodeState.DRAINED)
    assert world.record(changed, added) == InventoryOutcome(added=1, changed=1, gone=1, held_back=())
    assert present(world) == [added, changed]
    bodies = [change.body for change in world.storage.views.changes_after(before, limit=9)]
    assert bodies == [NodeSeen(added), NodeSeen(changed), NodeSeen(replace(N2, state=NodeState.GONE))]
    assert set(world.storage.views.snapshot().nodes) == {added, changed, replace(N2, state=NodeState.GONE)}


def test_a_gone_node_keeps_what_is_held_on_it_and_may_come_back(world: World) -> None:
    job = world.submit()
    attempt = world.place(job, take("n1", 0))
    assert world.record(N2).gone == 1
    assert world.record(N2).gone == 0
    assert world.record(N1, N2) == InventoryOutcome(added=0, changed=1, gone=0, held_back=())
    world.see(attempt, Event.ALL_SUCCEEDED)
    assert world.storage.views.tenant_use(None) == []


def test_what_a_gone_node_held_is_given_back_once_it_ends(world: World) -> None:
    attempt = world.place(world.submit(), take("n1", 0))
    world.record(N2)
    world.see(attempt, Event.ALL_SUCCEEDED)
    assert world.storage.views.tenant_use(None) == []


@pytest.mark.parametrize(
    "shrunk",
    [
        pytest.param(make_node("n1", {"h100": 2, "mi300x": 4}), id="the held slot vanished"),
        pytest.param(make_node("n1", {"mi300x": 4, "h100": 8}), id="the held slot is another chip"),
        pytest.param(make_node("n1", {"mi300x": 4}), id="the held chip vanished"),
        pytest.param(replace(N1, cpu_milli=999), id="too little cpu"),
        pytest.param(replace(N1, memory_mib=1_999), id="too little memory"),
        pytest.param(replace(N1, pods=0), id="too few workers"),
        pytest.param(replace(N1, foreign=ForeignUse((("h100", 8),))), id="others use the devices"),
        pytest.param(replace(N1, foreign=ForeignUse(cpu_milli=63_001)), id="others use too much cpu"),
        pytest.param(replace(N1, foreign=ForeignUse(memory_mib=510_001)), id="others use too much memory"),
        pytest.param(replace(N1, foreign=ForeignUse(pods=16)), id="others run too many workers"),
    ],
)
def test_a_node_that_shrank_below_what_is_held_keeps_its_capacity_and_is_drained_until_it_is_free(
    world: World, shrunk: Node
) -> None:
    attempt = world.place(world.submit(), take("n1", 2))
    assert world.record(shrunk, N2) == InventoryOutcome(added=0, changed=1, gone=0, held_back=(N1.id,))
    assert present(world)[0] == replace(N1, state=NodeState.DRAINED)
    assert world.record(shrunk, N2) == InventoryOutcome(added=0, changed=0, gone=0, held_back=(N1.id,))
    world.end(attempt)
    assert world.record(shrunk, N2) == InventoryOutcome(added=0, changed=1, gone=0, held_back=())
    assert present(world)[0] == shrunk


def test_a_node_may_shrink_and_grow_beside_what_is_held(world: World, database: Database) -> None:
    world.place(world.submit(), take("n1", 2))
    assert world.record(make_node("n1", {"h100": 3}), N2).held_back == ()
    assert world.record(make_node("n1", {"h100": 16, "ascend-910b": 1}), N2).held_back == ()
    world.place(world.submit(), take("n1", 15))
    world.storage.close()
    held = database.ask(f"SELECT slot FROM device_slots WHERE node_id = '{N1.id}' AND used_milli > 0 ORDER BY slot")
    assert held == [(2,), (15,)]


@pytest.mark.parametrize(
    "shrunk",
    [
        pytest.param(replace(N1, devices=(DeviceGroup("h100", 2, 81_920),)), id="a shared slot vanished"),
        pytest.param(replace(N1, devices=(DeviceGroup("h100", 8, 999),)), id="the devices' memory shrank"),
        pytest.param(replace(N1, foreign=ForeignUse((("h100", 7),))), id="others use all but one of the devices"),
    ],
)
def test_a_node_keeps_its_capacity_while_shares_do_not_fit_into_what_was_seen(world: World, shrunk: Node) -> None:
    attempts = [world.place(world.submit(), take_share("n1", slot, 100, 1_000)) for slot in (1, 2)]
    assert world.record(shrunk, N2).held_back == (N1.id,)
    assert present(world)[0] == replace(N1, state=NodeState.DRAINED)
    assert world.storage.views.capacity_errors() == []
    for attempt in attempts:
        world.end(attempt)
    assert world.record(shrunk, N2).held_back == ()
    assert present(world)[0] == shrunk


def test_shares_stay_held_through_changes_of_their_node(world: World) -> None:
    attempt = world.place(world.submit(), take_share("n1", 1, 100, 1_000))
    grown = replace(N1, devices=(DeviceGroup("h100", 9, 1_000),), foreign=ForeignUse((("h100", 8),)))
    assert world.record(grown, N2).held_back == ()
    assert world.storage.views.capacity_errors() == []
    world.end(attempt)
    assert world.storage.views.capacity_errors() == []


def test_whose_a_node_is_and_what_others_use_of_it_are_kept_and_told(world: World) -> None:
    foreign = ForeignUse((("h100", 2), ("mi300x", 1)), cpu_milli=1, memory_mib=2, pods=3)
    occupied = replace(N1, tenant="nobody-yet", foreign=foreign, state=NodeState.SUSPECT, note="two devices failed")
    before = world.storage.views.last_change()
    assert world.record(occupied, N2).changed == 1
    assert present(world) == [occupied, N2]
    assert [change.body for change in world.storage.views.changes_after(before, limit=9)] == [NodeSeen(occupied)]
    assert world.record(occupied, N2).changed == 0
    assert world.record(replace(occupied, foreign=ForeignUse()), N2).changed == 1


def test_an_inventory_names_a_cluster_and_chips_that_exist(world: World) -> None:
    with pytest.raises(DoesNotExist, match="abacus"):
        world.record(N1, make_node("n3", {"abacus": 1}))
    with pytest.raises(DoesNotExist, match="elsewhere"):
        world.storage.directory.record_nodes("elsewhere", [], NOON)
    assert present(world) == [N1, N2], "a refused inventory leaves no trace"


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param([N1, N1], id="a node twice"),
        pytest.param([replace(N1, cluster="other")], id="a node of another cluster"),
        pytest.param([replace(N1, devices=(DeviceGroup("h100", 1, 1), DeviceGroup("h100", 2, 1)))], id="a chip twice"),
    ],
)
def test_an_inventory_that_contradicts_itself_is_the_callers_error(world: World, nodes: list[Node]) -> None:
    with pytest.raises(ValueError, match="node"):
        world.record(*nodes)


def test_clusters_keep_their_nodes_apart(world: World) -> None:
    world.storage.directory.register_cluster(Cluster("second", "local"), NOON)
    world.storage.directory.record_nodes("second", [replace(N1, cluster="second")], NOON)
    assert [node.id for node in present(world)] == [f"{CLUSTER}/n1", f"{CLUSTER}/n2", "second/n1"]


def test_a_node_without_devices_is_a_node(world: World) -> None:
    world.record(make_node("n1", {}))
    assert present(world) == [make_node("n1", {})]


def test_a_note_about_a_node_is_kept_and_told(world: World) -> None:
    noted = replace(N1, state=NodeState.DRAINED, note="cordoned: " + "x" * 500 + "\0")
    before = world.storage.views.last_change()
    assert world.record(noted, N2).changed == 1
    kept = replace(noted, note=noted.note[:200])
    assert present(world) == [kept, N2]
    assert [change.body for change in world.storage.views.changes_after(before, limit=9)] == [NodeSeen(kept)]
    assert world.record(noted, N2).changed == 0, "what was cut is no change"
    assert world.record(N1, N2).changed == 1
    assert present(world) == [N1, N2]


def test_all_nodes_of_a_cluster_can_be_suspected_as_they_are_last_known(world: World) -> None:
    gone = replace(N1, state=NodeState.GONE)
    world.record(N2)
    held = world.place(world.submit(), take("n2", 0))
    before = world.storage.views.last_change()
    suspect = replace(N2, state=NodeState.SUSPECT, note="the cluster does not answer")
    assert world.storage.directory.suspect_nodes(CLUSTER, "the cluster does not answer", after_noon(60)) == 1
    bodies = [change.body for change in world.storage.views.changes_after(before, limit=9)]
    assert bodies == [NodeSeen(suspect)]
    assert set(world.storage.views.snapshot().nodes) == {gone, suspect}
    assert world.storage.directory.suspect_nodes(CLUSTER, "the cluster does not answer", after_noon(61)) == 0
    world.end(held)
    assert world.record(N2) == InventoryOutcome(added=0, changed=1, gone=0, held_back=())


def test_what_an_operator_drained_stays_drained_when_its_cluster_is_suspected(world: World) -> None:
    drained = replace(N1, state=NodeState.DRAINED, note="cordoned")
    world.record(drained, N2)
    assert world.storage.directory.suspect_nodes(CLUSTER, "the cluster does not answer", after_noon(60)) == 1
    assert drained in present(world)


def test_nodes_of_an_unknown_cluster_cannot_be_suspected(world: World) -> None:
    with pytest.raises(DoesNotExist):
        world.storage.directory.suspect_nodes("elsewhere", "", NOON)
