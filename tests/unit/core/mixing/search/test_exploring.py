"""From first shapes to the best, against every plan of small problems."""

from dataclasses import replace
from random import Random

import pytest

from bench.mixing.every_plan import best_of
from bench.mixing.plan import problem as large_problem
from bench.mixing.plan_exact import TOLERANCE, found_step_s
from bench.mixing.small_problems import small_problem
from scheduler.core.mixing.asked.problem import Constraints
from scheduler.core.mixing.search import exploring
from scheduler.core.mixing.search.bottleneck import Bottleneck, bottleneck_of
from scheduler.core.mixing.search.exploring import DEEP, QUICK, THOROUGH, WIDE, effort_for, explored
from scheduler.core.mixing.search.shaping.cuts import Cuts
from scheduler.core.mixing.search.shaping.shapes import Shapes, first_shapes
from scheduler.core.mixing.search.shaping.table import Table
from tests.builders.mixing import pool_of, problem_of, training_of
from tests.builders.searching import begun, two_pools

QUICK_TO_GO_THROUGH = [1, 3, 5, 6, 8, 11, 12, 14]


@pytest.mark.parametrize("seed", QUICK_TO_GO_THROUGH)
def test_it_finds_what_there_is(seed: int) -> None:
    problem = small_problem(Random(seed))
    best_s = best_of(problem).step_s
    found_s = found_step_s(problem)
    assert found_s == best_s or best_s * (1 - 1e-6) <= found_s <= best_s * (1 + TOLERANCE)


def test_small_problems_are_searched_thoroughly() -> None:
    assert effort_for(*begun(two_pools())) == THOROUGH
    assert effort_for(*begun(large_problem(2, 128))) == QUICK


def test_many_pools_are_looked_at_more_widely() -> None:
    assert effort_for(*begun(large_problem(4, 128))) == WIDE


def test_shapes_for_a_batch_that_can_hardly_be_cut_are_searched_more_deeply() -> None:
    problem = large_problem(4, 128)
    prime = replace(problem, training=replace(problem.training, global_batch=97))
    assert effort_for(*begun(prime)) == DEEP


def test_more_effort_finds_nothing_much_better() -> None:
    table, cuts = begun(large_problem(2, 512))
    quick_s = explored(table, cuts, effort=QUICK)[0][1]
    assert quick_s <= explored(table, cuts, effort=THOROUGH)[0][1] * 1.02


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets each cut of the batch whose shape is found exactly."""
    found: list[int] = []

    def counted(table: Table, cuts: Cuts, cut: int) -> Bottleneck | None:
        found.append(cut)
        return bottleneck_of(table, cuts, cut)

    monkeypatch.setattr(exploring, "bottleneck_of", counted)
    return found


def test_where_a_single_sequence_does_not_fit_no_larger_micro_batch_is_tried(exact: list[int]) -> None:
    training = training_of(global_batch=720_720, sequence=1_000, may_recompute=False)
    table, cuts = begun(problem_of(pool_of(memory_bytes=1_400_000_000), training=training))
    assert explored(table, cuts) == []
    assert len(exact) == len(set(cuts.data_parallel.tolist())) < len(cuts.count)


def test_of_shapes_that_must_be_found_exactly_some_do(exact: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    training = training_of(global_batch=720_720)
    table, cuts = begun(problem_of(pool_of(nodes=200), training=training))
    monkeypatch.setattr(exploring, "first_shapes", _none_of)
    assert explored(table, cuts, effort=QUICK)
    assert len(exact) <= 2 * QUICK.exact < len(cuts.count)


def test_a_pool_that_limits_leave_no_room_for_is_no_trouble() -> None:
    limits = Constraints(most_compute=4.0)
    table, cuts = begun(problem_of(pool_of("a"), pool_of("b", worth=100.0), constraints=limits))
    for effort in (QUICK, THOROUGH):
        assert {stage.pool for stage in explored(table, cuts, effort=effort)[0][0].stages} == {"a"}


def _none_of(table: Table, cuts: Cuts, some: int) -> Shapes:
    return first_shapes(table, cuts, some).take(slice(0))
