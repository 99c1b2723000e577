"""The planner's benchmarks, made small."""

from random import Random

import pytest

from bench.mixing import plan, plan_exact
from bench.mixing.every_plan import best_of
from bench.mixing.small_problems import small_problem
from bench.report import document, exit_status
from scheduler.core.mixing.search.building import Layout, StageLayout, built
from tests.builders.mixing import pool_of, problem_of


def test_nothing_is_wrong_in_the_first_cases() -> None:
    measured = plan_exact.measure(cases=8)
    assert measured.figures["cases"] == 8
    assert exit_status(document("plan_exact", measured, 1.0)) == 0


def test_every_plan_of_one_device_is_that_one() -> None:
    problem = problem_of(pool_of(nodes=1, chips_per_node=1))
    layouts = [Layout(1, size, (StageLayout("a", 4, 1, recomputes=False),), ()) for size in (1, 2, 4, 8)]
    assert best_of(problem).step_s == pytest.approx(min(built(problem, each).prediction.step_s for each in layouts))


def test_small_problems_are_drawn_by_their_seed() -> None:
    assert small_problem(Random(3)) == small_problem(Random(3))
    assert small_problem(Random(3)) != small_problem(Random(4))


def test_all_figures_of_the_search_are_there() -> None:
    figures = plan.measure(sizes=(16, 32), runs=1).figures
    assert {limit.figure for limit in (*plan.REQUIRED, *plan.GOALS)} <= set(figures)
    assert all(figure > 0 for name, figure in figures.items() if name.endswith("units"))
