from dataclasses import replace

import pytest

from scheduler.core.ledger.changes import LedgerChange, PutNode, Release, RemoveNode
from scheduler.core.ledger.index import pool as pool_module
from scheduler.core.ledger.index import room as room_module
from scheduler.core.ledger.index.room import Room
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.demand import Demand, demand_of
from scheduler.core.model.node import NodeState
from scheduler.core.model.topology import CLUSTER, RACK
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape, make_share

ZONE = "zone"
ONE = demand_of("h100", make_shape(1, cpu_milli=0, memory_mib=0))
FOUR = demand_of("h100", make_shape(4, cpu_milli=0, memory_mib=0))


def room_of(ledger: Ledger, demand: Demand = ONE, *, when_empty: bool = False) -> Room:
    return ledger.inventory.pools["mixed", "h100"][None, False].room(
        ledger.inventory.fit(demand, when_empty=when_empty)
    )


def told(room: Room, ledger: Ledger) -> list[object]:
    """Return all that a room says, by the names of domains."""
    root = ledger.inventory.root("mixed")
    sums = {domain.path: workers for domain, workers in room.sums.items() if workers}
    at = {level: [row[:2] for row in room.at(level).rows] for level in (RACK, ZONE, CLUSTER)}
    children = {domain.path: [row[:2] for row in room.children(domain)] for domain in (root, *root.children.values())}
    return [room.total, room.nodes, sums, at, children, sorted(room.fits_now())]


def fresh(ledger: Ledger, demand: Demand = ONE) -> list[object]:
    """Return what a room says that was made just now."""
    pool = ledger.inventory.pools["mixed", "h100"][None, False]
    return told(Room(pool, ledger.inventory.fit(demand)), ledger)


def in_zones() -> Ledger:
    places = {"a": ("r1", "z1"), "b": ("r1", "z1"), "c": ("r2", "z1"), "d": ("r1", "z2")}
    return make_ledger(
        *(make_node(name, topology=((RACK, rack), (ZONE, zone))) for name, (rack, zone) in places.items()),
        make_node("e"),
    )


def test_a_room_sums_up_its_workers_over_every_domain() -> None:
    ledger = in_zones()
    ledger.apply(make_hold("a1", make_allocation((0, 1, 2), node="mixed/a")))
    room = room_of(ledger, FOUR)
    assert (room.total, room.nodes) == (9, 5)
    by_name = sorted((domain.level, domain.name, workers) for domain, workers in room.sums.items())
    assert by_name == [
        (CLUSTER, "mixed", 9),
        (RACK, "r1", 2),
        (RACK, "r1", 3),
        (RACK, "r2", 2),
        (ZONE, "z1", 5),
        (ZONE, "z2", 2),
    ]


def test_a_node_with_too_little_room_is_no_node_of_it() -> None:
    ledger = make_ledger(make_node("a"), make_node("b", {"h100": 3}), make_node("c", state=NodeState.DRAINED))
    room = room_of(ledger, FOUR)
    assert (room.total, room.nodes) == (2, 1)


def moves() -> list[LedgerChange]:
    node = make_node("c", topology=((RACK, "r2"), (ZONE, "z1")))
    return [
        make_hold("a1", make_allocation((0, 1), node="mixed/a"), make_allocation((0,), node="mixed/d")),
        make_hold("a2", make_share(7, 300, node="mixed/b")),
        PutNode(replace(node, state=NodeState.DRAINED)),
        PutNode(make_node("c", {"h100": 2}, topology=((RACK, "r3"), (ZONE, "z2")))),
        Release("a1"),
        PutNode(replace(node, state=NodeState.GONE)),
        PutNode(make_node("f", {"h100": 16}, topology=((RACK, "r9"), (ZONE, "z9")))),
        PutNode(node),
        PutNode(make_node("e", tenant="alpha")),
        RemoveNode("mixed/f"),
        PutNode(make_node("f", topology=((RACK, "r9"), (ZONE, "z9")))),
        make_hold("a3", make_allocation(tuple(range(8)), node="mixed/d")),
    ]


@pytest.mark.parametrize("demand", [ONE, FOUR], ids=["one", "four"])
@pytest.mark.parametrize("pause", [1, 3, 100])
@pytest.mark.parametrize("most_moves", [pool_module.MOST_MOVES, 4])
@pytest.mark.parametrize("wide", [room_module.WIDE, 0])
def test_a_room_that_caught_up_says_what_a_fresh_one_says(
    demand: Demand, pause: int, most_moves: int, wide: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "MOST_MOVES", most_moves)
    monkeypatch.setattr(room_module, "WIDE", wide)
    ledger = in_zones()
    told(room_of(ledger, demand), ledger)
    for number, move in enumerate(moves(), start=1):
        ledger.apply(move)
        if not number % pause:
            assert told(room_of(ledger, demand), ledger) == fresh(ledger, demand)
    assert told(room_of(ledger, demand), ledger) == fresh(ledger, demand)


@pytest.mark.parametrize("wide", [room_module.WIDE, 0])
def test_a_node_that_is_put_again_alone_in_its_rack_stands_there_once(
    wide: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "WIDE", wide)
    nodes = [make_node(f"n{number}", rack=f"r{number}") for number in range(20)]
    ledger = make_ledger(*nodes)
    want = told(room_of(ledger), ledger)
    for node in nodes:
        ledger.apply(RemoveNode(node.id))
        ledger.apply(PutNode(node))
        assert told(room_of(ledger), ledger) == want


def test_domains_of_one_name_on_two_levels_are_told_apart() -> None:
    ledger = make_ledger(make_node("a", topology=((RACK, "x"),)), make_node("b", topology=((ZONE, "x"),)))
    rows = room_of(ledger).children(ledger.inventory.root("mixed"))
    assert [(workers, domain.level) for workers, _, domain in rows] == [(8, RACK), (8, ZONE)]


def test_a_room_of_the_empty_cluster_looks_through_what_is_held_and_who_refuses_work() -> None:
    ledger = make_ledger(make_node("a"), make_node("b", state=NodeState.DRAINED))
    ledger.apply(make_hold("a1", make_allocation((0, 1), node="mixed/a")))
    assert (room_of(ledger).total, room_of(ledger, when_empty=True).total) == (6, 16)


def test_no_node_has_more_room_than_is_said_even_where_one_came_back_with_what_it_runs() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}), make_node("b"))
    ledger.apply(make_hold("a1", make_allocation(tuple(range(8)), node="mixed/b")))
    ledger.apply(PutNode(make_node("b", state=NodeState.GONE)))
    assert room_of(ledger).most_on_a_node == 2
    ledger.apply(PutNode(make_node("b")))
    assert room_of(ledger).total == 2
    ledger.apply(Release("a1"))
    assert room_of(ledger).total == 10
    assert room_of(ledger).most_on_a_node >= 8


def test_the_states_with_room_that_nodes_came_to_have_arrived() -> None:
    ledger = make_ledger(make_node("a"), make_node("b"))
    room = room_of(ledger, FOUR)
    room.all_arrive_again()
    room.arrived.clear()
    ledger.apply(make_hold("a1", make_allocation((0, 1), node="mixed/a")))
    ledger.apply(make_hold("a2", make_allocation((0, 1, 2, 3, 4), node="mixed/b")))
    room.catch_up()
    assert [leftover.free for leftover in room.arrived] == [(6,)]
    room.arrived.clear()
    room.all_arrive_again()
    assert [leftover.free for leftover in room.arrived] == [(6,)]
