"""What all replays together say."""

import pytest

from bench.replay.figures import Outcome, judged
from bench.replay.rows import BEST_FIT, FGD, LEARNT, OURS, RANDOM
from bench.report import Limit

ROWS = {RANDOM: 86.0, BEST_FIT: 92.0, FGD: 95.0, OURS: 95.5, LEARNT: 95.4}
PUBLISHED = {
    ("default", row, column): mean
    for row, mean in ((RANDOM, 86.2), (BEST_FIT, 92.5), (FGD, 95.3))
    for column in (95, 100, 130)
}


def outcomes(variant: str = "default") -> list[Outcome]:
    """Return two seeds per row, half a point apart, with 1 point more at 130 % than at 100 %."""
    return [
        Outcome(variant, row, seed, (mean + off, mean + off + 1), 500.0, 50.0)
        for row, mean in ROWS.items()
        for seed, off in ((42, -0.25), (43, 0.25))
    ]


def test_each_row_has_its_mean_its_deviation_and_every_seed() -> None:
    figures = judged(outcomes(), {}).figures
    assert figures["default_ours_100"] == 95.5
    assert figures["default_ours_130_sd"] == pytest.approx(0.3536, abs=1e-4)
    assert (figures["default_ours_100_seed_42"], figures["default_ours_100_seed_43"]) == (95.25, 95.75)
    assert (figures["ours_decision_us"], figures["ours_decision_units"]) == (500.0, 10_000.0)


def test_the_margin_is_over_the_better_one_of_published_and_own_fgd() -> None:
    figures = judged(outcomes(), PUBLISHED).figures
    assert figures["default_ours_minus_fgd_100"] == pytest.approx(95.5 - 95.3)
    assert figures["default_ours_minus_fgd_130"] == pytest.approx(96.5 - 96.0)
    assert figures["ours_minus_fgd_min_points"] == pytest.approx(0.2)
    assert figures["learnt_minus_fgd_min_points"] == pytest.approx(0.1)


def test_how_far_own_rows_are_from_the_published_ones_is_held_to_limits() -> None:
    found = judged(outcomes(), PUBLISHED)
    assert found.figures["random_off_published_max_points"] == pytest.approx(0.8)
    assert found.calibrators["default_published_fgd_100"] == 95.3
    assert found.required == (
        Limit("random_off_published_max_points", "<=", 0.5),
        Limit("best_fit_off_published_max_points", "<=", 0.5),
        Limit("fgd_off_published_max_points", "<=", 0.7),
        Limit("ours_minus_fgd_min_points", ">=", 0.0),
    )
    assert found.goals == (Limit("ours_minus_fgd_min_points", ">=", 0.3),)


def test_a_list_of_which_nothing_was_published_is_held_to_nothing() -> None:
    found = judged(outcomes("mine"), PUBLISHED)
    assert (found.goals, found.required) == ((), ())
    assert list(found.calibrators) == ["unit_cpu_ns"]
    assert found.figures["ours_minus_fgd_min_points"] == pytest.approx(0.5)
