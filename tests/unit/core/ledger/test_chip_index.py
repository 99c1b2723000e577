from scheduler.core.ledger.chip_index import ChipIndex
from scheduler.core.model.node import NodeState
from tests.builders.core import make_node


def test_nodes_come_with_the_fewest_free_devices_first_and_then_by_id() -> None:
    index = ChipIndex()
    for name, free in (("c", 4), ("b", 8), ("a", 8), ("d", 1)):
        index.add(make_node(name), free)
    assert list(index.with_free(2)) == [("mixed/c", 4), ("mixed/a", 8), ("mixed/b", 8)]


def test_a_drained_node_is_counted_apart_and_not_offered() -> None:
    index = ChipIndex()
    index.add(make_node("a"), 3)
    index.add(make_node("b", state=NodeState.DRAINED), 5)
    assert (index.devices_free, index.devices_drained) == (3, 5)
    assert list(index.with_free(0)) == [("mixed/a", 3)]
    assert index.nodes == ["mixed/a", "mixed/b"]


def test_what_is_taken_out_leaves_nothing_behind() -> None:
    index = ChipIndex()
    nodes = [make_node("a"), make_node("b", state=NodeState.DRAINED)]
    for node in nodes:
        index.add(node, 5)
    for node in nodes:
        index.remove(node, 5)
    assert (index.nodes, index.devices_free, index.devices_drained) == ([], 0, 0)
    assert list(index.with_free(0)) == []
