"""Why there is no plan, and what would do."""

from dataclasses import replace

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Constraints, Problem
from scheduler.core.mixing.plan import Plan, Stage
from scheduler.core.mixing.search.building import Layout, StageLayout, built
from scheduler.core.mixing.search.exploring import Effort, explored
from scheduler.core.mixing.search.found import MOST_GROWTH, DoesNotFit, LimitsForbid
from scheduler.core.mixing.search.shaping.cuts import cuts_of
from scheduler.core.mixing.search.shaping.table import table_of

LITTLE = Effort(cuts=6, rounds=0, polished=1, exact=1)


def why_nothing(problem: Problem, pools: tuple[ChipPool, ...]) -> DoesNotFit | LimitsForbid:
    """Return which of both it is: the limits on chips that may be used, or memory."""
    free = replace(problem, constraints=Constraints(most_micro_batch=problem.constraints.most_micro_batch))
    without = _any_plan(free, pools)
    if without is not None:
        return LimitsForbid(without)
    again = replace(free, training=replace(problem.training, may_recompute=True))
    stage = _fullest(free, pools)
    return DoesNotFit(
        missing_bytes=max(1, stage.memory.total - stage.memory.limit),
        chip=stage.chip,
        devices=sum(pool.chips for pool in pools),
        enough_devices=_enough(free, pools),
        would_fit_recomputing=_any_plan(again, pools) is not None,
    )


def _any_plan(problem: Problem, pools: tuple[ChipPool, ...]) -> Plan | None:
    table = table_of(problem, pools)
    cuts = cuts_of(table)
    found = explored(table, cuts, effort=LITTLE)
    return built(replace(problem, pools=pools), found[0][0]) if found else None


def _enough(problem: Problem, pools: tuple[ChipPool, ...]) -> int | None:
    """Return how many devices would do if each pool had more nodes in proportion, by doubling and then by halving."""

    def grown(times: int) -> tuple[ChipPool, ...]:
        return tuple(replace(pool, nodes=pool.nodes * times) for pool in pools)

    if _any_plan(problem, grown(MOST_GROWTH)) is None:  # fewer would not do either: that is one search, not many
        return None
    short, enough = 1, 2
    while _any_plan(problem, grown(enough)) is None:
        short, enough = enough, 2 * enough
    while enough - short > 1:
        middle = (short + enough) // 2
        if _any_plan(problem, grown(middle)) is None:
            short = middle
        else:
            enough = middle
    return sum(pool.chips for pool in grown(enough))


def _fullest(problem: Problem, pools: tuple[ChipPool, ...]) -> Stage:
    """Return the fullest stage of the layout that comes nearest to fitting."""
    degrees = range(1, max(pool.chips_per_node for pool in pools) + 1)
    laid = [_spread(problem, pools, degree) for degree in degrees if problem.training.shape.splits_into(degree)]
    fullest = [max(built(problem, layout).stages, key=_over) for layout in laid]
    return min(fullest, key=_over)


def _over(stage: Stage) -> int:
    return stage.memory.total - stage.memory.limit


def _spread(problem: Problem, pools: tuple[ChipPool, ...], degree: int) -> Layout:
    """Return one replica on as many devices as there can be, with layers in proportion to the stages' memory."""
    shape = problem.training.shape
    layers = shape.layers
    stages: list[tuple[ChipPool, int]] = []
    for pool in sorted(pools, key=lambda pool: (-pool.memory_bytes, pool.name)):
        fitting = max(d for d in range(1, min(degree, pool.chips_per_node) + 1) if shape.splits_into(d))
        stages += [(pool, fitting)] * (pool.nodes * (pool.chips_per_node // fitting))
    stages = stages[:layers]
    whole = sum(pool.memory_bytes * fitting for pool, fitting in stages)
    left = layers
    given: list[int] = []
    for pool, fitting in stages:
        share = min(max(1, round(layers * pool.memory_bytes * fitting / whole)), left - (len(stages) - len(given) - 1))
        given.append(share)
        left -= share
    given[-1] += left
    return Layout(
        data_parallel=1,
        micro_batch=1,
        stages=tuple(
            StageLayout(pool.name, count, fitting, problem.training.may_recompute)
            for (pool, fitting), count in zip(stages, given, strict=True)
        ),
        extra_warm_up=(0,) * (len(stages) - 1),
    )
