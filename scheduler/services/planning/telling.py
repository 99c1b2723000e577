"""A plan with all that is told of it: its file, its timeline, and the options of other programs."""

from dataclasses import replace

from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.filing.plan_file import PlanFile
from scheduler.core.mixing.launching.flagscale import flagscale_flags
from scheduler.core.mixing.launching.megatron import megatron_flags
from scheduler.core.mixing.plan import Plan
from scheduler.core.mixing.search.building import times_of
from scheduler.core.mixing.simulating.running import rounds_ahead, run
from scheduler.core.mixing.simulating.timeline import Seconds
from scheduler.services.planning.asked import TimelineCut, ToldPlan

MOST_SPANS = 2_000
"""So many are told of one plan: more than that no picture shows."""
STEADY_MICRO_BATCHES = 6
"""So many more are told than fill the pipeline."""


def told(problem: Problem, plan: Plan) -> ToldPlan:
    """Return a plan for a question with all that is told of it."""
    training = problem.training
    return ToldPlan(
        file=PlanFile(training, problem.runtime, plan),
        timeline=timeline_of(problem, plan),
        megatron=megatron_flags(plan, training),
        flagscale=flagscale_flags(plan, training),
    )


def timeline_of(problem: Problem, plan: Plan) -> TimelineCut:
    """Return the timeline of a step, cut to at most so many micro-batches that a picture can show them.

    It is that of a shorter step, which fills and drains the pipeline as the whole one does.
    """
    times = times_of(problem, plan)
    steady = rounds_ahead(times)[0] + STEADY_MICRO_BATCHES
    shown = min(plan.micro_batches, steady, max(STEADY_MICRO_BATCHES, MOST_SPANS // (2 * len(plan.stages))))
    timeline = run(replace(times, micro_batches=shown))
    return TimelineCut(
        micro_batches=shown,
        forward_s=_spans(timeline.forward_start_s, timeline.forward_end_s),
        backward_s=_spans(timeline.backward_start_s, timeline.backward_end_s),
    )


def _spans(starts: Seconds, ends: Seconds) -> tuple[tuple[tuple[float, float], ...], ...]:
    return tuple(
        tuple(zip(starts[:, stage].tolist(), ends[:, stage].tolist(), strict=True)) for stage in range(starts.shape[1])
    )
