"""Which devices are offered to a plan: those that are free, as pools of nodes that are alike."""

from dataclasses import replace
from typing import Any

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.mixing.chips import FreeChips
from scheduler.core.model.node import Cluster, DeviceGroup, ForeignUse, Node, NodeState
from scheduler.services.planning.offer import NETWORK_LABEL, offers_of
from tests.builders.api import chip_type, make_node


def a_node(name: str, chip: str = "h100-sxm", **changes: Any) -> Node:
    return replace(make_node(name, chip), **changes)


def used(chip: str, count: int) -> ForeignUse:
    return ForeignUse(devices=((chip, count),))


def a_state(*nodes: Node) -> SchedulerState:
    names = {node.cluster for node in nodes}
    return SchedulerState.from_parts(
        clusters=[Cluster(name, "local") for name in sorted(names)],
        nodes=nodes,
        jobs=(),
        groups=(),
        attempts=(),
        chips=[chip_type("h100-sxm"), chip_type("mi300x")],
    )


def offered(state: SchedulerState, tenant: str | None = "demo", **changes: Any) -> list[tuple[str, int, int]]:
    (offer,) = offers_of(state, tenant, **changes)
    return [(free.name, free.nodes, free.chips_per_node) for free in offer.free]


def test_nodes_that_are_alike_are_one_pool() -> None:
    state = a_state(a_node("a"), a_node("b"), a_node("c", "mi300x"))
    assert offered(state) == [("mixed/h100-sxm-81920-x8", 2, 8), ("mixed/mi300x-81920-x8", 1, 8)]
    assert offered(state, chips=("mi300x",)) == [("mixed/mi300x-81920-x8", 1, 8)]


def test_what_is_left_on_nodes_is_offered_in_powers_of_two() -> None:
    state = a_state(a_node("a"), a_node("b", foreign=used("h100-sxm", 2)), a_node("c", foreign=used("h100-sxm", 3)))
    name = "mixed/h100-sxm-81920-x8"
    assert offered(state) == [(name, 1, 8), (f"{name}/partly-free", 5, 2)]


def test_larger_parts_are_offered_as_long_as_most_of_what_is_free_is_used() -> None:
    (four,) = offered(a_state(*(a_node(f"n{i}", foreign=used("h100-sxm", 3)) for i in range(4))))
    assert four == ("mixed/h100-sxm-81920-x8/partly-free", 4, 4)
    (one,) = offered(a_state(*(a_node(f"n{i}", foreign=used("h100-sxm", 5)) for i in range(4))))
    assert one[1:] == (12, 1)


def test_with_what_is_held_all_devices_count() -> None:
    state = a_state(a_node("a"), a_node("b"))
    assert offered(state, counts_held=True) == [("mixed/h100-sxm-81920-x8", 2, 8)]


def test_nodes_that_take_no_work_or_are_somebody_elses_are_not_offered() -> None:
    state = a_state(
        a_node("a"),
        a_node("b", state=NodeState.DRAINED),
        a_node("c", tenant="beta"),
        a_node("d", foreign=used("h100-sxm", 8)),
    )
    assert offered(state) == [("mixed/h100-sxm-81920-x8", 1, 8)]
    assert offered(state, "beta") == [("mixed/h100-sxm-81920-x8", 2, 8)]
    assert offered(state, None) == [("mixed/h100-sxm-81920-x8", 1, 8)]


def test_no_plan_is_spread_over_clusters() -> None:
    state = a_state(a_node("a"), a_node("b", cluster="east"))
    assert [offer.cluster for offer in offers_of(state, "demo")] == ["east", "mixed"]
    assert [offer.cluster for offer in offers_of(state, "demo", cluster="east")] == ["east"]
    assert offers_of(state, "demo", cluster="west") == []


def test_a_network_of_its_own_makes_a_pool_of_its_own() -> None:
    state = a_state(
        a_node("a"), a_node("b", labels=((NETWORK_LABEL, "400"),)), a_node("c", labels=((NETWORK_LABEL, "x"),))
    )
    (offer,) = offers_of(state, "demo")
    links = {free.name: free.node_link_bytes_per_s for free in offer.free}
    assert links == {"mixed/h100-sxm-81920-x8": None, "mixed/h100-sxm-81920-x8/400-gbit-s": 50e9}


def test_chips_that_the_catalogue_does_not_have_are_left_out() -> None:
    strange = a_node("a", devices=(DeviceGroup("strange", 8, 1024),))
    assert [type(free) for offer in offers_of(a_state(strange, a_node("b")), "demo") for free in offer.free] == [
        FreeChips
    ]
