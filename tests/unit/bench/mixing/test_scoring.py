"""How far predictions are from what was measured."""

import pytest

from bench.mixing.measured.scoring import best_fit, left_out, mape_percent, regret_percent, spearman


def test_errors_count_in_percent_of_what_was_measured_to_either_side() -> None:
    assert mape_percent([90, 220], [100, 200]) == pytest.approx(10)


def test_regret_is_what_the_choice_lost_against_the_best() -> None:
    assert regret_percent([3.0, 1.0, 2.0], [10.0, 12.0, 11.0]) == pytest.approx(20)
    assert regret_percent([1.0, 3.0], [10.0, 12.0]) == 0


def test_ranks_agree_disagree_or_are_shared() -> None:
    assert spearman([1, 2, 3], [10, 20, 30]) == pytest.approx(1)
    assert spearman([1, 2, 3], [30, 20, 10]) == pytest.approx(-1)
    assert spearman([1, 1, 2, 3], [1, 2, 3, 4]) == pytest.approx(0.9487, abs=1e-4)


def test_the_setting_with_the_least_error_fits_best() -> None:
    assert best_fit([[1.0, 1.0], [2.0, 3.0], [9.0, 9.0]], [2.0, 2.0]) == 1


def test_a_run_has_no_say_in_the_setting_that_it_is_predicted_by() -> None:
    """The first run alone would choose the second setting; the two others choose the first one."""
    by_setting = [[9.0, 2.0, 2.0], [1.0, 4.0, 4.0]]
    measured = [1.0, 2.0, 2.0]
    assert left_out(by_setting, measured)[0] == 9.0
