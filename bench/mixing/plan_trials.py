"""A recurring job on V100 and T4: how many runs until it has a plan that is as good as the best.

Every seed is a job of its own: half of what AMP's authors measured is there to choose from, and no run takes exactly
what another of the same plan took. Predictions are good for small micro-batches, which were measured layer by layer;
jobs that have to take large ones show what trying is for.
"""

from collections.abc import Callable, Sequence
from math import log2
from random import Random
from statistics import fmean

from bench.calibrate import unit_ns
from bench.mixing.measured.amp import MIXED, Trial, read_trials
from bench.mixing.measured.stages import slowest_replica_s
from bench.report import Limit, Measurement
from scheduler.core.mixing.trials import Candidate, Tried, next_trial

NAME = "plan_trials"
SEEDS = 100
NEAR_PERCENT = 5.0
"""What is worse than the best by no more is near it."""
LARGE_MICRO_BATCH = 4
NOISE = 0.03
"""Standard deviation of one run against another."""
REQUIRED = (Limit("trials", "<=", 4.0),)
GOALS = (Limit("trials", "<=", 2.0),)

Order = Callable[[Sequence[Candidate], Sequence[Tried]], int | None]


def measure() -> Measurement:
    """Let each seed's job try plan after plan; count the runs until one was near the best, and until it stopped."""
    trials = read_trials(NAME, MIXED)
    ours = [_candidate(trial, slowest_replica_s(trial.replicas)) for trial in trials]
    theirs = [_candidate(trial, trial.theirs_s) for trial in trials]
    measured = [trial.measured_s for trial in trials]
    everything = [list(range(len(trials))) for _ in range(SEEDS)]
    halves = [Random(seed).sample(places, len(places) // 2) for seed, places in enumerate(everything)]
    large = [place for place, trial in enumerate(trials) if trial.micro_batch >= LARGE_MICRO_BATCH]
    without_small = [Random(seed).sample(large, len(large) // 2) for seed in range(SEEDS)]
    counted = [_trials(ours, measured, places, _next, seed) for seed, places in enumerate(halves)]
    ended = [_run(ours, measured, places, next_trial, seed, ends=True) for seed, places in enumerate(halves)]
    figures = {
        "trials": fmean(counted),
        "worst_trials": float(max(counted)),
        "whole_table_trials": _mean(ours, measured, everything, _next),
        "predicted_order_trials": _mean(ours, measured, halves, _by_prediction),
        "amp_order_trials": _mean(theirs, measured, halves, _by_prediction),
        "random_order_trials": _mean(ours, measured, halves, _as_they_come),
        "large_trials": _mean(ours, measured, without_small, _next),
        "large_predicted_order_trials": _mean(ours, measured, without_small, _by_prediction),
        "large_random_order_trials": _mean(ours, measured, without_small, _as_they_come),
        "ended_after_trials": fmean(len(tried) for tried, _ in ended),
        "ended_regret_percent": fmean(regret for _, regret in ended),
        "ended_near_percent": 100 * fmean(regret <= NEAR_PERCENT for _, regret in ended),
        "seeds": float(SEEDS),
        "rows": float(len(trials)),
    }
    return Measurement(figures, {"unit_ns": unit_ns()}, goals=GOALS, required=REQUIRED)


def _mean(
    candidates: Sequence[Candidate], measured: Sequence[float], jobs: Sequence[Sequence[int]], order: Order
) -> float:
    return fmean(_trials(candidates, measured, places, order, seed) for seed, places in enumerate(jobs))


def _trials(
    candidates: Sequence[Candidate], measured: Sequence[float], places: Sequence[int], order: Order, seed: int
) -> int:
    """Return how many runs it took until one was near the best."""
    return len(_run(candidates, measured, places, order, seed)[0])


def _run(
    candidates: Sequence[Candidate],
    measured: Sequence[float],
    places: Sequence[int],
    order: Order,
    seed: int,
    *,
    ends: bool = False,
) -> tuple[list[Tried], float]:
    """Return what was tried of what is there, and by how much the best of it is worse than the best there is.

    It is over when one was near the best, or, with `ends`, when `order` says so.
    """
    random, tried = Random(f"runs of {seed}"), list[Tried]()
    there, times_s = [candidates[place] for place in places], [measured[place] for place in places]
    best_s = min(times_s)
    while (place := order(there, tried)) is not None:
        tried.append(Tried(place, times_s[place] * random.gauss(1.0, NOISE)))
        if not ends and times_s[place] <= (1 + NEAR_PERCENT / 100) * best_s:
            break
    chosen = min(tried, key=lambda one: one.measured_s or 0.0).place
    return tried, 100 * (times_s[chosen] / best_s - 1)


def _next(candidates: Sequence[Candidate], tried: Sequence[Tried]) -> int | None:
    """Return what to try next; never that it is over."""
    return next_trial(candidates, tried, least_gain=-1.0)


def _by_prediction(candidates: Sequence[Candidate], tried: Sequence[Tried]) -> int | None:
    return sorted(range(len(candidates)), key=lambda place: candidates[place].predicted_s)[len(tried)]


def _as_they_come(candidates: Sequence[Candidate], tried: Sequence[Tried]) -> int | None:
    """Return the next one of a job's half, which was drawn in a random order."""
    return len(tried) if len(tried) < len(candidates) else None


def _candidate(trial: Trial, predicted_s: float) -> Candidate:
    run = trial.replicas[0]
    sizes = (run.tensor_parallel, run.micro_batch, run.data_parallel, run.stages)
    return Candidate(predicted_s, tuple(map(log2, sizes)))
