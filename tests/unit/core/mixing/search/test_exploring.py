"""From first shapes to the best, against every plan of small problems."""

from random import Random

import pytest

from bench.mixing.every_plan import best_of
from bench.mixing.plan import problem as large_problem
from bench.mixing.plan_exact import TOLERANCE, found_step_s
from bench.mixing.small_problems import small_problem
from scheduler.core.mixing.search.exploring import QUICK, THOROUGH, WIDE, effort_for, explored
from tests.builders.searching import begun, two_pools

QUICK_TO_GO_THROUGH = [1, 3, 5, 6, 8, 11, 12, 14]


@pytest.mark.parametrize("seed", QUICK_TO_GO_THROUGH)
def test_it_finds_what_there_is(seed: int) -> None:
    problem = small_problem(Random(seed))
    best_s = best_of(problem).step_s
    found_s = found_step_s(problem)
    assert found_s == best_s or best_s * (1 - 1e-6) <= found_s <= best_s * (1 + TOLERANCE)


def test_small_problems_are_searched_thoroughly() -> None:
    assert effort_for(begun(two_pools())[0]) == THOROUGH
    assert effort_for(begun(large_problem(2, 128))[0]) == QUICK


def test_many_pools_are_looked_at_more_widely() -> None:
    assert effort_for(begun(large_problem(4, 128))[0]) == WIDE


def test_more_effort_finds_nothing_much_better() -> None:
    table, cuts = begun(large_problem(2, 512))
    quick_s = explored(table, cuts, effort=QUICK)[0][1]
    assert quick_s <= explored(table, cuts, effort=THOROUGH)[0][1] * 1.02
