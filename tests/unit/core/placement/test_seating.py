from scheduler.core.model.node import Node
from scheduler.core.placement.room import ClusterRoom, Survey
from scheduler.core.placement.seating import Seating, Unseated, find_unseated, seat_gang
from tests.builders.core import make_ledger, make_node, make_shape

ONE = make_shape(1, cpu_milli=1_000)


def room_of(*nodes: Node, chips: tuple[str, ...] = ("h100", "mlu")) -> ClusterRoom:
    return Survey(make_ledger(*nodes)).now("mixed", chips, ONE)


def test_each_chip_type_sits_in_its_own_tightest_domain() -> None:
    room = room_of(make_node("a", {"h100": 8}), make_node("b", {"h100": 4}), make_node("c", {"mlu": 2}))
    assert seat_gang(room, {"h100": 4, "mlu": 1}) == Seating({"h100": {"mixed/b": 4}, "mlu": {"mixed/c": 1}})


def test_workers_of_two_chip_types_share_the_cpu_of_one_node() -> None:
    room = room_of(make_node("a", {"h100": 2, "mlu": 2}, cpu_milli=3_000))
    assert isinstance(seat_gang(room, {"h100": 2, "mlu": 1}), Seating)
    assert seat_gang(room, {"h100": 2, "mlu": 2}) == Unseated({"mlu": 1})


def test_a_chip_type_makes_room_for_another_that_can_sit_nowhere_else() -> None:
    shared = make_node("a", {"h100": 1, "mlu": 1}, cpu_milli=1_000)
    room = room_of(shared, make_node("b", {"h100": 4}))
    want = Seating({"h100": {"mixed/b": 1}, "mlu": {"mixed/a": 1}})
    assert seat_gang(room, {"h100": 1, "mlu": 1}) == want


def test_room_is_made_along_a_row_of_chip_types() -> None:
    chips = ("a", "b", "c")
    room = room_of(
        make_node("n1", {"a": 1, "b": 1}, cpu_milli=1_000),
        make_node("n2", {"b": 1, "c": 1}, cpu_milli=1_000),
        make_node("n3", {"a": 9}),
        chips=chips,
    )
    want = Seating({"a": {"mixed/n3": 1}, "b": {"mixed/n1": 1}, "c": {"mixed/n2": 1}})
    assert seat_gang(room, {"a": 1, "b": 1, "c": 1}) == want


def test_no_more_is_reseated_than_the_new_seats_take() -> None:
    room = room_of(
        make_node("a", {"h100": 3, "mlu": 3}, cpu_milli=3_000),
        make_node("b", {"h100": 1}),
        make_node("c", {"h100": 2}),
    )
    found = seat_gang(room, {"h100": 3, "mlu": 3})
    assert found == Seating({"h100": {"mixed/b": 1, "mixed/c": 2}, "mlu": {"mixed/a": 3}})


def test_chip_types_that_lack_room_on_their_own_are_named_with_what_fits() -> None:
    room = room_of(make_node("a", {"h100": 3, "mlu": 1}))
    assert seat_gang(room, {"h100": 5, "mlu": 1}) == Unseated({"h100": 3})


def test_who_is_short_is_told_alike_with_and_without_a_seating() -> None:
    room = room_of(make_node("a", {"h100": 2, "mlu": 2}, cpu_milli=3_000))
    assert find_unseated(room, {"h100": 3}) == Unseated({"h100": 2})
    assert find_unseated(room, {"h100": 2}) is None
    assert find_unseated(room, {"h100": 2, "mlu": 1}) is None
    assert find_unseated(room, {"h100": 2, "mlu": 2}) == Unseated({"mlu": 1})
