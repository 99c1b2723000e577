"""Allocation at an arrived load."""

from bench.replay.curve import allocated_percent


def test_a_column_is_the_mean_over_all_arrivals_whose_load_rounds_to_it() -> None:
    arrived, held = [99_400, 99_600, 100_400, 100_600], [90_000, 91_000, 92_000, 93_000]
    assert allocated_percent(arrived, held, 100_000, 100) == 91.5


def test_every_allocation_is_cut_to_hundredths_of_a_percent_first() -> None:
    assert allocated_percent([100_000, 100_000], [33_333, 33_338], 100_000, 100) == (33.33 + 33.34) / 2


def test_where_no_load_rounds_to_it_the_last_one_before_counts() -> None:
    assert allocated_percent([50_000, 99_000, 140_000], [50_000, 80_000, 90_000], 100_000, 130) == 80.0
    assert allocated_percent([140_000], [90_000], 100_000, 130) == 0.0
