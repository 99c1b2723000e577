"""What simpler ways would give beside the best plan: chips of one vendor alone, and layers by a rule of thumb."""

from dataclasses import replace

import numpy as np

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.plan import Plan
from scheduler.core.mixing.search.building import built, fits, layout_of, simulated
from scheduler.core.mixing.search.exploring import explored
from scheduler.core.mixing.search.found import Comparison, Way
from scheduler.core.mixing.search.shaping.cuts import cuts_of
from scheduler.core.mixing.search.shaping.table import table_of


def compared(problem: Problem, best: Plan, pools: tuple[ChipPool, ...]) -> tuple[Comparison, ...]:
    """Return each vendor of `pools` alone, where there are several, and the proportional and the even split.

    Both splits keep the best plan's stages and its cut of the batch, and recompute where memory wants it. All are
    simulated.
    """
    vendors = sorted({pool.vendor for pool in pools})
    alone = [
        Comparison(Way.ONE_VENDOR, vendor, _best_on(problem, tuple(pool for pool in pools if pool.vendor == vendor)))
        for vendor in (vendors if len(vendors) > 1 else [])
    ]
    rates = {pool.name: pool.flops_per_s for pool in pools}
    peaks = [rates[stage.pool] * stage.tensor_parallel for stage in best.stages]
    splits = [
        Comparison(way, None, _split(problem, best, weights))
        for way, weights in ((Way.PROPORTIONAL, peaks), (Way.EVEN, [1.0] * len(peaks)))
    ]
    return (*alone, *splits)


def shared_out(layers: int, weights: list[float]) -> list[int]:
    """Return whole layers in proportion to the weights, at least one each: largest remainders get what is left."""
    spare = layers - len(weights)
    wished = np.array(weights) * (layers / sum(weights))
    above = (wished - 1).clip(min=0.0)
    above *= spare / above.sum() if above.sum() else 0.0
    given = np.floor(above + 1e-9).astype(np.int64)
    for index in np.argsort(-(above - given), kind="stable")[: spare - int(given.sum())]:
        given[index] += 1
    return [int(count) + 1 for count in given]


def _best_on(problem: Problem, pools: tuple[ChipPool, ...]) -> Plan | None:
    table = table_of(problem, pools)
    cuts = cuts_of(table)
    found = explored(table, cuts)
    return simulated(problem, built(problem, found[0][0])) if found else None


def _split(problem: Problem, best: Plan, weights: list[float]) -> Plan | None:
    layout = layout_of(best)
    counts = shared_out(problem.training.shape.layers, weights)
    stages = tuple(
        replace(stage, layers=count, recomputes=False) for stage, count in zip(layout.stages, counts, strict=True)
    )
    plan = built(problem, replace(layout, stages=stages))
    if not fits(plan) and problem.training.may_recompute:
        again = tuple(
            replace(decided, recomputes=stage.memory.total > stage.memory.limit)
            for decided, stage in zip(stages, plan.stages, strict=True)
        )
        plan = built(problem, replace(layout, stages=again))
    return simulated(problem, plan) if fits(plan) else None
