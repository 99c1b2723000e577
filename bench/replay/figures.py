"""What all replays together say, beside what was published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from bench.replay.curve import COLUMNS
from bench.replay.rows import BEST_FIT, FGD, LEARNT, OURS, RANDOM
from bench.report import Limit, Measurement

MOST_OFF_POINTS = {RANDOM: 0.5, BEST_FIT: 0.5, FGD: 0.7}
"""So far our own Random, BestFit and FGD may be from the published ones, in percent of all devices."""
GOAL_POINTS = 0.3
"""So much more than FGD our scoring is to allocate."""

Published = Mapping[tuple[str, str, int], float]
"""Means by variant, row and column."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one replay of a variant by a row came to."""

    variant: str
    row: str
    seed: int
    allocated: tuple[float, ...]
    """In percent, per column."""
    decision_us: float
    """Processor time of one decision, the mean over all."""
    unit_cpu_ns: float
    """Of the calibrator's loop right after it."""


def judged(outcomes: Sequence[Outcome], published: Published) -> Measurement:
    """Return the figures of all outcomes; limits are set only where a variant of theirs was published."""
    variants = list(dict.fromkeys(one.variant for one in outcomes))
    published = {key: mean for key, mean in published.items() if key[0] in variants and key[2] in COLUMNS}
    means = _means(outcomes)
    summary = _margins(variants, means, published) | _off(means, published) | _times(outcomes)
    calibrators = {f"{variant}_published_{row}_{column}": mean for (variant, row, column), mean in published.items()}
    calibrators["unit_cpu_ns"] = median(one.unit_cpu_ns for one in outcomes)
    is_published = bool(published)
    least = "ours_minus_fgd_min_points"
    return Measurement(
        figures=summary | _per_variant(outcomes),
        calibrators=calibrators,
        goals=(Limit(least, ">=", GOAL_POINTS),) if is_published else (),
        required=(
            *(Limit(_off_name(row), "<=", most) for row, most in MOST_OFF_POINTS.items()),
            Limit(least, ">=", 0.0),
        )
        if is_published
        else (),
    )


def _means(outcomes: Sequence[Outcome]) -> dict[tuple[str, str, int], float]:
    return {key: fmean(values.values()) for key, values in _by_column(outcomes).items()}


def _by_column(outcomes: Sequence[Outcome]) -> dict[tuple[str, str, int], dict[int, float]]:
    """Return the percentages per seed, by variant, row and column."""
    found: dict[tuple[str, str, int], dict[int, float]] = {}
    for one in outcomes:
        for column, percent in zip(COLUMNS, one.allocated, strict=True):
            found.setdefault((one.variant, one.row, column), {})[one.seed] = percent
    return found


def _margins(variants: Sequence[str], means: Published, published: Published) -> dict[str, float]:
    """Return by how many points our rows are above the better one of published and own FGD."""
    figures: dict[str, float] = {}
    for row in (OURS, LEARNT):
        margins = {
            f"{variant}_{row}_minus_fgd_{column}": means[variant, row, column]
            - max(means[variant, FGD, column], published.get((variant, FGD, column), 0.0))
            for variant in variants
            for column in COLUMNS
        }
        figures |= {f"{row}_minus_fgd_min_points": min(margins.values()), **margins}
    return figures


def _off(means: Published, published: Published) -> dict[str, float]:
    """Return how far each published row is from ours at most, in points."""
    return {
        _off_name(row): max(abs(means[key] - mean) for key, mean in published.items() if key[1] == row)
        for row in sorted({row for _, row, _ in published})
    }


def _off_name(row: str) -> str:
    return f"{row}_off_published_max_points"


def _times(outcomes: Sequence[Outcome]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for row in dict.fromkeys(one.row for one in outcomes):
        ones = [one for one in outcomes if one.row == row]
        figures[f"{row}_decision_us"] = fmean(one.decision_us for one in ones)
        figures[f"{row}_decision_units"] = fmean(1000 * one.decision_us / one.unit_cpu_ns for one in ones)
    return figures


def _per_variant(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return mean, standard deviation and the value of each seed."""
    figures: dict[str, float] = {}
    for (variant, row, column), by_seed in _by_column(outcomes).items():
        name = f"{variant}_{row}_{column}"
        figures[name] = fmean(by_seed.values())
        figures[f"{name}_sd"] = stdev(by_seed.values()) if len(by_seed) > 1 else 0.0
        figures |= {f"{name}_seed_{seed}": percent for seed, percent in sorted(by_seed.items())}
    return figures
