"""The trials of AMP's authors on V100 and T4: which of them the planner would take, and how well it orders them."""

from collections.abc import Sequence
from functools import partial

from bench.calibrate import unit_ns
from bench.mixing.measured.amp import LIKE, MIXED, Trial, read_trials
from bench.mixing.measured.scoring import mape_percent, regret_percent, spearman
from bench.mixing.measured.stages import slowest_replica_s, slowest_stage_step_s
from bench.report import Limit, Measurement

NAME = "predict_amp"
REQUIRED = (Limit("regret_percent", "<=", 5.0), Limit("spearman", ">", 0.395))
GOALS = (Limit("regret_percent", "<=", 0.0),)
SMALL_MICRO_BATCH = 2
"""Only micro-batches of one were measured: of larger ones less is known the larger they are."""


def measure() -> Measurement:
    """Predict all trials; nothing is fitted to them."""
    trials = read_trials(NAME, MIXED)
    small = [trial for trial in trials if trial.micro_batch <= SMALL_MICRO_BATCH]
    like = read_trials(NAME, LIKE)
    max_stage = partial(slowest_replica_s, form=slowest_stage_step_s)
    unshared = partial(slowest_replica_s, shares_network=False)
    figures = {
        **_scores("", trials, [slowest_replica_s(trial.replicas) for trial in trials]),
        "rows": float(len(trials)),
        "small_mape_percent": _mape([slowest_replica_s(trial.replicas) for trial in small], small),
        **_scores("amp_", trials, [trial.theirs_s for trial in trials]),
        "amp_small_mape_percent": _mape([trial.theirs_s for trial in small], small),
        **_scores("max_stage_", trials, [max_stage(trial.replicas) for trial in trials]),
        **_scores("unshared_", trials, [unshared(trial.replicas) for trial in trials]),
        **_scores("like_", like, [slowest_replica_s(trial.replicas) for trial in like]),
        **_scores("like_amp_", like, [trial.theirs_s for trial in like]),
    }
    return Measurement(figures, {"unit_ns": unit_ns()}, goals=GOALS, required=REQUIRED)


def _scores(prefix: str, trials: Sequence[Trial], predicted: Sequence[float]) -> dict[str, float]:
    measured = [trial.measured_s for trial in trials]
    return {
        f"{prefix}regret_percent": regret_percent(predicted, measured),
        f"{prefix}spearman": spearman(predicted, measured),
        f"{prefix}mape_percent": mape_percent(predicted, measured),
    }


def _mape(predicted: Sequence[float], trials: Sequence[Trial]) -> float:
    return mape_percent(predicted, [trial.measured_s for trial in trials])
