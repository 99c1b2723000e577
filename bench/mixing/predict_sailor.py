"""Nine pipelines over unlike chips and slow links, as SAILOR's authors measured them, beside what the planner says."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean, median

from bench.calibrate import unit_ns
from bench.mixing.measured.sailor import SHAPES, MeasuredRun, a_node_with, read_profiles, read_runs, training_of
from bench.mixing.measured.scoring import best_fit, left_out, mape_percent, off_percent, regret_percent
from bench.mixing.measured.stages import Form, slowest_replica_s, slowest_stage_step_s
from bench.report import Limit, Measurement
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.profiles import Profiles
from scheduler.core.mixing.costs import times_of
from scheduler.core.mixing.pipeline import PipelineTimes
from scheduler.core.mixing.simulating.running import run as run_schedule
from scheduler.core.mixing.timing import step_s

NAME = "predict_sailor"
REQUIRED = (Limit("mape_percent", "<=", 10.0),)
GOALS = (Limit("mape_percent", "<=", 7.5),)
BETAS = tuple(percent / 100 for percent in range(101))
"""The one number that is fitted: which part of sending holds up computing in their runtime."""
MIXED, LIKE = "mixed_rtx", "gh200"
MICRO_BATCHES = (2, 4, 8)


def measure() -> Measurement:
    """Predict each mixed run by what the others say of beta; then, by all of them, the runs on one chip type."""
    runs = read_runs(NAME)
    mixed = [run for run in runs if run.cluster == MIXED]
    trusted = [run for run in mixed if not run.is_suspect]
    beta = BETAS[best_fit(_by_beta(mixed), _measured(mixed))]
    figures = {
        "mape_percent": _left_out_percent(mixed),
        "without_suspect_mape_percent": _left_out_percent(trusted),
        "fitted_mape_percent": mape_percent(_predicted(mixed, beta), _measured(mixed)),
        "simulated_mape_percent": mape_percent(
            [slowest_replica_s(run.replicas, form=simulated_step_s, blocking_share=beta) for run in mixed],
            _measured(mixed),
        ),
        "beta": beta,
        "rows": float(len(mixed)),
        "suspect_rows": float(len(mixed) - len(trusted)),
        **_other_forms(mixed),
        **_regrets(mixed, beta),
        **_on_one_type([run for run in runs if run.cluster == LIKE], beta),
        **_from_one_sequence(),
    }
    for run, predicted_s in zip(mixed, _predicted(mixed, beta), strict=True):
        figures[f"{run.name}_above_percent"] = 100 * (predicted_s / run.measured_s - 1)
    return Measurement(figures, {"unit_ns": unit_ns()}, goals=GOALS, required=REQUIRED)


def simulated_step_s(times: PipelineTimes) -> float:
    """Return the step by the simulation that the best plans are confirmed by."""
    return run_schedule(times).step_s


def _measured(runs: Sequence[MeasuredRun]) -> list[float]:
    return [run.measured_s for run in runs]


def _predicted(runs: Sequence[MeasuredRun], beta: float) -> list[float]:
    return [slowest_replica_s(run.replicas, blocking_share=beta) for run in runs]


def _by_beta(runs: Sequence[MeasuredRun]) -> list[list[float]]:
    return [_predicted(runs, beta) for beta in BETAS]


def _left_out_percent(runs: Sequence[MeasuredRun]) -> float:
    return mape_percent(left_out(_by_beta(runs), _measured(runs)), _measured(runs))


def _other_forms(runs: Sequence[MeasuredRun]) -> dict[str, float]:
    """Return the errors of forms that have nothing to fit."""

    def error(form: Form = step_s, *, beta: float = 0.0, shares_network: bool = True) -> float:
        said = [
            slowest_replica_s(run.replicas, form=form, blocking_share=beta, shares_network=shares_network)
            for run in runs
        ]
        return mape_percent(said, _measured(runs))

    sending = partial(slowest_stage_step_s, sends=True)
    return {
        "max_stage_mape_percent": error(slowest_stage_step_s),
        "max_stage_sending_mape_percent": error(sending),
        "max_stage_sending_unshared_mape_percent": error(sending, shares_network=False),
        "window_mape_percent": error(),
        "blocking_mape_percent": error(beta=1.0),
    }


def _regrets(runs: Sequence[MeasuredRun], beta: float) -> dict[str, float]:
    """Return what choosing by predictions costs, for each number of nodes that was measured in several layouts."""
    found = {}
    for nodes in sorted({run.nodes for run in runs}):
        same = [run for run in runs if run.nodes == nodes]
        if len(same) > 1:
            found[f"regret_{nodes}_nodes_percent"] = regret_percent(_predicted(same, beta), _measured(same))
    return found


def _on_one_type(runs: Sequence[MeasuredRun], beta: float) -> dict[str, float]:
    """Return the errors over runs that nothing was fitted to, per model."""
    found: dict[str, float] = {}
    for model in sorted({run.model for run in runs}):
        same = [run for run in runs if run.model == model]
        off = list(map(off_percent, _predicted(same, beta), _measured(same)))
        name = "unseen_" + model.lower().translate(str.maketrans("-.", "__"))
        found |= {
            f"{name}_rows": float(len(same)),
            f"{name}_mape_percent": fmean(off),
            f"{name}_without_suspect_mape_percent": fmean(
                error for run, error in zip(same, off, strict=True) if not run.is_suspect
            ),
            f"{name}_median_percent": median(off),
        }
    return found


def _from_one_sequence() -> dict[str, float]:
    """Return the errors of layers with larger micro-batches, where the planner knows those of one sequence only."""
    off: dict[int, list[float]] = {micro_batch: [] for micro_batch in MICRO_BATCHES}
    for model, profiles in read_profiles(NAME).items():
        known = Profiles(1, {key: times for key, times in profiles.layers.items() if key.micro_batch == 1})
        for key, seen in profiles.layers.items():
            if model in SHAPES and key.micro_batch in off and replace(key, micro_batch=1) in known.layers:
                pool = a_node_with(key.chip)
                problem = Problem(training_of(model, key.micro_batch), (pool,), profiles=known)
                said = times_of(problem, pool, tensor_parallel=key.tensor_parallel, micro_batch=key.micro_batch)
                said_s, seen_s = (times.layer_forward_s + times.layer_backward_s for times in (said, seen))
                off[key.micro_batch].append(off_percent(said_s, seen_s))
    return {f"layers_of_{size}_mape_percent": fmean(errors) for size, errors in off.items() if errors}
