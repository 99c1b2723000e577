"""What everything costs, in arrays: one row for each pool, tensor-parallel degree and micro-batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.boundaries import transfer_s
from scheduler.core.mixing.costs import ends_activation_bytes, parameters_on_one, times_of
from scheduler.core.mixing.memory import layer_activation_bytes, logits_bytes, memory_limit, state_bytes
from scheduler.core.mixing.syncing import each_gradient_sync_s, update_s

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
    """K, T: so many tensor-parallel groups the pool has room for within the limits; 0: it cannot have this degree."""
    busy_s: Floats
    """2, K, T, B: of one layer, forward and backward; the second without keeping activations."""
    activation_bytes: Floats
    """2, T, B: of one layer and micro-batch in flight; the second without keeping them."""
    ends_s: Floats
    """2, K, T, B: of the embedding, of the head."""
    ends_activation_bytes: Floats
    """2, T, B: of one micro-batch in flight."""
    logits_bytes: Floats
    """T, B."""
    layer_parameters: Floats
    """T: on one device."""
    ends_parameters: Floats
    """2, T: of the embedding, of the head."""
    transfer_s: Floats
    """K, K, B: one way; within a pool between two of its nodes, where it has several."""
    in_node_s: Floats
    """K, B: one way within a node."""
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
        if training.shape.splits_into(degree)
    )
    divisors = _divisors(training.global_batch)
    micro_batches = tuple(size for size in divisors if size <= constraints.most_micro_batch)
    most = max(pool.nodes * pool.chips_per_node for pool in pools)
    data_parallels = tuple(size for size in divisors if size <= most)
    groups = np.array([[_groups(problem, pool, degree) for degree in degrees] for pool in pools])
    times_s = _times_s(problem, pools, degrees, micro_batches, groups)
    sizes = _sizes(problem, degrees, micro_batches)
    square = len(pools), len(pools)
    ranks = np.array(data_parallels if training.shards_optimiser else (1,) * len(data_parallels))
    return Table(
        problem=problem,
        pools=pools,
        degrees=degrees,
        micro_batches=micro_batches,
        data_parallels=data_parallels,
        groups=groups,
        busy_s=times_s[0:2] if training.may_recompute else times_s[[0, 0]],
        ends_s=times_s[2:4],
        activation_bytes=sizes[0:2],
        ends_activation_bytes=sizes[2:4],
        logits_bytes=sizes[4],
        layer_parameters=sizes[5, :, 0],
        ends_parameters=sizes[6:8, :, 0],
        transfer_s=_transfers_s(problem, [(a, b) for a in pools for b in pools], micro_batches).reshape(*square, -1),
        in_node_s=_transfers_s(problem, [(pool, pool) for pool in pools], micro_batches, in_one_node=True),
        room_bytes=np.array([memory_limit(problem, pool) - pool.reserved_bytes - ROUNDING_BYTES for pool in pools]),
        state_bytes=np.array(
            [state_bytes(training, MANY_PARAMETERS, d).total / MANY_PARAMETERS for d in data_parallels]
        ),
        sync_s=np.array([each_gradient_sync_s(problem, pool, degrees, data_parallels) for pool in pools]),
        update_s=np.array(
            [[update_s(problem, pool, parameters=MANY_PARAMETERS, data_parallel=1) / MANY_PARAMETERS] for pool in pools]
        )
        / ranks,
    )


def _times_s(
    problem: Problem,
    pools: tuple[ChipPool, ...],
    degrees: tuple[int, ...],
    micro_batches: tuple[int, ...],
    groups: Integers,
) -> Floats:
    """Return 4, K, T, B: a layer with activations kept and with computing them anew, the embedding, the head.

    A layer takes for ever where a pool has no room for a group of the degree. Where nothing was measured, times grow in
    proportion to the micro-batch: one size tells all others.
    """
    sizes = micro_batches if problem.profiles.layers else (1,)
    times_s = np.zeros((4, len(pools), len(degrees), len(sizes)))
    times_s[0:2] = np.inf
    for k, t in zip(*(index.tolist() for index in np.nonzero(groups)), strict=True):
        for b, size in enumerate(sizes):
            took = times_of(problem, pools[k], tensor_parallel=degrees[t], micro_batch=size)
            kept_s = took.layer_forward_s + took.layer_backward_s
            times_s[:, k, t, b] = kept_s, kept_s + took.layer_forward_s, took.embedding_s or 0.0, took.head_s or 0.0
    return times_s if len(sizes) == len(micro_batches) else times_s * np.array(micro_batches)


def _sizes(problem: Problem, degrees: tuple[int, ...], micro_batches: tuple[int, ...]) -> Floats:
    """Return 8, T, B: what of memory and parameters is the same on any pool."""
    sizes = [[_size(problem, degree, size) for size in micro_batches] for degree in degrees]
    return np.moveaxis(np.array(sizes, dtype=np.float64), 2, 0)


def _size(problem: Problem, degree: int, size: int) -> tuple[float, ...]:
    """Return activations of a layer kept and not, of embedding and head, logits; parameters of layer and both ends."""
    training = problem.training
    kept_bytes, again_bytes = (
        layer_activation_bytes(training, tensor_parallel=degree, micro_batch=size, recomputes=recomputes)
        for recomputes in (False, training.may_recompute)
    )
    return (
        *(kept_bytes, again_bytes),
        *ends_activation_bytes(problem, tensor_parallel=degree, micro_batch=size),
        logits_bytes(training, tensor_parallel=degree, micro_batch=size),
        *parameters_on_one(training.shape, degree),
    )


def _transfers_s(
    problem: Problem,
    pairs: Sequence[tuple[ChipPool, ChipPool]],
    micro_batches: tuple[int, ...],
    *,
    in_one_node: bool = False,
) -> Floats:
    """Return pairs, B. A latency, and so much more for each sequence: two sizes tell all others."""
    one_s, two_s = (
        np.array([transfer_s(problem, a, b, micro_batch=size, in_one_node=in_one_node) for a, b in pairs])
        for size in (1, 2)
    )
    reckoned: Floats = one_s[:, None] + (two_s - one_s)[:, None] * (np.array(micro_batches) - 1)
    return reckoned


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


def _groups(problem: Problem, pool: ChipPool, degree: int) -> int:
    """Return how many groups of so many devices a pool has, no more than the limits leave to it alone."""
    constraints = problem.constraints
    found = pool.nodes * (pool.chips_per_node // degree)
    if constraints.most_chips is not None:
        found = min(found, int(constraints.most_chips) // degree)
    if constraints.most_compute is not None:
        found = min(found, int(constraints.most_compute * (1 + 1e-9) / (pool.worth * degree)))
    return found
