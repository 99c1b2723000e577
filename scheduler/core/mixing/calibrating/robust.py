"""Least squares that a few wrong measurements do not bend."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS = 60
_TUKEY = 4.685
"""Of the scale: what is further away does not count. As sharp as plain least squares to 95 % where nothing is wrong."""
_MAD_TO_SIGMA = 1.4826
LEAST_SCALE = 0.02
"""Of what is fitted: times that agree better than to 2 % are no reason to call the next one wrong."""
_TINY = 1e-6
_SETTLED = 1e-6
"""Rounds that change less than this part are the last."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What was fitted."""

    coefficients: Floats
    """One per column."""
    trusted: NDArray[np.bool_]
    """One per row: it is no outlier."""


def robust_fit(rows: Floats, values: Floats) -> Fit:
    """Return coefficients x with `rows @ x` near `values`, after iteratively reweighted least squares.

    `rows` is (n, c) of rank c; `values` is (n,) and finite. It begins at least absolute deviations, which half of the
    rows cannot bend but by their leverage, and ends with Tukey's biweight (Beaton and Tukey, Technometrics 1974;
    Holland and Welsch 1977), whose scale is the median absolute deviation, not below LEAST_SCALE of the median value.
    """
    size = float(np.median(np.abs(values))) or float(np.max(np.abs(values))) or 1.0
    values = values / size  # no unit is so small or large that squares of it are lost
    x = _solved(rows, values, np.ones(len(values)))
    for _ in range(_ROUNDS):
        before, x = x, _solved(rows, values, 1.0 / np.maximum(np.abs(values - rows @ x), _TINY))
        if np.allclose(before, x, rtol=_SETTLED, atol=0.0):
            break
    cut = _TUKEY * LEAST_SCALE
    for _ in range(_ROUNDS):
        distance = np.abs(values - rows @ x)
        cut = _TUKEY * max(_MAD_TO_SIGMA * _middle(distance, rows.shape[1]), LEAST_SCALE)
        weights = np.where(distance < cut, (1.0 - np.minimum(distance / cut, 1.0) ** 2) ** 2, 0.0)
        if np.linalg.matrix_rank(rows[weights > 0.0]) < rows.shape[1]:
            break
        before, x = x, _solved(rows, values, weights)
        if np.allclose(before, x, rtol=_SETTLED, atol=0.0):
            break
    return Fit(x * size, np.abs(values - rows @ x) < cut)


def _middle(distance: Floats, columns: int) -> float:
    """Return the lower median of the distances, without as many of the smallest as any fit makes nothing."""
    left = np.sort(distance)[columns:]
    return float(left[(len(left) - 1) // 2]) if len(left) else 0.0


def _solved(rows: Floats, values: Floats, weights: Floats) -> Floats:
    root = np.sqrt(weights)
    found = np.linalg.lstsq(rows * root[:, None], values * root, rcond=None)[0]
    return np.asarray(found, dtype=np.float64)
