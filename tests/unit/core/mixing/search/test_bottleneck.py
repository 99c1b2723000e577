"""The busiest stage at its shortest, against every plan of small problems."""

import tracemalloc
from dataclasses import replace
from random import Random

import pytest

from bench.mixing.every_plan import best_of
from bench.mixing.plan_exact import bottleneck_s
from bench.mixing.small_problems import small_problem
from scheduler.core.mixing.search.bottleneck import bottleneck_of
from tests.builders.mixing import SMALL, pool_of, problem_of, training_of
from tests.builders.searching import begun, two_pools

QUICK_TO_GO_THROUGH = [1, 3, 5, 6, 8, 11, 12, 14]


@pytest.mark.parametrize("seed", QUICK_TO_GO_THROUGH)
def test_it_is_the_shortest_of_all_plans(seed: int) -> None:
    problem = small_problem(Random(seed))
    assert bottleneck_s(problem) == pytest.approx(best_of(problem).steady_s)


def test_it_comes_with_a_shape_that_takes_all_layers() -> None:
    table, cuts = begun(two_pools())
    found = bottleneck_of(table, cuts, 0)
    assert found is not None
    assert 1 <= found.shape.stages.sum() <= table.layers


def test_without_memory_there_is_none() -> None:
    table, cuts = begun(problem_of(pool_of(memory_bytes=1_700_000_000)))
    assert [bottleneck_of(table, cuts, cut) for cut in range(len(cuts.count))].count(None) < len(cuts.count)
    tight, cuts = begun(problem_of(pool_of(memory_bytes=1_380_000_000, nodes=1, chips_per_node=1)))
    assert all(bottleneck_of(tight, cuts, cut) is None for cut in range(len(cuts.count)))


def test_work_does_not_grow_with_the_square_of_the_stages() -> None:
    deep = training_of(replace(SMALL, layers=1_000), global_batch=1)
    table, cuts = begun(problem_of(pool_of(nodes=1_000, chips_per_node=1), training=deep))
    tracemalloc.start()
    found = bottleneck_of(table, cuts, 0)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found is not None
    assert found.shape.stages.sum() == table.layers
    assert peak_bytes < table.layers**2
