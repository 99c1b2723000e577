from scheduler.core.placement.domain import Seat, seat_workers


def seat(node: str, workers: int, *, rack: str | None = None, devices: int | None = None) -> Seat:
    return Seat(node, rack, workers, workers if devices is None else devices)


def test_one_node_is_preferred_to_a_tighter_rack() -> None:
    seats = [seat("a", 2, rack="r1"), seat("b", 2, rack="r1"), seat("c", 8, rack="r2")]
    assert seat_workers(seats, 4) == {"c": 4}


def test_the_tightest_node_takes_the_gang() -> None:
    assert seat_workers([seat("a", 8), seat("b", 4), seat("c", 5)], 4) == {"b": 4}


def test_a_tie_ends_in_the_name() -> None:
    assert seat_workers([seat("a", 4), seat("b", 4)], 4) == {"a": 4}


def test_of_two_nodes_with_equal_room_the_one_with_fewer_free_devices_is_tighter() -> None:
    assert seat_workers([seat("a", 2, devices=8), seat("b", 2, devices=6)], 2) == {"b": 2}


def test_one_rack_is_preferred_to_the_cluster_and_the_tightest_rack_wins() -> None:
    seats = [seat("a", 4, rack="r1"), seat("b", 4, rack="r1"), seat("c", 4, rack="r2"), seat("d", 3, rack="r2")]
    assert seat_workers(seats, 6) == {"c": 4, "d": 2}


def test_a_node_that_names_no_rack_is_in_none() -> None:
    seats = [seat("a", 4), seat("b", 4), seat("c", 4, rack="r1"), seat("d", 4, rack="r1")]
    assert set(seat_workers(seats, 8)) == {"c", "d"}


def test_the_whole_cluster_is_used_where_no_rack_suffices() -> None:
    seats = [seat("a", 4, rack="r1"), seat("b", 4, rack="r2")]
    assert seat_workers(seats, 8) == {"a": 4, "b": 4}


def test_inside_a_domain_the_roomiest_are_filled_and_the_tightest_takes_the_rest() -> None:
    seats = [seat("a", 8), seat("b", 3), seat("c", 2), seat("d", 8)]
    assert seat_workers(seats, 18) == {"a": 8, "d": 8, "c": 2}


def test_where_there_is_too_little_room_all_of_it_is_used() -> None:
    assert seat_workers([seat("a", 1), seat("b", 2)], 9) == {"a": 1, "b": 2}
    assert seat_workers([], 1) == {}
