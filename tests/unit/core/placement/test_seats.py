"""Which nodes of a domain take how many workers."""

import pytest

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.node import Cluster
from scheduler.core.model.topology import Closeness
from scheduler.core.placement.seats import MOST_SORTED
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape
from tests.builders.placing import ask, found, seats, seats_of, slots

ANYWHERE = Closeness(preferred=())
"""Straight into the whole cluster, however near the workers could be."""


def test_the_roomiest_nodes_are_filled_and_the_tightest_takes_the_rest() -> None:
    ledger = make_ledger(
        *(make_node(name, {"h100": count}) for name, count in (("a", 8), ("b", 3), ("c", 2), ("d", 8)))
    )
    assert seats_of(ledger, ask(18)) == {"a": 8, "d": 8, "c": 2}
    assert seats_of(ledger, ask(19)) == {"a": 8, "d": 8, "b": 3}
    assert seats_of(ledger, ask(21)) == {"a": 8, "d": 8, "b": 3, "c": 2}


def test_of_nodes_with_equal_room_the_better_one_is_filled_first_and_then_the_one_by_name() -> None:
    ledger = make_ledger(*(make_node(name, {"h100": 2}) for name in "dbca"))
    assert seats_of(ledger, ask(4)) == {"a": 2, "b": 2}
    ledger.apply(make_hold("a1", make_allocation((), node="mixed/d", chip=None, cpu_milli=200_000)))
    assert seats_of(ledger, ask(4)) == {"d": 2, "a": 2}


def test_nodes_that_are_all_taken_are_filled_roomiest_first_and_then_by_name() -> None:
    ledger = make_ledger(*(make_node(name, {"h100": size}) for name, size in (("a", 1), ("c", 2), ("b", 2), ("d", 3))))
    ledger.apply(make_hold("a1", make_allocation((), node="mixed/c", chip=None, cpu_milli=200_000)))
    assert list(seats_of(ledger, ask(8)) or {}) == ["d", "b", "c", "a"]


def test_the_roomiest_racks_are_filled_and_the_tightest_takes_the_rest() -> None:
    sizes = {"r1": (4, 4), "r2": (4, 4), "r3": (2, 1), "r4": (3, 2)}
    ledger = make_ledger(
        *(make_node(f"{rack}{at}", {"h100": n}, rack=rack) for rack, row in sizes.items() for at, n in enumerate(row))
    )
    assert seats_of(ledger, ask(18)) == {"r10": 4, "r11": 4, "r20": 4, "r21": 4, "r30": 2}
    assert seats_of(ledger, ask(20)) == {"r10": 4, "r11": 4, "r20": 4, "r21": 4, "r40": 3, "r41": 1}


def test_nodes_that_stand_in_no_rack_are_filled_like_a_rack_of_their_own() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 4}),
        make_node("b", {"h100": 4}),
        make_node("c", {"h100": 3}, rack="r1"),
        make_node("d", {"h100": 2}, rack="r1"),
        make_node("e", {"h100": 2}, rack="r2"),
    )
    assert seats_of(ledger, ask(10)) == {"a": 4, "b": 4, "e": 2}
    assert seats_of(ledger, ask(13)) == {"a": 4, "b": 4, "c": 3, "d": 2}
    assert seats_of(ledger, ask(15)) == {"a": 4, "b": 4, "c": 3, "d": 2, "e": 2}


def test_nodes_that_stand_directly_in_a_zone_are_filled_with_its_racks() -> None:
    zone = ("zone", "z1")
    ledger = make_ledger(
        make_node("a", {"h100": 5}, topology=(("rack", "r1"), zone)),
        make_node("b", {"h100": 2}, topology=(zone,)),
        make_node("c", {"h100": 9}, topology=(("zone", "z2"),)),
        make_node("d", {"h100": 9}, topology=(("zone", "z2"),)),
    )
    assert seats_of(ledger, ask(7, closeness=Closeness("zone", preferred=("rack",)))) == {"a": 5, "b": 2}


def flat(nodes: int, *, spare: int = 0) -> Ledger:
    """Return a cluster without topology, some nodes partly held; `spare` more nodes have no chip that is asked for."""
    ledger = make_ledger(
        *(make_node(f"n{number:03}", {"h100": 8}) for number in range(nodes)),
        *(make_node(f"x{number:03}", {"h100": 1}, cpu_milli=0) for number in range(spare)),
    )
    for number in range(0, nodes, 3):
        taken = tuple(range(number % 7))
        ledger.apply(make_hold(f"a{number}", make_allocation(taken, node=f"mixed/n{number:03}")))
    return ledger


@pytest.mark.parametrize("workers", [2, 8, 9, 31, 64, 100, 117])
def test_a_large_cluster_without_topology_is_filled_like_a_small_one(workers: int) -> None:
    small, large = flat(20), flat(20, spare=MOST_SORTED)
    request = ask(workers, shape=make_shape(1, cpu_milli=1), closeness=ANYWHERE)
    assert seats_of(large, request) == seats_of(small, request)
    assert sum((seats_of(large, request) or {}).values()) == workers


def test_workers_of_one_node_get_its_lowest_free_slots_one_after_the_other() -> None:
    ledger = make_ledger(make_node())
    ledger.apply(make_hold("a1", make_allocation((0, 2))))
    assert slots(found(ledger, ask(2, shape=make_shape(3)))) == [("n1", (1, 3, 4)), ("n1", (5, 6, 7))]


def test_slots_of_the_second_chip_type_of_a_node_come_after_those_of_the_first() -> None:
    ledger = make_ledger(make_node(devices={"mlu": 4, "h100": 4}))
    assert slots(found(ledger, ask(2, shape=make_shape(2)))) == [("n1", (4, 5)), ("n1", (6, 7))]


def test_a_cluster_that_picks_the_devices_is_told_their_number_and_no_slots() -> None:
    ledger = make_ledger(make_node(), clusters=(Cluster("mixed", "kubernetes", binds_devices=False),))
    place = found(ledger, ask(2, shape=make_shape(3)))
    assert [(held.slots, held.counted, held.devices) for held in place.allocations] == [((), 3, 3)] * 2
    assert seats(place) == {"n1": 2}


def test_workers_without_devices_get_no_slots() -> None:
    place = found(make_ledger(make_node()), ask(roles=(), shape=make_shape(0)))
    assert [(held.slots, held.counted) for held in place.allocations] == [((), 0)]
