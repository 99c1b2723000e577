"""What everything costs, in arrays: one row for each pool, tensor-parallel degree and micro-batch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.boundaries import transfer_s
from scheduler.core.mixing.costs import embedding_costs, head_costs, layer_costs
from scheduler.core.mixing.memory import memory_limit, state_bytes
from scheduler.core.mixing.syncing import gradient_sync_s, update_s

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

MANY_PARAMETERS = 1 << 40
"""What grows with parameters is linear in them: asked for so many, rounding is lost."""
ROUNDING_BYTES = 64
"""Sums of rounded bytes may exceed what is reckoned here by so much."""


@dataclass(frozen=True, slots=True)
class Table:
    """Costs of a problem. Axes: K pools in an order of their own, T degrees, B micro-batches, D data parallels."""

    problem: Problem
    pools: tuple[ChipPool, ...]
    degrees: tuple[int, ...]
    micro_batches: tuple[int, ...]
    """Sequences."""
    data_parallels: tuple[int, ...]
    groups: Integers
    """K, T: so many tensor-parallel groups the pool has room for; 0 where it cannot have this degree."""
    busy_s: Floats
    """2, K, T, B: of one layer, forward and backward; the second without keeping activations."""
    activation_bytes: Floats
    """2, K, T, B: of one layer and micro-batch in flight; the second without keeping them."""
    ends_s: Floats
    """2, K, T, B: of the embedding, of the head."""
    ends_activation_bytes: Floats
    """2, K, T, B: of one micro-batch in flight."""
    logits_bytes: Floats
    """K, T, B."""
    layer_parameters: Floats
    """T: on one device."""
    ends_parameters: Floats
    """2, T: of the embedding, of the head."""
    transfer_s: Floats
    """K, K, B: one way."""
    room_bytes: Floats
    """K: of one device for states, activations and logits."""
    state_bytes: Floats
    """D: of one parameter."""
    sync_s: Floats
    """K, T, D: of one parameter on one device."""
    update_s: Floats
    """K, D: of one parameter on one device."""

    @property
    def layers(self) -> int:
        """Of the model."""
        return self.problem.training.shape.layers


def table_of(problem: Problem, pools: tuple[ChipPool, ...]) -> Table:
    """Reckon the costs of a problem on pools that can train it. They are sorted: plans do not depend on their order."""
    training, constraints = problem.training, problem.constraints
    pools = tuple(sorted(pools, key=_identity))
    degrees = tuple(
        degree
        for degree in range(1, max(pool.chips_per_node for pool in pools) + 1)
        if training.shape.heads % degree == 0
    )
    sizes = _divisors(training.global_batch)
    micro_batches = tuple(size for size in sizes if size <= constraints.most_micro_batch)
    most = max(pool.nodes * pool.chips_per_node for pool in pools)
    data_parallels = tuple(size for size in sizes if size <= most)
    groups = np.array([[pool.nodes * (pool.chips_per_node // degree) for degree in degrees] for pool in pools])
    costs = _costs(problem, pools, degrees, micro_batches, groups)
    return Table(
        problem=problem,
        pools=pools,
        degrees=degrees,
        micro_batches=micro_batches,
        data_parallels=data_parallels,
        groups=groups,
        busy_s=costs[0:2],
        activation_bytes=costs[2:4],
        ends_s=costs[4:6],
        ends_activation_bytes=costs[6:8],
        logits_bytes=costs[8],
        layer_parameters=costs[9].max(axis=(0, 2)),
        ends_parameters=costs[10:12].max(axis=(1, 3)),
        transfer_s=np.array(
            [[[transfer_s(problem, a, b, micro_batch=size) for size in micro_batches] for b in pools] for a in pools]
        ),
        room_bytes=np.array([memory_limit(problem, pool) - pool.reserved_bytes - ROUNDING_BYTES for pool in pools]),
        state_bytes=np.array(
            [state_bytes(training, MANY_PARAMETERS, d).total / MANY_PARAMETERS for d in data_parallels]
        ),
        sync_s=np.array(
            [[[_sync_s(problem, pool, degree, d) for d in data_parallels] for degree in degrees] for pool in pools]
        ),
        update_s=np.array(
            [
                [update_s(problem, pool, parameters=MANY_PARAMETERS, data_parallel=d) for d in data_parallels]
                for pool in pools
            ]
        )
        / MANY_PARAMETERS,
    )


def _costs(
    problem: Problem,
    pools: tuple[ChipPool, ...],
    degrees: tuple[int, ...],
    micro_batches: tuple[int, ...],
    groups: Integers,
) -> Floats:
    """Return twelve costs of each pool, degree and micro-batch; a layer takes for ever where a pool lacks a degree."""
    costs = np.zeros((12, len(pools), len(degrees), len(micro_batches)))
    costs[0:2] = np.inf
    for k, t in zip(*np.nonzero(groups), strict=True):
        for b, size in enumerate(micro_batches):
            costs[:, k, t, b] = _row(problem, pools[k], degrees[t], size)
    return costs


def _row(problem: Problem, pool: ChipPool, degree: int, size: int) -> tuple[float, ...]:
    kept = layer_costs(problem, pool, tensor_parallel=degree, micro_batch=size, recomputes=False)
    again = kept
    if problem.training.may_recompute:
        again = layer_costs(problem, pool, tensor_parallel=degree, micro_batch=size, recomputes=True)
    embedding = embedding_costs(problem, pool, tensor_parallel=degree, micro_batch=size)
    head = head_costs(problem, pool, tensor_parallel=degree, micro_batch=size)
    return (
        kept.forward_s + kept.backward_s,
        again.forward_s + again.backward_s,
        kept.activation_bytes,
        again.activation_bytes,
        embedding.forward_s + embedding.backward_s,
        head.forward_s + head.backward_s,
        embedding.activation_bytes,
        head.activation_bytes,
        head.logits_bytes + embedding.logits_bytes,
        kept.parameters,
        embedding.parameters,
        head.parameters,
    )


def _sync_s(problem: Problem, pool: ChipPool, degree: int, data_parallel: int) -> float:
    whole_s = gradient_sync_s(
        problem, pool, tensor_parallel=degree, data_parallel=data_parallel, parameters=MANY_PARAMETERS
    )
    return whole_s / MANY_PARAMETERS


def _identity(pool: ChipPool) -> tuple[object, ...]:
    """What pools are told apart by, the name last."""
    return (
        pool.chip,
        pool.memory_bytes,
        pool.flops_per_s * pool.efficiency,
        pool.nodes,
        pool.chips_per_node,
        pool.node_link_bytes_per_s,
        pool.device_link_bytes_per_s,
        pool.name,
    )


def _divisors(number: int) -> tuple[int, ...]:
    small = [size for size in range(1, int(number**0.5) + 1) if number % size == 0]
    return tuple(sorted({*small, *(number // size for size in small)}))
