"""How far predictions are from what was measured."""

from collections.abc import Sequence
from statistics import fmean


def off_percent(predicted: float, measured: float) -> float:
    """Return by how much a prediction is off, in percent of what was measured."""
    return 100 * abs(predicted - measured) / measured


def mape_percent(predicted: Sequence[float], measured: Sequence[float]) -> float:
    """Return the mean of that (MAPE)."""
    return fmean(map(off_percent, predicted, measured))


def regret_percent(predicted: Sequence[float], measured: Sequence[float]) -> float:
    """Return by how much what is predicted to be best was measured to be worse than the best, in percent."""
    chosen = min(range(len(predicted)), key=predicted.__getitem__)
    return 100 * (measured[chosen] / min(measured) - 1)


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Spearman's rank correlation; equals have the mean of their ranks."""
    ranks, others = _ranks(first), _ranks(second)
    middle = (len(first) - 1) / 2
    together = sum((a - middle) * (b - middle) for a, b in zip(ranks, others, strict=True))
    apart = sum((a - middle) ** 2 for a in ranks) * sum((b - middle) ** 2 for b in others)
    return float(together / apart**0.5)


def best_fit(predicted: Sequence[Sequence[float]], measured: Sequence[float]) -> int:
    """Return which setting has the least mean error; the first of equals. One row of predictions for each setting."""
    return min(range(len(predicted)), key=lambda setting: mape_percent(predicted[setting], measured))


def left_out(predicted: Sequence[Sequence[float]], measured: Sequence[float]) -> list[float]:
    """Return for each run its prediction by the setting that fits all other runs best."""
    found = []
    for number in range(len(measured)):
        others = [_without(row, number) for row in predicted]
        found.append(predicted[best_fit(others, _without(measured, number))][number])
    return found


def _without(row: Sequence[float], number: int) -> list[float]:
    return [*row[:number], *row[number + 1 :]]


def _ranks(values: Sequence[float]) -> list[float]:
    return [sum(other < one for other in values) + (sum(other == one for other in values) - 1) / 2 for one in values]
