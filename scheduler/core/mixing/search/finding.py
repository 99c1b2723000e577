"""The best plans for a problem: the planner's front door."""

from collections.abc import Hashable
from dataclasses import dataclass

from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.plan import Plan
from scheduler.core.mixing.search.building import Layout, built, fits, layout_of, simulated
from scheduler.core.mixing.search.checking import usable_pools
from scheduler.core.mixing.search.comparing import compared
from scheduler.core.mixing.search.exploring import explored
from scheduler.core.mixing.search.found import Comparison, Found, NoPlanError, TooSlow
from scheduler.core.mixing.search.reasoning import why_not
from scheduler.core.mixing.search.refusing import why_nothing
from scheduler.core.mixing.search.shaping.cuts import cuts_of
from scheduler.core.mixing.search.shaping.known import as_shapes
from scheduler.core.mixing.search.shaping.table import table_of

CONFIRMED = 3
"""So many of the best plans by formula are simulated, at least."""


@dataclass(frozen=True, slots=True)
class Lead:
    """A plan by formula, before the simulation."""

    layout: Layout
    step_s: float


def best_plans(problem: Problem, *, most: int = CONFIRMED, known: Plan | None = None) -> Found:
    """Return the best plans, simulated, the best first; and what simpler ways would give.

    The same problem always gives the same plans, in whatever order its pools come. `known` is a plan of other pools
    that may be near: it is where the search begins as well, as far as its pools are still there.

    Raises NoPlanError with the reason where there is no plan.
    """
    plans = confirmed(problem, leads(problem, known=known), most)
    comparisons = compared(problem, plans[0], usable_pools(problem))
    plans = _with_better(plans, comparisons)[:most]
    _check_speed(problem, plans[0])
    return Found(plans, comparisons, why_not(problem, plans))


def leads(problem: Problem, *, known: Plan | None = None) -> list[Lead]:
    """Return what the search finds, the best by formula first; at least one. Raises NoPlanError."""
    table = table_of(problem, usable_pools(problem))
    cuts = cuts_of(table)
    start = None if known is None else as_shapes(table, cuts, layout_of(known))
    found = [Lead(*each) for each in explored(table, cuts, start)]
    if not found:
        raise NoPlanError(why_nothing(problem, table.pools))
    return found


def confirmed(problem: Problem, found: list[Lead], most: int) -> tuple[Plan, ...]:
    """Return the best plans by an event simulation of their schedules, the best first."""
    plans = [built(problem, lead.layout) for lead in found[: max(most, CONFIRMED)]]
    plans = [simulated(problem, plan) for plan in plans if fits(plan)]
    plans.sort(key=lambda plan: plan.prediction.step_s)
    return tuple(plans[:most])


def repredicted(problem: Problem, plan: Plan) -> Plan:
    """Return the plan as predicted for other pools of the same names: for the nodes and links that it got.

    Raises KeyError for a pool that the problem does not have.
    """
    return simulated(problem, built(problem, layout_of(plan)))


def _with_better(plans: tuple[Plan, ...], comparisons: tuple[Comparison, ...]) -> tuple[Plan, ...]:
    """Put a simpler way first where the simulation, unlike the formula, finds it quicker; of a kind only the best."""
    better = [
        comparison.plan
        for comparison in comparisons
        if comparison.plan is not None and comparison.plan.prediction.step_s < plans[0].prediction.step_s
    ]
    of_a_kind: dict[Hashable, Plan] = {}
    for plan in (*sorted(better, key=lambda plan: plan.prediction.step_s), *plans):
        seats = tuple((stage.pool, stage.tensor_parallel) for stage in plan.stages)
        of_a_kind.setdefault((plan.data_parallel, plan.micro_batch, seats), plan)
    return tuple(of_a_kind.values())


def _check_speed(problem: Problem, best: Plan) -> None:
    wanted = problem.constraints.least_tokens_per_s
    if wanted is not None and best.prediction.tokens_per_s < wanted:
        raise NoPlanError(TooSlow(wanted, best))
