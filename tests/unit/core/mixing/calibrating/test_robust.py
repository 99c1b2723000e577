"""Least squares that a few wrong measurements do not bend."""

import numpy as np

from scheduler.core.mixing.calibrating.robust import robust_fit


def test_what_is_exact_is_found_exactly() -> None:
    rows = np.array([[1.0, 0.1], [1.0, 0.0], [1.0, 0.05]])
    fit = robust_fit(rows, rows @ np.array([2.0, 3.0]))
    assert np.allclose(fit.coefficients, [2.0, 3.0])
    assert fit.trusted.all()


def test_wrong_rows_bend_nothing_and_are_named() -> None:
    random = np.random.default_rng(5)
    rows = np.column_stack([np.ones(40), random.integers(0, 2, 40) / 10])
    values = rows @ np.array([2.0, 3.0]) * random.normal(1.0, 0.01, 40)
    wrong = np.zeros(40, dtype=np.bool_)
    wrong[[3, 11, 17, 29]] = True
    values[wrong] *= [3.0, 0.2, 10.0, 2.0]
    fit = robust_fit(rows, values)
    assert np.allclose(fit.coefficients, [2.0, 3.0], rtol=0.05)
    assert (fit.trusted == ~wrong).all()


def test_two_that_disagree_are_both_heard() -> None:
    fit = robust_fit(np.ones((2, 1)), np.array([1.0, 3.0]))
    assert 1.0 <= fit.coefficients[0] <= 3.0
    assert fit.trusted.all()


def test_the_unit_of_the_values_says_nothing() -> None:
    rows = np.array([[1.0], [1.0], [1.0], [1.0], [1.0]])
    values = np.array([1.0, 1.01, 0.99, 1.02, 5.0])
    whole, small = robust_fit(rows, values), robust_fit(rows, values * 1e-6)
    assert np.allclose(whole.coefficients * 1e-6, small.coefficients)
    assert (whole.trusted == small.trusted).all()
    assert not whole.trusted[4]
