"""Why one plan is before another."""

from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.plan import Plan
from scheduler.core.mixing.search.building import times_of
from scheduler.core.mixing.search.found import Part, WhyNot
from scheduler.core.mixing.timing import period_s


def parts_of(problem: Problem, plan: Plan) -> dict[Part, float]:
    """Return what the formula makes a plan's step of, in seconds."""
    times = times_of(problem, plan)
    return {
        Part.STEADY: (times.micro_batches - 1) * period_s(times),
        Part.FILLING: sum(times.busy_s),
        Part.SENDING: 2 * sum(times.transfer_s),
        Part.ENDING: max(times.gradient_sync_s) + max(times.update_s),
    }


def why_not(problem: Problem, plans: tuple[Plan, ...], other: int = 1) -> WhyNot | None:
    """Return why the first plan is before another one; None where there is no such."""
    if len(plans) <= other:
        return None
    best, its = parts_of(problem, plans[0]), parts_of(problem, plans[other])
    longer_s = plans[other].prediction.step_s - plans[0].prediction.step_s
    return WhyNot(other, longer_s, {part: its[part] - best[part] for part in Part})
