"""Problems of the planner, as far along the search as a test wants them."""

from typing import Any

import numpy as np

from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.search.layering.pipelines import Pipelines, pipelines_of
from scheduler.core.mixing.search.shaping.cuts import Cuts, cuts_of
from scheduler.core.mixing.search.shaping.shapes import WARM_UPS_NONE, Shapes
from scheduler.core.mixing.search.shaping.table import Table, table_of
from tests.builders.mixing import pool_of, problem_of


def two_pools(**said: Any) -> Problem:
    """Return a problem on one quick and one slow pool of eight devices each."""
    return problem_of(pool_of("quick", flops_per_s=2e12), pool_of("slow"), **said)


def begun(problem: Problem) -> tuple[Table, Cuts]:
    """Return a problem's costs, and all ways of cutting its batch."""
    table = table_of(problem, problem.pools)
    return table, cuts_of(table)


def cut_of(table: Table, cuts: Cuts, replicas: int, micro_batch: int) -> int:
    """Return the index of one way of cutting the batch."""
    sizes = np.array(table.micro_batches)[cuts.micro_batch]
    return int(np.flatnonzero((cuts.replicas == replicas) & (sizes == micro_batch))[0])


def shape_of(table: Table, cut: int, *runs: tuple[str, int, int], warm_ups: int = WARM_UPS_NONE) -> Shapes:
    """Return one shape: runs of pool, tensor-parallel degree and stages, the first of the pipeline first."""
    names = [pool.name for pool in table.pools]
    used = [names.index(name) for name, _, _ in runs]
    idle = [k for k in range(len(names)) if k not in used]
    return Shapes.of(
        cut=np.array([cut]),
        pool=np.array([used + idle]),
        degree=np.array([[table.degrees.index(degree) for _, degree, _ in runs] + [0] * len(idle)]),
        stages=np.array([[stages for _, _, stages in runs] + [0] * len(idle)]),
        warm_ups=np.array([warm_ups]),
    )


def laid_out(problem: Problem, *runs: tuple[str, int, int], warm_ups: int = WARM_UPS_NONE) -> Pipelines:
    """Return one pipeline of one replica with micro-batches of one sequence."""
    table, cuts = begun(problem)
    return pipelines_of(table, cuts, shape_of(table, cut_of(table, cuts, 1, 1), *runs, warm_ups=warm_ups))
