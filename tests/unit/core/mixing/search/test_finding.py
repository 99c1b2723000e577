"""The planner's front door."""

from dataclasses import replace

import pytest

from scheduler.core.mixing.asked.problem import Constraints
from scheduler.core.mixing.search.building import fits
from scheduler.core.mixing.search.finding import best_plans, confirmed, leads, repredicted
from scheduler.core.mixing.search.found import DoesNotFit, LimitsForbid, NoPlanError, TooSlow, Way
from tests.builders.mixing import SMALL, pool_of, problem_of, training_of
from tests.builders.searching import two_pools


def test_the_best_comes_first_and_all_fit_and_are_simulated() -> None:
    found = best_plans(two_pools())
    steps = [plan.prediction.step_s for plan in found.plans]
    assert len(steps) == 3
    assert steps == sorted(steps)
    assert all(fits(plan) and plan.prediction.is_simulated for plan in found.plans)
    assert all(sum(stage.layers for stage in plan.stages) == SMALL.layers for plan in found.plans)


def test_plans_differ_in_more_than_warm_ups() -> None:
    plans = best_plans(two_pools()).plans
    shapes = {
        (plan.data_parallel, plan.micro_batch, tuple((stage.pool, stage.tensor_parallel) for stage in plan.stages))
        for plan in plans
    }
    assert len(shapes) == 3


def test_it_is_better_than_every_simpler_way() -> None:
    found = best_plans(two_pools())
    assert {comparison.way for comparison in found.comparisons} == {Way.PROPORTIONAL, Way.EVEN}
    best_s = found.plans[0].prediction.step_s
    assert all(
        comparison.plan is None or comparison.plan.prediction.step_s >= best_s * (1 - 1e-9)
        for comparison in found.comparisons
    )


def test_one_free_device_is_planned_with() -> None:
    found = best_plans(problem_of(pool_of(nodes=1, chips_per_node=1)))
    assert found.plans[0].devices == 1


def test_what_fits_nowhere_is_refused_with_what_would_do() -> None:
    with pytest.raises(NoPlanError) as refused:
        best_plans(problem_of(pool_of(memory_bytes=1_250_000_000)))
    refusal = refused.value.refusal
    assert isinstance(refusal, DoesNotFit)
    assert (refusal.chip, refusal.devices) == ("chip-a", 8)
    assert refusal.missing_bytes > 0


def test_limits_that_leave_nothing_are_named() -> None:
    big = problem_of(pool_of(memory_bytes=1_700_000_000))
    assert leads(big)
    with pytest.raises(NoPlanError) as refused:
        leads(replace(big, constraints=Constraints(most_chips=1)))
    assert isinstance(refused.value.refusal, LimitsForbid)


def test_too_slow_a_best_plan_is_refused() -> None:
    with pytest.raises(NoPlanError) as refused:
        best_plans(two_pools(constraints=Constraints(least_tokens_per_s=1e12)))
    assert isinstance(refused.value.refusal, TooSlow)


def test_a_known_plan_never_makes_it_worse() -> None:
    problem = two_pools()
    known = best_plans(problem).plans[0]
    smaller = problem_of(pool_of("quick", flops_per_s=2e12, nodes=1), pool_of("slow"))
    cold_s = leads(smaller)[0].step_s
    assert leads(smaller, known=known)[0].step_s <= cold_s * 1.001


def test_a_plan_is_predicted_anew_for_the_links_it_got() -> None:
    problem = two_pools(training=training_of(global_batch=64))
    plan = confirmed(problem, leads(problem), 1)[0]
    slow = [replace(pool, node_link_bytes_per_s=1e6, device_link_bytes_per_s=1e7) for pool in problem.pools]
    slower = replace(problem, pools=tuple(slow))
    assert repredicted(problem, plan) == plan
    assert repredicted(slower, plan).prediction.step_s > plan.prediction.step_s
