"""Small random problems: two or three pools of a few devices, memory from plenty to hardly enough."""

from dataclasses import replace
from random import Random

from scheduler.core.mixing.asked.pools import ChipPool, Link
from scheduler.core.mixing.asked.problem import Constraints, Problem, Runtime
from scheduler.core.mixing.asked.shape import ModelShape
from scheduler.core.mixing.asked.training import Training
from scheduler.core.model.identifiers import ChipName

ALIKE = ((1, 1), (1, 2), (2, 1), (3, 1), (2, 2))
"""Nodes of a pool, and devices of a node."""
ONE_OF_THREE = ((1, 1), (1, 2))
"""Of the third pool: all plans are to be gone through."""
MOST_POOLS = 3
WORTHS = (0.5, 1.0, 2.3, 7.0)


def small_problem(draw: Random) -> Problem:
    """Return one. Many fit, some only by recomputing or not at all."""
    hidden = draw.choice((1_024, 2_048, 4_096))
    shape = ModelShape(
        name="small",
        layers=draw.randint(2, 6),
        hidden=hidden,
        heads=8,
        key_value_width=draw.choice((hidden, hidden // 4)),
        feed_forward_width=4 * hidden,
        vocabulary=draw.choice((1_000, 32_000, 128_000)),
        is_gated=_is_drawn(draw, 0.5),
        ties_embeddings=_is_drawn(draw, 0.2),
    )
    training = Training(
        shape,
        global_batch=draw.choice((1, 4, 6, 8, 64)),
        sequence=draw.choice((512, 2_048, 4_096)),
        may_recompute=_is_drawn(draw, 0.8),
    )
    pools = tuple(_pool(draw, index, hidden) for index in range(draw.choice((1, 2, 2, 2, 3))))
    links = {
        frozenset((a.name, b.name)): Link(10 ** draw.uniform(8.5, 10.5), goes_through_hosts=_is_drawn(draw, 0.5))
        for a in pools
        for b in pools
        if a.name < b.name and _is_drawn(draw, 0.5)
    }
    runtime = Runtime(blocking_share=draw.choice((0.0, 0.0, 0.44)), may_warm_up_more=_is_drawn(draw, 0.8))
    return Problem(training, pools, links, constraints=Constraints(most_micro_batch=4), runtime=runtime)


def limited(problem: Problem, draw: Random) -> Problem:
    """Return the problem with chips of different worth, and limits on types, devices and compute: some of them."""
    pools = tuple(replace(pool, worth=draw.choice(WORTHS)) for pool in problem.pools)
    chips = sum(pool.chips for pool in pools)
    compute = sum(pool.chips * pool.worth for pool in pools)
    limits = replace(
        problem.constraints,
        most_chip_types=draw.choice((None, None, 1, 2)),
        most_chips=draw.choice((None, draw.randint(1, chips))),
        most_compute=draw.choice((None, compute * draw.uniform(0.1, 1.0))),
    )
    return replace(problem, pools=pools, constraints=limits)


def _is_drawn(draw: Random, share: float) -> bool:
    return draw.random() < share


def _pool(draw: Random, index: int, hidden: int) -> ChipPool:
    nodes, chips_per_node = draw.choice(ONE_OF_THREE if index == MOST_POOLS - 1 else ALIKE)
    memory_bytes = int(hidden**2 * 10 ** draw.uniform(2.6, 4.0))
    return ChipPool(
        name=f"pool-{index}",
        chip=ChipName(f"chip-{draw.randint(0, 9)}"),
        vendor=draw.choice(("north", "south")),
        nodes=nodes,
        chips_per_node=chips_per_node,
        memory_bytes=memory_bytes,
        flops_per_s=10 ** draw.uniform(13.5, 15),
        device_link_bytes_per_s=10 ** draw.uniform(10, 11.5),
        node_link_bytes_per_s=10 ** draw.uniform(9, 11),
        reserved_bytes=memory_bytes // 20,
    )
