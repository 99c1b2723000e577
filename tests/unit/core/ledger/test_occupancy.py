import pytest

from scheduler.core.ledger.changes import Overcommitted
from scheduler.core.ledger.occupancy import Occupancy, Spare
from tests.builders.core import make_allocation, make_node


def test_an_empty_node_has_all_of_itself_free() -> None:
    occupancy = Occupancy(make_node(devices={"h100": 2, "mlu": 1}, cpu_milli=5_000, memory_mib=9, pods=3))
    assert occupancy.free_slots("h100") == (0, 1)
    assert occupancy.free_slots("mlu") == (2,)
    assert occupancy.free_slots("a100") == ()
    assert occupancy.spare() == Spare(5_000, 9, 3)
    assert not occupancy.is_held


def test_what_is_taken_is_no_longer_free_until_it_is_given_back() -> None:
    occupancy = Occupancy(make_node(devices={"h100": 4}, cpu_milli=5_000, memory_mib=9_000, pods=3))
    held = [make_allocation((0, 2))]
    occupancy.take("a1", held)
    assert occupancy.free_slots("h100") == (1, 3)
    assert occupancy.spare() == Spare(4_000, 9_000 - 1_024, 2)
    occupancy.give_back(held)
    assert occupancy.free_slots("h100") == (0, 1, 2, 3)
    assert not occupancy.is_held


def test_a_node_that_shrank_under_what_it_runs_has_nothing_free_and_never_less() -> None:
    occupancy = Occupancy(make_node(devices={"h100": 8}))
    occupancy.take("a1", [make_allocation((4, 5, 6, 7))])
    occupancy.replace_node(make_node(devices={"h100": 4}, cpu_milli=1, memory_mib=1, pods=0))
    assert occupancy.free_slots("h100") == ()
    assert occupancy.spare() == Spare(0, 0, 0)


def test_a_node_that_shrank_a_little_offers_what_its_count_allows() -> None:
    occupancy = Occupancy(make_node(devices={"h100": 8}))
    occupancy.take("a1", [make_allocation((6, 7))])
    occupancy.replace_node(make_node(devices={"h100": 6}))
    assert occupancy.free_slots("h100") == (0, 1, 2, 3)


def test_a_slot_of_another_chip_type_is_refused() -> None:
    occupancy = Occupancy(make_node(devices={"h100": 1, "mlu": 1}))
    with pytest.raises(Overcommitted, match="slots"):
        occupancy.check_room([make_allocation((1,), chip="h100")])


def test_a_slot_named_twice_is_refused() -> None:
    with pytest.raises(Overcommitted, match="slots"):
        Occupancy(make_node()).check_slots([make_allocation((3,)), make_allocation((3,))])
