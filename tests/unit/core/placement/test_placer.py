"""Seats for one part of a gang: from the smallest domain that is tried to the largest that is allowed."""

import pytest

from scheduler.core.ledger.changes import PutNode
from scheduler.core.model.node import ForeignUse, Node, NodeState
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Closeness
from scheduler.core.placement.gang import place
from scheduler.core.placement.placer import Placer
from scheduler.core.placement.scoring.job_mix import WorkerKind, mix_of
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape, make_share
from tests.builders.placing import HALF_A_DEVICE, ONE_DEVICE, ask, find, found, seats, seats_of, slots, take


def test_a_single_worker_gets_the_tightest_node_and_among_equals_the_first_by_name() -> None:
    ledger = make_ledger(make_node("a", {"h100": 8}), make_node("c", {"h100": 4}), make_node("b", {"h100": 4}))
    assert seats_of(ledger, ask(1)) == {"b": 1}
    ledger.apply(make_hold("a1", make_allocation((0, 1, 2, 3, 4), node="mixed/a")))
    assert seats_of(ledger, ask(1)) == {"a": 1}


def test_one_node_is_preferred_to_a_rack_with_a_tighter_fit() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 2}, rack="r1"),
        make_node("b", {"h100": 2}, rack="r1"),
        make_node("c", {"h100": 8}, rack="r2"),
    )
    assert seats_of(ledger, ask(4)) == {"c": 4}


def test_the_tightest_node_takes_a_gang_that_fits_on_one() -> None:
    ledger = make_ledger(*(make_node(name, {"h100": count}) for name, count in (("a", 8), ("b", 4), ("c", 5))))
    assert seats_of(ledger, ask(4)) == {"b": 4}


def test_one_rack_is_preferred_to_the_cluster_and_the_tightest_rack_is_taken() -> None:
    sizes = {"a": ("r1", 4), "b": ("r1", 4), "c": ("r2", 4), "d": ("r2", 3)}
    ledger = make_ledger(*(make_node(name, {"h100": count}, rack=rack) for name, (rack, count) in sizes.items()))
    assert seats_of(ledger, ask(6)) == {"c": 4, "d": 2}


def test_a_node_that_names_no_rack_is_in_none() -> None:
    ledger = make_ledger(
        *(make_node(name, {"h100": 4}) for name in "ab"), *(make_node(name, {"h100": 4}, rack="r1") for name in "cd")
    )
    assert seats_of(ledger, ask(8)) == {"c": 4, "d": 4}


def test_the_whole_cluster_is_used_where_no_rack_suffices() -> None:
    ledger = make_ledger(make_node("a", {"h100": 4}, rack="r1"), make_node("b", {"h100": 4}, rack="r2"))
    assert seats_of(ledger, ask(8)) == {"a": 4, "b": 4}
    assert find(ledger, ask(9)) is None


def test_of_nested_levels_the_smallest_that_suffices_is_used() -> None:
    places = {"a": ("r1", "z1"), "b": ("r1", "z1"), "c": ("r2", "z1"), "d": ("r3", "z2"), "e": ("r4", "z2")}
    ledger = make_ledger(
        *(
            make_node(name, {"h100": 2}, topology=((RACK, rack), ("zone", zone)))
            for name, (rack, zone) in places.items()
        )
    )
    levels = [found(ledger, ask(workers)).notes[0].domain_level for workers in (2, 4, 6, 7)]
    assert levels == [NODE, RACK, "zone", CLUSTER]
    assert seats_of(ledger, ask(6)) == {"a": 2, "b": 2, "c": 2}


def test_a_required_level_is_a_wall_and_a_preferred_one_is_not() -> None:
    ledger = make_ledger(*(make_node(f"{rack}{at}", {"h100": 2}, rack=rack) for rack in ("r1", "r2") for at in (1, 2)))
    assert find(ledger, ask(3, closeness=Closeness(NODE))) is None
    assert seats_of(ledger, ask(3, closeness=Closeness(RACK))) == {"r11": 2, "r12": 1}
    assert find(ledger, ask(5, closeness=Closeness(RACK))) is None
    assert len(seats_of(ledger, ask(5, closeness=Closeness(preferred=(RACK,)))) or {}) == 3


def test_a_level_that_is_not_preferred_is_passed_over() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 8}, rack="r1"), *(make_node(name, {"h100": 2}, rack="r2") for name in "bc")
    )
    assert seats_of(ledger, ask(4, closeness=Closeness(preferred=(RACK,)))) == {"b": 2, "c": 2}
    assert seats_of(ledger, ask(4)) == {"a": 4}


OWN, SHARED = make_node("own", {"h100": 4}, tenant="alpha"), make_node("shared", {"h100": 2})
WEAK = make_node("weak", {"h100": 1}, state=NodeState.DEGRADED)
OTHERS = make_node("others", {"h100": 64}, tenant="beta")


def test_own_nodes_come_before_everybodys_then_both_and_degraded_ones_only_where_nothing_else_suffices() -> None:
    ledger = make_ledger(OWN, SHARED, WEAK, OTHERS)
    assert seats_of(ledger, ask(1)) == {"own": 1}
    assert seats_of(ledger, ask(4)) == {"own": 4}
    assert seats_of(ledger, ask(6)) == {"own": 4, "shared": 2}
    assert seats_of(ledger, ask(7)) == {"own": 4, "shared": 2, "weak": 1}
    assert find(ledger, ask(8)) is None


def test_a_sound_node_far_away_is_better_than_a_degraded_one_nearby() -> None:
    ledger = make_ledger(
        make_node("weak", {"h100": 4}, state=NodeState.DEGRADED), *(make_node(name, {"h100": 2}) for name in "ab")
    )
    assert seats_of(ledger, ask(4)) == {"a": 2, "b": 2}


def test_who_has_no_nodes_gets_everybodys() -> None:
    assert seats_of(make_ledger(OWN, SHARED, OTHERS), ask(2, tenant="gamma")) == {"shared": 2}
    assert find(make_ledger(OWN, SHARED, OTHERS), ask(3, tenant="gamma")) is None


@pytest.mark.parametrize("state", [NodeState.DRAINED, NodeState.SUSPECT, NodeState.GONE])
def test_nodes_that_take_no_new_work_get_none(state: NodeState) -> None:
    ledger = make_ledger(make_node("a", state=state), make_node("b"))
    assert seats_of(ledger, ask(8)) == {"b": 8}
    assert find(ledger, ask(9)) is None


def test_devices_in_foreign_hands_are_not_given_away() -> None:
    foreign = ForeignUse((("h100", 5),), cpu_milli=1_000, memory_mib=1_000, pods=3)
    assert find(make_ledger(make_node(foreign=foreign)), ask(4)) is None
    assert seats_of(make_ledger(make_node(foreign=foreign)), ask(3)) == {"n1": 3}


SCARCE = {
    "devices": (make_node(devices={"h100": 7}), make_shape(2)),
    "cpu": (make_node(cpu_milli=3_999), make_shape()),
    "memory": (make_node(memory_mib=4_095), make_shape()),
    "pods": (make_node(pods=3), make_shape()),
}


@pytest.mark.parametrize("resource", SCARCE)
def test_a_node_takes_as_many_workers_as_its_scarcest_resource_allows(resource: str) -> None:
    node, shape = SCARCE[resource]
    assert seats_of(make_ledger(node), ask(3, shape=shape)) == {"n1": 3}
    assert find(make_ledger(node), ask(4, shape=shape)) is None


def test_only_nodes_with_all_the_labels_are_used() -> None:
    fast, big = ("disk", "fast"), ("memory", "big")
    ledger = make_ledger(make_node("a", labels=(fast,)), make_node("b", labels=(fast, big)), make_node("c"))
    assert seats_of(ledger, ask(1, node_labels=(fast, big))) == {"b": 1}
    assert seats_of(ledger, ask(16, node_labels=(fast,))) == {"a": 8, "b": 8}
    assert find(ledger, ask(1, node_labels=(("disk", "slow"),))) is None


def test_an_exclusive_gang_takes_only_untouched_nodes_and_nothing_comes_beside_it() -> None:
    ledger = make_ledger(
        make_node("a"), make_node("b"), make_node("c", foreign=ForeignUse(pods=1)), make_node("d", {"mlu": 1})
    )
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/a")))
    place_taken = take(ledger, ask(1, exclusive=True), "a2")
    assert seats(place_taken) == {"b": 1}
    assert find(ledger, ask(1, exclusive=True)) is None
    assert seats_of(ledger, ask(15)) == {"c": 8, "a": 7}
    assert find(ledger, ask(16)) is None


def test_an_exclusive_gang_may_have_several_workers_on_each_of_its_nodes() -> None:
    ledger = make_ledger(*(make_node(name, {"h100": 4}) for name in "abc"))
    assert seats_of(ledger, ask(6, exclusive=True)) == {"a": 4, "b": 2}


def test_a_share_goes_to_the_shared_device_it_fits_most_tightly() -> None:
    ledger = make_ledger(make_node())
    ledger.apply(make_hold("a1", make_share(3, 300), make_share(5, 500), make_share(6, 700)))
    assert slots(found(ledger, ask(shape=HALF_A_DEVICE))) == [("n1", (5,))]
    assert slots(found(ledger, ask(shape=make_shape(cpu_milli=0, memory_mib=0, share_milli=600)))) == [("n1", (3,))]
    assert slots(found(ledger, ask(shape=make_shape(cpu_milli=0, memory_mib=0, share_milli=800)))) == [("n1", (0,))]


def test_alike_shared_devices_are_taken_by_their_slots() -> None:
    ledger = make_ledger(make_node())
    ledger.apply(make_hold("a1", make_share(6, 500), make_share(2, 500), make_share(4, 500)))
    assert slots(found(ledger, ask(2, shape=HALF_A_DEVICE))) == [("n1", (2,)), ("n1", (4,))]


def test_a_node_with_a_started_device_is_preferred_to_an_untouched_one() -> None:
    ledger = make_ledger(make_node("a"), make_node("b"))
    ledger.apply(make_hold("a1", make_share(7, 400, node="mixed/b")))
    assert slots(found(ledger, ask(shape=HALF_A_DEVICE))) == [("b", (7,))]


def test_the_memory_of_a_device_limits_its_shares() -> None:
    most = make_shape(cpu_milli=0, memory_mib=0, share_milli=100, share_memory_mib=30_000)
    ledger = make_ledger(make_node(devices={"h100": 2}))
    assert [held[1] for held in slots(found(ledger, ask(4, shape=most)))] == [(0,), (0,), (1,), (1,)]
    assert find(ledger, ask(5, shape=most)) is None
    ledger.apply(make_hold("a1", make_share(0, 100, 60_000)))
    assert [held[1] for held in slots(found(ledger, ask(2, shape=most)))] == [(1,), (1,)]
    assert find(ledger, ask(3, shape=most)) is None


def test_a_gang_of_shares_fills_one_node_and_then_one_domain() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 1}, rack="r1"),
        make_node("b", {"h100": 2}, rack="r2"),
        make_node("c", {"h100": 1}, rack="r2"),
    )
    assert seats_of(ledger, ask(2, shape=HALF_A_DEVICE)) == {"a": 2}
    assert seats_of(ledger, ask(4, shape=HALF_A_DEVICE)) == {"b": 4}
    in_one_rack = found(ledger, ask(5, shape=HALF_A_DEVICE, closeness=Closeness(RACK)))
    assert seats(in_one_rack) == {"b": 4, "c": 1} or seats(in_one_rack) == {"c": 2, "b": 3}
    assert find(ledger, ask(7, shape=HALF_A_DEVICE, closeness=Closeness(RACK))) is None
    assert sum((seats_of(ledger, ask(8, shape=HALF_A_DEVICE)) or {}).values()) == 8


def test_shares_never_add_up_to_more_than_a_device() -> None:
    ledger = make_ledger(make_node(devices={"h100": 2}))
    third = make_shape(cpu_milli=0, memory_mib=0, share_milli=400)
    place_found = take(ledger, ask(4, shape=third))
    assert sorted(held[1] for held in slots(place_found)) == [(0,), (0,), (1,), (1,)]
    assert find(ledger, ask(1, shape=third)) is None


def test_a_whole_device_is_never_one_that_somebody_shares() -> None:
    ledger = make_ledger(make_node(devices={"h100": 2}))
    ledger.apply(make_hold("a1", make_share(0, 100)))
    assert slots(found(ledger, ask(1))) == [("n1", (1,))]
    assert find(ledger, ask(2)) is None


def test_a_placer_sees_at_once_what_changes_in_the_ledger() -> None:
    ledger = make_ledger()
    placer, request = Placer(ledger), ask(8)
    assert place(placer, request, request.options[0]) is None
    ledger.apply(PutNode(make_node()))
    assert place(placer, request, request.options[0]) is not None
    release = ledger.apply(make_hold("a1", make_allocation((0,))))
    assert place(placer, request, request.options[0]) is None
    ledger.apply(release)
    assert place(placer, request, request.options[0]) is not None


def test_a_placer_that_expects_other_jobs_places_anew() -> None:
    ledger = make_ledger(make_node("a", {"h100": 3}, cpu_milli=8_000), make_node("b", {"h100": 2}, cpu_milli=8_000))
    placer, request = Placer(ledger), ask(1, shape=ONE_DEVICE)
    assert seats(place(placer, request, request.options[0])) == {"b": 1}
    placer.expect(mix_of({WorkerKind(0, 1_000, 2, ()): 1}))
    assert seats(place(placer, request, request.options[0])) == {"a": 1}, "b is kept whole for workers of two devices"


@pytest.mark.parametrize("device", range(4))
def test_a_placer_that_draws_may_take_any_device_with_room_for_a_share(device: int) -> None:
    ledger = make_ledger(make_node("a", {"h100": 5}))
    for slot, milli in enumerate((100, 900, 300)):
        ledger.apply(make_hold(f"a{slot}", make_share(slot, milli, node="mixed/a")))
    placer, request = Placer(ledger, draw=lambda below: device if below == 4 else 0), ask(1, shape=HALF_A_DEVICE)
    place_found = place(placer, request, request.options[0])
    assert place_found is not None
    assert slots(place_found) == [("a", ((2,), (0,), (3,), (3,))[device])], "of alike ones it is the lowest"


def test_a_placer_that_draws_may_take_any_node_with_room() -> None:
    nodes: list[Node] = [make_node(name) for name in "abc"]
    ledger = make_ledger(*nodes, make_node("d", {"mlu": 1}))
    request = ask(1)
    for number, name in enumerate("abc"):
        placer = Placer(ledger, draw=lambda below, number=number: number if below == 3 else 0)  # type: ignore[misc]
        assert seats(place(placer, request, request.options[0])) == {name: 1}
