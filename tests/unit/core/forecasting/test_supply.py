from scheduler.core.forecasting.supply import MOST_GAPS, Supply


def busy(free: int, *ends: tuple[float, int]) -> Supply:
    """Return a supply of which so much is free, and so much comes back at some times."""
    supply = Supply(free)
    for at_s, amount in ends:
        supply.give_back(amount, at_s, 0, runs_now=True)
    return supply


def waited(supply: Supply, need: int, scattered: int = 0, *, at_least_one: bool = False) -> tuple[float, int]:
    supply.wait_for(need, scattered, at_least_one=at_least_one)
    return supply.at_s, supply.free


def test_what_is_free_is_there_at_once_and_more_as_it_comes_back() -> None:
    supply = busy(2, (10, 3), (20, 4))
    assert waited(supply, 2) == (0, 2)
    assert waited(supply, 4) == (10, 5)
    assert waited(supply, 9) == (20, 9)
    assert supply.reach == 9


def test_what_somebody_took_comes_back_when_it_has_run() -> None:
    supply = busy(4)
    supply.take(4, 0, 30, 2)
    assert waited(supply, 1) == (30, 4)
    assert (supply.rank, supply.reach) == (2, 4)


def test_what_somebody_keeps_for_ever_never_comes_back() -> None:
    supply = busy(4)
    supply.take(3, 0, None, 0)
    assert supply.reach == 1


def test_what_lies_in_pieces_is_of_no_use_until_what_runs_now_has_ended() -> None:
    supply = busy(4, (10, 2), (20, 2))
    assert waited(supply, 4, scattered=4) == (10, 6)
    assert waited(supply, 8, scattered=4) == (20, 8)


def test_where_what_is_free_does_not_do_something_has_to_end_first() -> None:
    assert waited(busy(4, (10, 1)), 1, at_least_one=True) == (10, 5)
    assert waited(busy(4), 1, at_least_one=True) == (0, 4)


def test_what_stands_idle_while_somebody_gathers_more_is_for_those_who_fit_in_meanwhile() -> None:
    supply = busy(2, (60, 6))
    supply.wait_for(8)
    assert supply.fit_in_gap(2, 61) is None
    assert supply.fit_in_gap(3, 10) is None
    assert supply.fit_in_gap(1, 60, not_now=True) is None
    assert supply.fit_in_gap(2, 60) == (0, -1)
    assert supply.fit_in_gap(1, 10) is None, "it is taken"


def test_gaps_are_forgotten_oldest_first() -> None:
    supply = busy(1, *((float(number), 1) for number in range(1, 3 * MOST_GAPS)))
    for need in range(2, 2 * MOST_GAPS):
        supply.wait_for(need)
    assert len(supply.gaps) == MOST_GAPS


def test_about_when_there_is_enough_is_told_from_how_much_comes_back_by_when() -> None:
    supply = busy(2, (100, 8))
    assert (supply.about_s(2), supply.about_s(6), supply.about_s(10)) == (0, 50, 100)


def test_what_is_withdrawn_is_for_nobody_until_it_is_given_back() -> None:
    supply = busy(4)
    supply.withdraw(3)
    supply.give_back(3, 50, 0)
    assert waited(supply, 2) == (50, 4)
