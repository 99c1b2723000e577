"""What a stage does once a step: it sums up gradients over its replicas, and updates its parameters.

Sources: ring all-reduce, `2 (d-1)/d` of the bytes over each link (arXiv 1802.05799). That the ranks of a node share
its network is measured: without it the error over measured mixed runs is far larger, see docs/benchmarks.md.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.counting import layer_parameters
from scheduler.core.mixing.memory import GRADIENT_BYTES, element_bytes

UPDATE_BYTES_PER_PARAMETER = 30
"""Adam reads gradient, master copy and two moments in fp32, writes the last three, and the weight in half precision."""
SUPPOSED_MEMORY_BYTES_PER_S = 1e12
"""Of a training device, where no update was measured: the update is a hundredth of a step or less."""


def gradient_sync_s(
    problem: Problem, pool: ChipPool, *, tensor_parallel: int, data_parallel: int, parameters: int
) -> float:
    """Return how long a stage's replicas take to sum up the gradients of so many parameters on each device.

    `2 (d-1)/d G / W` (ring all-reduce, arXiv 1802.05799): G is of the whole stage and W of the whole node, for the
    ranks of a node share its network. Replicas that all fit into one node use the links of its devices, each rank its
    own. Where the optimiser is sharded, gradients are scattered and weights gathered: each is half of a ring.
    """
    training = problem.training
    gathered = element_bytes(training) if training.shards_optimiser else GRADIENT_BYTES
    sent_bytes = (data_parallel - 1) / data_parallel * parameters * (GRADIENT_BYTES + gathered)
    if data_parallel * tensor_parallel <= pool.chips_per_node:
        return sent_bytes / pool.device_link_bytes_per_s
    return sent_bytes * tensor_parallel / pool.node_link_bytes_per_s


def each_gradient_sync_s(
    problem: Problem, pool: ChipPool, degrees: Sequence[int], data_parallels: Sequence[int]
) -> NDArray[np.float64]:
    """Return `gradient_sync_s` of one parameter, degrees by data-parallel degrees; rounding aside."""
    training = problem.training
    gathered = element_bytes(training) if training.shards_optimiser else GRADIENT_BYTES
    degree, replicas = np.array(degrees)[:, None], np.array(data_parallels)[None, :]
    sent_bytes = (replicas - 1) / replicas * (GRADIENT_BYTES + gathered)
    within_s, between_s = sent_bytes / pool.device_link_bytes_per_s, sent_bytes * degree / pool.node_link_bytes_per_s
    reckoned_s: NDArray[np.float64] = np.where(replicas * degree <= pool.chips_per_node, within_s, between_s)
    return reckoned_s


def update_s(problem: Problem, pool: ChipPool, *, parameters: int, data_parallel: int) -> float:
    """Return how long a device takes to update so many parameters, or its share where the optimiser is sharded."""
    ranks = data_parallel if problem.training.shards_optimiser else 1
    return parameters / ranks * _parameter_update_s(problem, pool)


def _parameter_update_s(problem: Problem, pool: ChipPool) -> float:
    """Measured on the chip with any degree, for an update knows nothing of it; else by the bytes it moves."""
    on_layer = layer_parameters(problem.training.shape)
    known = (
        profile.update_s * key.tensor_parallel / on_layer
        for key, profile in problem.profiles.layers.items()
        if key.chip == pool.chip and profile.update_s
    )
    return max(known, default=UPDATE_BYTES_PER_PARAMETER / SUPPOSED_MEMORY_BYTES_PER_S)
