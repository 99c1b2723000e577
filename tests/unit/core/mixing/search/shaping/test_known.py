"""Where a search begins that knows a plan."""

import numpy as np

from scheduler.core.mixing.search.building import Layout, StageLayout
from scheduler.core.mixing.search.shaping.known import as_shapes
from tests.builders.mixing import pool_of, problem_of
from tests.builders.searching import begun, two_pools

LAYOUT = Layout(1, 1, tuple(StageLayout(pool, 1, 2, recomputes=False) for pool in ("quick", "quick", "slow")), (0, 0))


def test_its_stages_are_taken_over() -> None:
    table, cuts = begun(two_pools())
    shape = as_shapes(table, cuts, LAYOUT)
    assert shape is not None
    names = [table.pools[k].name for k in shape.pool[0]]
    assert (names, shape.stages.tolist()) == (["quick", "slow"], [[2, 1]])
    assert np.array(table.degrees)[shape.degree[0]].tolist() == [2, 2]


def test_a_smaller_pool_gives_what_it_has() -> None:
    table, cuts = begun(problem_of(pool_of("quick", nodes=1, chips_per_node=3), pool_of("slow")))
    shape = as_shapes(table, cuts, LAYOUT)
    assert shape is not None
    assert sorted(shape.stages[0].tolist()) == [1, 1]


def test_a_plan_of_other_pools_is_no_help() -> None:
    table, cuts = begun(problem_of(pool_of("new")))
    assert as_shapes(table, cuts, LAYOUT) is None
