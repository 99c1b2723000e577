from scheduler.core.ledger.index.inventory import Inventory
from scheduler.core.ledger.states.amounts import amounts_of
from scheduler.core.ledger.states.leftover import Left, Leftover, left_when_empty
from scheduler.core.model.node import ForeignUse, Node
from tests.builders.core import make_node

NODE = make_node(devices={"h100": 4, "mlu": 2}, cpu_milli=8_000, memory_mib=9_000, pods=10)


def left_of(node: Node) -> Left:
    return left_when_empty(Inventory().kind(node))


def test_an_empty_node_has_all_of_itself_left_but_what_others_use() -> None:
    left = left_of(NODE)
    assert (left.free, left.shared, left.cpu_milli, left.memory_mib, left.pods) == ((4, 2), (), 8_000, 9_000, 10)
    foreign = ForeignUse(devices=(("mlu", 1),), cpu_milli=500, memory_mib=100, pods=3)
    left = left_of(
        make_node(devices={"h100": 4, "mlu": 2}, cpu_milli=8_000, memory_mib=9_000, pods=10, foreign=foreign)
    )
    assert (left.free, left.cpu_milli, left.memory_mib, left.pods) == ((4, 1), 7_500, 8_900, 7)


def test_what_is_taken_is_left_no_more_and_comes_back_whole() -> None:
    left = left_of(NODE)
    amounts = amounts_of("mlu", 2, 1_000, 64, 3)
    taken = left.plus(amounts, -1)
    assert (taken.free, taken.cpu_milli, taken.memory_mib, taken.pods) == ((4, 0), 7_000, 8_936, 7)
    assert taken.plus(amounts, 1) == left


def test_what_needs_no_device_leaves_all_devices() -> None:
    assert left_of(NODE).plus(amounts_of(None, 0, 1_000, 64, 1), -1).free == (4, 2)


def test_devices_of_a_type_that_the_node_no_longer_has_are_no_devices_of_it() -> None:
    taken = left_of(NODE).plus(amounts_of("a800", 3, 1_000, 64, 1), -1)
    assert (taken.free, taken.cpu_milli, taken.pods) == ((4, 2), 7_000, 9)


def test_the_first_share_opens_a_device_and_the_next_one_may_use_what_is_left_of_it() -> None:
    share = amounts_of("h100", 0, 1_000, 64, 1, 300, 20_000)
    first = left_of(NODE).share_taken(share, 0, None)
    assert (first.free, first.shared) == ((3, 2), ((0, 700, 61_920),))
    second = first.share_taken(share, 0, first.shared[0])
    assert (second.free, second.shared) == ((3, 2), ((0, 400, 41_920),))
    assert (second.cpu_milli, second.memory_mib, second.pods) == (6_000, 8_872, 8)


def test_shared_devices_are_in_order_so_that_equal_states_are_equal() -> None:
    small, large = amounts_of("h100", 0, 0, 0, 1, 300, 0), amounts_of("h100", 0, 0, 0, 1, 600, 0)
    left = left_of(NODE)
    assert left.share_taken(small, 0, None).share_taken(large, 0, None) == left.share_taken(large, 0, None).share_taken(
        small, 0, None
    )


def leftover_of(node: Node, taken: int = 0) -> Leftover:
    inventory = Inventory()
    left = inventory.kind(node).empty.left
    return inventory.leftover(left.plus(amounts_of("h100", taken, 0, 0, taken), -1))


def test_a_node_is_untouched_where_nobody_holds_anything_and_nothing_foreign_runs() -> None:
    assert leftover_of(NODE).is_untouched
    assert not leftover_of(NODE, taken=1).is_untouched
    for foreign in (ForeignUse(pods=1), ForeignUse(devices=(("h100", 1),))):
        assert not leftover_of(make_node(foreign=foreign)).is_untouched
