"""Simpler ways beside the best plan."""

import pytest

from scheduler.core.mixing.search.comparing import compared, shared_out
from scheduler.core.mixing.search.finding import confirmed, leads
from scheduler.core.mixing.search.found import Way
from tests.builders.mixing import pool_of, problem_of, training_of


@pytest.mark.parametrize(
    ("layers", "weights", "shares"),
    [(4, [1.0, 1.0], [2, 2]), (4, [3.0, 1.0], [3, 1]), (5, [1.0, 1.0], [3, 2]), (3, [100.0, 1.0, 1.0], [1, 1, 1])],
)
def test_layers_are_shared_out_in_proportion(layers: int, weights: list[float], shares: list[int]) -> None:
    assert shared_out(layers, weights) == shares


def test_each_vendor_is_tried_alone() -> None:
    problem = problem_of(
        pool_of("one", vendor="north", flops_per_s=2e12),
        pool_of("two", vendor="south"),
        training=training_of(global_batch=64),
    )
    best = confirmed(problem, leads(problem), 1)[0]
    alone = {each.vendor: each.plan for each in compared(problem, best, problem.pools) if each.way is Way.ONE_VENDOR}
    assert set(alone) == {"north", "south"}
    assert all(plan is not None for plan in alone.values())
    for vendor, pool in (("north", "one"), ("south", "two")):
        plan = alone[vendor]
        assert plan is not None
        assert {stage.pool for stage in plan.stages} == {pool}
        assert plan.prediction.step_s >= best.prediction.step_s


def test_a_vendor_that_has_no_memory_has_no_plan() -> None:
    problem = problem_of(pool_of("one", vendor="north"), pool_of("two", vendor="south", memory_bytes=1_200_000_000))
    best = confirmed(problem, leads(problem), 1)[0]
    alone = {each.vendor: each.plan for each in compared(problem, best, problem.pools)}
    assert alone["south"] is None


def test_the_even_split_has_even_layers() -> None:
    problem = problem_of(pool_of("one", flops_per_s=4e12), pool_of("two"), training=training_of(global_batch=64))
    best = confirmed(problem, leads(problem), 1)[0]
    even = next(each.plan for each in compared(problem, best, problem.pools) if each.way is Way.EVEN)
    assert even is not None
    counts = [stage.layers for stage in even.stages]
    assert max(counts) - min(counts) <= 1
