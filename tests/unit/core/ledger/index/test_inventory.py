from dataclasses import replace
from itertools import pairwise

import pytest

from scheduler.core.ledger.changes import PutCluster, PutNode, Release, RemoveNode
from scheduler.core.ledger.index import inventory as inventory_module
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.demand import demand_of
from scheduler.core.model.node import Cluster, ForeignUse, Node, NodeState
from scheduler.core.model.topology import RACK
from tests.builders.core import devices_free, make_allocation, make_hold, make_ledger, make_node, make_shape, room_for

ONE = demand_of("h100", make_shape(1))
FULL = Node(
    cluster="mixed",
    name="n1",
    devices=make_node(devices={"h100": 4, "mlu": 2}).devices,
    cpu_milli=1,
    memory_mib=2,
    pods=3,
    topology=make_node(topology=((RACK, "r1"), ("zone", "z1"))).topology,
    labels=(("disk", "fast"),),
    state=NodeState.SUSPECT,
    note="a fan is loud",
    tenant="alpha",
    foreign=ForeignUse(pods=1),
)


def levels_of(*topologies: tuple[str, ...]) -> tuple[str, ...]:
    nodes = [
        make_node(f"n{number}", topology=tuple((level, "x") for level in levels))
        for number, levels in enumerate(topologies)
    ]
    return make_ledger(*nodes).inventory.levels("mixed")


@pytest.mark.parametrize("state", NodeState)
def test_a_node_is_given_back_as_it_came(state: NodeState) -> None:
    node = replace(FULL, state=state)
    assert make_ledger(node).node("mixed/n1") == node


def test_alike_nodes_are_in_one_state_and_others_in_another() -> None:
    ledger = make_ledger(make_node("a"), make_node("b"), make_node("c"), make_node("d", {"h100": 4}))
    assert ledger.inventory.distinct_states() == 2
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/a")))
    assert ledger.inventory.distinct_states() == 3
    ledger.apply(make_hold("a2", make_allocation((5,), node="mixed/b")))
    assert ledger.inventory.distinct_states() == 3


def test_levels_come_from_the_smallest_to_the_largest_as_most_nodes_name_them() -> None:
    assert levels_of(("rack", "zone")) == ("rack", "zone")
    assert levels_of(("zone",), ("rack", "row", "zone"), ("rack",)) == ("rack", "row", "zone")
    assert levels_of((), ()) == ()


def test_a_level_that_only_a_shorter_list_names_comes_after_the_longer_lists() -> None:
    assert levels_of(("rack", "zone"), ("block",)) == ("rack", "zone", "block")


def test_levels_go_with_the_last_node_that_names_them() -> None:
    in_rack = make_node("n1", rack="r1")
    ledger = make_ledger(in_rack, make_node("n2"))
    ledger.apply(PutNode(replace(in_rack, state=NodeState.DRAINED)))
    assert ledger.inventory.levels("mixed") == (RACK,)
    ledger.apply(PutNode(replace(in_rack, state=NodeState.GONE)))
    assert ledger.inventory.levels("mixed") == ()
    assert ledger.inventory.levels("nowhere") == ()


def test_clusters_are_those_with_nodes_that_are_not_gone() -> None:
    ledger = make_ledger(make_node(cluster="west"), make_node(cluster="east"))
    assert ledger.inventory.clusters() == ("east", "west")
    ledger.apply(PutNode(make_node(cluster="east", state=NodeState.GONE)))
    assert ledger.inventory.clusters() == ("west",)
    ledger.apply(PutNode(make_node(cluster="east", state=NodeState.DRAINED)))
    assert ledger.inventory.clusters() == ("east", "west")
    ledger.apply(RemoveNode("west/n1"))
    assert ledger.inventory.clusters() == ("east",)


def test_kinds_are_counted_without_what_is_gone() -> None:
    ledger = make_ledger(make_node("a"), make_node("b"), make_node("c", {"mlu": 2}))
    assert sorted(count for _, count in ledger.inventory.kinds()) == [1, 2]
    ledger.apply(PutNode(make_node("b", state=NodeState.GONE)))
    assert sorted(count for _, count in ledger.inventory.kinds()) == [1, 1]


def test_states_are_counted_as_nodes_are_in_them() -> None:
    ledger = make_ledger(make_node("a"), make_node("b"), make_node("c", state=NodeState.GONE))
    ((state, nodes),) = ledger.inventory.states()
    assert (state.free, nodes) == ((8,), 2)
    ledger.apply(make_hold("a1", make_allocation((0, 1, 2), node="mixed/a")))
    assert sorted((state.free, nodes) for state, nodes in ledger.inventory.states()) == [((5,), 1), ((8,), 1)]


def test_every_change_of_a_node_or_a_cluster_counts_and_what_is_held_does_not() -> None:
    ledger = make_ledger(make_node())
    seen = [ledger.inventory.changes]
    for change in (
        PutNode(make_node(state=NodeState.DRAINED)),
        PutNode(make_node("n2")),
        RemoveNode("mixed/n2"),
        PutCluster(Cluster("mixed", "local", enforces_shares=False)),
    ):
        ledger.apply(change)
        seen.append(ledger.inventory.changes)
    assert sorted(set(seen)) == seen
    ledger.apply(PutNode(make_node()))
    before = ledger.inventory.changes
    ledger.apply(make_hold("a1", make_allocation((0,))))
    ledger.apply(Release("a1"))
    assert ledger.inventory.changes == before


def test_who_keeps_what_it_knows_of_pools_can_tell_when_there_are_others() -> None:
    ledger = make_ledger(make_node("a"))
    made = [ledger.inventory.pools_made]
    for node in (
        make_node("b"),
        make_node("c", tenant="alpha"),
        make_node("d", {"mlu": 1}),
        make_node("e", {"mlu": 2}),
    ):
        ledger.apply(PutNode(node))
        made.append(ledger.inventory.pools_made)
    assert [later > earlier for earlier, later in pairwise(made)] == [False, True, True, False]


def test_the_same_demand_is_worked_out_once_and_apart_from_the_empty_cluster() -> None:
    inventory = Ledger().inventory
    assert inventory.fit(ONE) is inventory.fit(ONE)
    assert inventory.fit(ONE) is not inventory.fit(ONE, when_empty=True)


def test_too_many_demands_are_forgotten_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_module, "MOST_FITS", 2)
    ledger = make_ledger(make_node())
    for devices in (1, 2, 4, 8, 1):
        assert room_for(ledger, demand_of("h100", make_shape(devices))) == 8 // devices


def test_a_node_that_leaves_its_rack_leaves_no_empty_rack_behind() -> None:
    ledger = make_ledger(make_node("a", rack="r1"), make_node("b", rack="r2"))
    ledger.apply(PutNode(make_node("a", rack="r2")))
    assert list(ledger.inventory.root("mixed").children) == [(RACK, "r2")]
    ledger.apply(PutNode(make_node("b", rack="r3", state=NodeState.GONE)))
    assert list(ledger.inventory.root("mixed").children) == [(RACK, "r2")]
    ledger.apply(RemoveNode("mixed/a"))
    assert ledger.inventory.root("mixed").children == {}


def test_a_node_that_stays_alone_in_its_rack_is_still_found_there() -> None:
    ledger = make_ledger(make_node("a", {"h100": 4}, rack="r1"))
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/a")))
    for node in (make_node("a", {"h100": 6}, rack="r1"), make_node("a", {"h100": 6}, rack="r1", pods=50)):
        ledger.apply(PutNode(node))
        (rack,) = ledger.inventory.root("mixed").children.values()
        assert [entry.id for entry in rack.members] == ["mixed/a"]


def test_of_nodes_that_come_at_once_those_of_one_kind_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_module, "MOST_UNUSED_KINDS", 1)
    ledger = Ledger()
    ledger.add_nodes(make_node(f"n{number}", pods=1 + number % 20) for number in range(40))
    assert len({entry.leftover.kind for entry in ledger.inventory.entries.values()}) == 20


def test_states_that_no_node_is_in_are_forgotten_and_rooms_stay_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_module, "MOST_UNUSED_STATES", 4)
    ledger = make_ledger(make_node("a"), make_node("b"))
    for memory_mib in range(1, 60):
        held = replace(make_allocation((0,), node="mixed/a"), memory_mib=memory_mib)
        ledger.apply(make_hold("a1", held))
        assert (devices_free(ledger), room_for(ledger, ONE)) == (15, 15)
        ledger.apply(Release("a1"))
        assert (devices_free(ledger), room_for(ledger, ONE)) == (16, 16)
        assert not ledger.is_held("mixed/a")


def test_kinds_that_no_node_is_of_are_forgotten_and_rooms_stay_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_module, "MOST_UNUSED_KINDS", 4)
    ledger = make_ledger(make_node("a"), make_node("b"))
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/a")))
    for cpu_milli in range(1, 60):
        ledger.apply(PutNode(replace(make_node("a"), foreign=ForeignUse(cpu_milli=cpu_milli))))
        assert room_for(ledger, ONE) == 15
    assert sum(1 for _ in ledger.inventory.kinds()) == 2
    assert len(ledger.inventory._kinds) <= 2 * 2 + 4 + 1
