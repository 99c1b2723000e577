from scheduler.core.model.node import (
    KUBERNETES_KIND,
    LOCAL_KIND,
    NO_FOREIGN_USE,
    TAKES_WORK,
    Cluster,
    ForeignUse,
    NodeState,
    Pool,
)
from tests.builders.core import make_node


def test_slots_are_numbered_through_the_device_groups() -> None:
    node = make_node(devices={"h100": 4, "a100": 2, "mlu": 1})
    assert [list(node.slots(chip)) for chip in ("h100", "a100", "mlu")] == [[0, 1, 2, 3], [4, 5], [6]]


def test_a_node_has_no_slots_of_a_chip_it_lacks() -> None:
    assert list(make_node(devices={"h100": 4}).slots("mlu")) == []


def test_a_node_is_named_by_cluster_and_name() -> None:
    assert make_node("n7", cluster="east").id == "east/n7"


def test_only_ready_and_degraded_nodes_take_work() -> None:
    assert {state for state in NodeState if state in TAKES_WORK} == {NodeState.READY, NodeState.DEGRADED}


def test_foreign_devices_are_added_up_per_chip_type() -> None:
    foreign = ForeignUse(devices=(("h100", 2), ("mlu", 1), ("h100", 3)))
    assert [foreign.devices_of(chip) for chip in ("h100", "mlu", "a800")] == [5, 1, 0]
    assert NO_FOREIGN_USE.devices_of("h100") == 0


def test_what_a_pool_has_free_is_neither_held_nor_drained_nor_in_foreign_hands() -> None:
    pool = Pool("mixed", "h100", 81_920, 8, nodes=3, devices=24, devices_held=10, devices_drained=6, devices_foreign=3)
    assert pool.devices_free == 5
    assert pool.name == "mixed/h100-81920-x8"


def test_only_a_local_cluster_has_its_nodes_written_down() -> None:
    kinds = [kind for kind in (LOCAL_KIND, KUBERNETES_KIND) if Cluster("mixed", kind).declares_its_nodes]
    assert kinds == [LOCAL_KIND]
