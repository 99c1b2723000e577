"""What a plan is and what is beside it, in sentences."""

from collections.abc import Sequence
from datetime import datetime

from api.text.waiting.estimates import estimate_text
from api.text.words import count, duration
from scheduler.core.mixing.plan import Plan
from scheduler.core.mixing.search.found import Comparison, Part, Way, WhyNot
from scheduler.core.model.waiting.estimate import NoEstimate
from scheduler.services.planning.asked import WORTH_A_RUN, Answered, Faster, Finish, Help, Trial, TriedPlan

_PERCENT = 100
_SAME = 5e-4
"""Steps that differ by less than this part are as long as each other."""
_PARTS = {
    Part.STEADY: "its slowest stages take longer for each micro-batch",
    Part.FILLING: "a micro-batch takes longer through all of its stages",
    Part.SENDING: "it sends for longer between its stages",
    Part.ENDING: "its gradients and the optimiser take longer",
}


def seconds(amount: float) -> str:
    """Return `840 ms`, `1.62 s`, `75.3 s`."""
    return f"{amount * 1000:.3g} ms" if amount < 1 else f"{amount:.3g} s" if amount < 1000 else f"{amount:,.0f} s"  # noqa: PLR2004 - four digits


def devices_of(plan: Plan) -> dict[str, int]:
    """Return how many devices of each chip type a plan takes, in the order of the pipeline."""
    found: dict[str, int] = {}
    for stage in plan.stages:
        found[stage.chip] = found.get(stage.chip, 0) + stage.tensor_parallel * plan.data_parallel
    return found


def devices_text(plan: Plan) -> str:
    """Return `16 h100-sxm and 8 ascend-910b2`."""
    *others, last = (f"{number:,} {chip}" for chip, number in devices_of(plan).items())
    return f"{', '.join(others)} and {last}" if others else last


def plan_text(plan: Plan) -> str:
    """Return what a plan runs on and how fast it is predicted to be."""
    predicted = plan.prediction
    return (
        f"{devices_text(plan)}: {seconds(predicted.step_s)} a step "
        f"({seconds(predicted.low_s)} to {seconds(predicted.high_s)}), {predicted.tokens_per_s:,.0f} tokens/s."
    )


def why_text(answered: Answered) -> str:
    """Return why the best plan is before the next best; empty where there is no other."""
    why = answered.why
    if why is None or why.other >= len(answered.plans):
        return ""
    best, other = answered.plans[0].file.plan, answered.plans[why.other].file.plan
    return f"The next best, on {devices_text(other)}{_cut(best, other)}, {_longer(why, best)}."


def _longer(why: WhyNot, best: Plan) -> str:
    if why.longer_s < _SAME * best.prediction.step_s:
        return "is predicted to be as fast"
    if why.parts_s[why.part] <= 0:
        return f"takes {seconds(max(0.0, why.longer_s))} longer a step by the simulation of its schedule"
    return f"takes {seconds(max(0.0, why.longer_s))} longer a step: {_PARTS[why.part]}"


def _cut(best: Plan, other: Plan) -> str:
    """Return what the other has otherwise, where it has the same devices."""
    if devices_of(best) != devices_of(other):
        return ""
    shape = f"{count(other.data_parallel, 'replica')} of {count(len(other.stages), 'stage')}"
    return f" in {shape} with micro-batches of {other.micro_batch}"


def comparison_text(comparison: Comparison, best: Plan) -> str:
    """Return what a simpler way would give."""
    name = {
        Way.ONE_VENDOR: f"{comparison.vendor} alone",
        Way.PROPORTIONAL: "Layers in proportion to what chips do",
        Way.EVEN: "The same layers on every stage",
    }[comparison.way]
    if comparison.plan is None:
        return f"{name}: does not fit into memory."
    took_s = comparison.plan.prediction.step_s
    return f"{name}: {seconds(took_s)} a step, {took_s / best.prediction.step_s:.3g} times as long."


def faster_text(faster: Faster, best: Plan) -> str:
    """Return what would make steps shorter, and how much."""
    what = {
        Help.NODE: f"One node more in {faster.pool}",
        Help.NETWORK: "Networks of nodes twice as fast",
        Help.DIRECT: "Sending between vendors without going through hosts",
        Help.BATCH: f"A batch of {faster.global_batch}, which can be cut into more parts",
    }[faster.help]
    predicted, less = faster.plan.prediction, faster.token_part(best)
    return (
        f"{what}: {seconds(predicted.step_s)} a step, {predicted.tokens_per_s:,.0f} tokens/s, "
        f"{less * _PERCENT:.0f} % less time."
    )


def finish_text(finish: Finish, now: datetime) -> str:
    """Return when the whole training would be over, one way of doing it."""
    on = devices_text(finish.plan)
    if finish.starts is None and finish.latest is not None:
        return f"Now on {on}: over in {duration((finish.latest - now).total_seconds())}."
    if finish.starts is None or isinstance(finish.starts, NoEstimate) or finish.latest is None:
        said = "" if finish.starts is None else f": {estimate_text(finish.starts)}"
        return f"Later on {on}{said}."
    latest = duration((finish.latest - now).total_seconds())
    return f"Later on {on}: over in {latest} at the latest, for {estimate_text(finish.starts)}."


def trial_text(trial: Trial, tried: Sequence[TriedPlan]) -> str:
    """Return which plan to run next, and which one was the quickest so far."""
    least_s = None if trial.best is None else tried[trial.best].measured_s
    if trial.next is not None:
        so_far = "" if least_s is None else f" The quickest so far took {seconds(least_s)} a step."
        return f"Plan {trial.next + 1} is worth a run.{so_far}"
    if least_s is None:
        return "All of these plans were tried, and none ran."
    return f"No other plan is expected to be {WORTH_A_RUN:.0%} faster than the one that took {seconds(least_s)} a step."
