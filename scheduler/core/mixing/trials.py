"""Finding the fastest plan of a recurring job in a few runs: which plan to try next, and when trying is over.

The planner's predictions are the prior; what runs measure corrects them. As in CherryPick (Alipourfard et al., NSDI
2017) a Gaussian process says what each plan may take and the expected improvement says which is worth a run; but where
that begins at random points of a space it knows nothing of, this begins at the plan that is predicted to be best.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, log2, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from scheduler.core.mixing.plan import Plan

Floats = NDArray[np.float64]

COMMON_ERROR = 0.3
"""Standard deviation of what all predictions of a job are wrong by alike, as a logarithm: 0.3 is a third."""
OWN_ERROR = 0.2
"""Of what a plan is wrong by beyond that; plans like it are wrong by the like."""
NOISE = 0.03
"""Of one run against another of the same plan."""
ALIKE = 2.0
"""Plans that differ twofold so many times are still much alike."""
LEAST_GAIN = 0.02
"""A run is worth it that is expected to make the best plan this much faster, as a part of its step."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plan that may be tried."""

    predicted_s: float
    features: tuple[float, ...]
    """Where it is among plans, one unit for twice as much; of like length for all candidates."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a run came to."""

    place: int
    """Of its candidate."""
    measured_s: float | None
    """Of a step; None: it did not run, as for want of memory."""


def candidate_of(plan: Plan) -> Candidate:
    """Return a plan as a candidate: its degrees and sizes as powers of two."""
    tensor_parallel = sum(log2(stage.tensor_parallel) for stage in plan.stages) / len(plan.stages)
    sizes = (plan.micro_batch, plan.data_parallel, len(plan.stages))
    return Candidate(plan.prediction.step_s, (tensor_parallel, *map(log2, sizes)))


def next_trial(
    candidates: Sequence[Candidate], tried: Sequence[Tried], *, least_gain: float = LEAST_GAIN
) -> int | None:
    """Return the place of the candidate to try next; None where no run is worth it any more, or all were tried.

    The first is the one that is predicted to be best; after it the one with the largest expected improvement over the
    best that was measured, as a part of that (Jones et al., Journal of Global Optimization 1998). Of equals the first.
    Where nothing tried so far ran, the best predicted of those that are left is next.
    """
    left = sorted(set(range(len(candidates))) - {one.place for one in tried})
    measured = [(one.place, one.measured_s) for one in tried if one.measured_s is not None]
    if not left:
        return None
    if not measured:
        return min(left, key=lambda place: candidates[place].predicted_s)
    places, times_s = [place for place, _ in measured], np.array([time_s for _, time_s in measured])
    expected, deviation = _posterior(candidates, places, np.log(times_s), left)
    gains = _expected_improvement(float(np.log(times_s).min()) - expected, deviation)
    best = int(np.argmax(gains))
    return left[best] if gains[best] >= least_gain else None


def _posterior(
    candidates: Sequence[Candidate], places: Sequence[int], measured: Floats, left: Sequence[int]
) -> tuple[Floats, Floats]:
    """Return what the logarithms of the times of those that are left are expected to be, and how far they may be off.

    A Gaussian process over what predictions are wrong by (Rasmussen and Williams 2006, algorithm 2.1).
    """
    features = np.array([candidate.features for candidate in candidates], dtype=np.float64)
    predicted = np.log(np.array([candidate.predicted_s for candidate in candidates]))
    seen, unseen = features[list(places)], features[list(left)]
    covariance = _alike(seen, seen) + NOISE**2 * np.eye(len(places))
    factor = np.linalg.cholesky(covariance)
    across = _alike(seen, unseen)
    half = np.linalg.solve(factor, across)
    wrong_by = np.linalg.solve(factor.T, np.linalg.solve(factor, measured - predicted[list(places)]))
    variance = COMMON_ERROR**2 + OWN_ERROR**2 - np.sum(half**2, axis=0)
    return predicted[list(left)] + across.T @ wrong_by, np.sqrt(np.maximum(variance, NOISE**2))


def _alike(some: Floats, others: Floats) -> Floats:
    """Return how far the predictions of plans are wrong together, (len(some), len(others))."""
    apart = np.sum((some[:, None, :] - others[None, :, :]) ** 2, axis=2)
    found: Floats = COMMON_ERROR**2 + OWN_ERROR**2 * np.exp(-apart / (2.0 * ALIKE**2))
    return found


def _expected_improvement(gain: Floats, deviation: Floats) -> Floats:
    """Return the mean of what is gained, nothing where a run turns out slower; `gain` is what is expected of it."""
    scaled = gain / deviation
    below = np.array([0.5 * (1.0 + erf(one / sqrt(2.0))) for one in scaled.tolist()])
    found: Floats = gain * below + deviation * np.exp(-(scaled**2) / 2.0) / sqrt(2.0 * pi)
    return found
