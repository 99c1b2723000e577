"""What the parts of a model cost one stage: time of one micro-batch, parameters and activations of one device.

What was measured goes before the formula. Where a chip was measured with another tensor-parallel degree only, or with
another micro-batch only, the formula is corrected by what it was wrong by there.

Sources: operations as in `counting`; four all-reduces a layer under tensor parallelism, six with full recomputation:
arXiv 1909.08053 (section 3) and arXiv 2205.05198 (section 4.2).
"""

from dataclasses import dataclass
from math import log2

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.profiles import LayerProfile, ProfileKey
from scheduler.core.mixing.asked.shape import ModelShape
from scheduler.core.mixing.calibrating.interpolating import layer_at
from scheduler.core.mixing.counting import (
    PASSES,
    embedding_parameters,
    head_forward_flops,
    head_parameters,
    layer_forward_flops,
    layer_parameters,
)
from scheduler.core.mixing.memory import element_bytes, layer_activation_bytes, logits_bytes

REDUCTIONS_PER_PASS = 2
"""All-reduces of a layer under tensor parallelism: after the attention and after the feed-forward network."""
FORWARD_PART = 1 / 3
"""Of what the head takes: backward there are two matrix multiplications for each one forward."""


@dataclass(frozen=True, slots=True)
class LayerCosts:
    """Of one layer."""

    forward_s: float
    """Of one micro-batch, tensor-parallel communication included."""
    backward_s: float
    """Of one micro-batch; computing the layer anew is included where it recomputes."""
    parameters: int
    """On one device."""
    activation_bytes: int
    """On one device, for one micro-batch in flight."""


@dataclass(frozen=True, slots=True)
class EndCosts:
    """Of the embedding or of the head."""

    forward_s: float
    backward_s: float
    parameters: int
    """On one device. A tied head has a copy of its own, unless the pipeline has one stage only."""
    activation_bytes: int
    """On one device, for one micro-batch in flight."""
    logits_bytes: int
    """On one device, once."""


def layer_costs(
    problem: Problem, pool: ChipPool, *, tensor_parallel: int, micro_batch: int, recomputes: bool
) -> LayerCosts:
    """Return what one layer costs. Recomputing adds a forward pass to the backward."""
    training = problem.training
    times = times_of(problem, pool, tensor_parallel=tensor_parallel, micro_batch=micro_batch)
    return LayerCosts(
        forward_s=times.layer_forward_s,
        backward_s=times.layer_backward_s + (times.layer_forward_s if recomputes else 0.0),
        parameters=parameters_on_one(training.shape, tensor_parallel)[0],
        activation_bytes=layer_activation_bytes(
            training, tensor_parallel=tensor_parallel, micro_batch=micro_batch, recomputes=recomputes
        ),
    )


def embedding_costs(problem: Problem, pool: ChipPool, *, tensor_parallel: int, micro_batch: int) -> EndCosts:
    """Return what the embedding costs the first stage: looking up is free, its one all-reduce is not."""
    times = times_of(problem, pool, tensor_parallel=tensor_parallel, micro_batch=micro_batch)
    return EndCosts(
        forward_s=times.embedding_s or 0.0,
        backward_s=0.0,
        parameters=parameters_on_one(problem.training.shape, tensor_parallel)[1],
        activation_bytes=ends_activation_bytes(problem, tensor_parallel=tensor_parallel, micro_batch=micro_batch)[0],
        logits_bytes=0,
    )


def head_costs(problem: Problem, pool: ChipPool, *, tensor_parallel: int, micro_batch: int) -> EndCosts:
    """Return what the head costs the last stage: `2 V h` operations a token, twice that backward, one all-reduce."""
    training = problem.training
    times = times_of(problem, pool, tensor_parallel=tensor_parallel, micro_batch=micro_batch)
    both_s = times.head_s or 0.0
    return EndCosts(
        forward_s=both_s * FORWARD_PART,
        backward_s=both_s * (1 - FORWARD_PART),
        parameters=parameters_on_one(training.shape, tensor_parallel)[2],
        activation_bytes=ends_activation_bytes(problem, tensor_parallel=tensor_parallel, micro_batch=micro_batch)[1],
        logits_bytes=logits_bytes(training, tensor_parallel=tensor_parallel, micro_batch=micro_batch),
    )


def ends_activation_bytes(problem: Problem, *, tensor_parallel: int, micro_batch: int) -> tuple[int, int]:
    """Return what the embedding and the head keep on one device of one micro-batch in flight."""
    sent_bytes = _boundary_bytes(problem, micro_batch)
    return sent_bytes // (2 * tensor_parallel), 2 * sent_bytes // tensor_parallel


def parameters_on_one(shape: ModelShape, tensor_parallel: int) -> tuple[int, int, int]:
    """Return the parameters that one device has of a layer, of the embedding and of the head."""
    layer, embedding, head = (
        -(-whole // tensor_parallel)
        for whole in (layer_parameters(shape), embedding_parameters(shape), head_parameters(shape))
    )
    return layer, embedding, head


def times_of(problem: Problem, pool: ChipPool, *, tensor_parallel: int, micro_batch: int) -> LayerProfile:
    """Return what a layer, the embedding and the head take: measured, else by the formula and what corrects it.

    Nothing is None of them, only the update may be.
    """
    reckoned = _reckoned(problem, pool, tensor_parallel, micro_batch)
    if not problem.profiles.layers:
        return reckoned
    measured = layer_at(problem.profiles, pool.chip, tensor_parallel=tensor_parallel, micro_batch=micro_batch)
    if measured is None:
        measured = _as_nearest(problem, pool, ProfileKey(pool.chip, tensor_parallel, micro_batch), reckoned)
    if measured is None:
        return reckoned
    wrong_by = measured.layer_forward_s / reckoned.layer_forward_s
    return LayerProfile(
        measured.layer_forward_s,
        measured.layer_backward_s,
        reckoned.embedding_s if measured.embedding_s is None else measured.embedding_s,
        (reckoned.head_s or 0.0) * wrong_by if measured.head_s is None else measured.head_s,
        measured.update_s,
    )


def is_measured(problem: Problem, pool: ChipPool) -> bool:
    """Say whether times on a pool's devices follow from a measurement: of a layer, or at least of the chip's rate."""
    return not pool.is_estimate or any(key.chip == pool.chip for key in problem.profiles.layers)


def _as_nearest(problem: Problem, pool: ChipPool, asked: ProfileKey, reckoned: LayerProfile) -> LayerProfile | None:
    """Correct the formula by what it is wrong by at the nearest degree and micro-batch that were measured, if any."""

    def distance(key: ProfileKey) -> tuple[float, int, int]:
        degrees = log2(key.tensor_parallel / asked.tensor_parallel)
        return abs(degrees) + abs(log2(key.micro_batch / asked.micro_batch)), key.tensor_parallel, key.micro_batch

    nearest = min((key for key in problem.profiles.layers if key.chip == pool.chip), key=distance, default=None)
    if nearest is None:
        return None
    seen = problem.profiles.layers[nearest]
    there = _reckoned(problem, pool, nearest.tensor_parallel, nearest.micro_batch)
    head_ratio = (reckoned.head_s or 0.0) / (there.head_s or 1.0)
    return LayerProfile(
        reckoned.layer_forward_s * seen.layer_forward_s / there.layer_forward_s,
        reckoned.layer_backward_s * seen.layer_backward_s / there.layer_backward_s,
        None if seen.embedding_s is None else seen.embedding_s * asked.micro_batch / nearest.micro_batch,
        None if seen.head_s is None else seen.head_s * head_ratio,
        seen.update_s,
    )


def _reckoned(problem: Problem, pool: ChipPool, tensor_parallel: int, micro_batch: int) -> LayerProfile:
    """What the formulas say: operations by the rate of all devices of a group, and ring all-reduces within the node."""
    training = problem.training
    tokens_by_rate = training.sequence * micro_batch / (tensor_parallel * pool.flops_per_s * pool.efficiency)
    layer_s = tokens_by_rate * layer_forward_flops(training)
    ring_share = 2 * (tensor_parallel - 1) / tensor_parallel
    reduction_s = ring_share * _boundary_bytes(problem, micro_batch) / pool.device_link_bytes_per_s
    return LayerProfile(
        layer_s + REDUCTIONS_PER_PASS * reduction_s,
        (PASSES - 1) * layer_s + REDUCTIONS_PER_PASS * reduction_s,
        reduction_s,
        PASSES * tokens_by_rate * head_forward_flops(training) + reduction_s,
    )


def _boundary_bytes(problem: Problem, micro_batch: int) -> int:
    """What goes from a layer to the next of one micro-batch: `s b h` numbers."""
    training = problem.training
    return training.sequence * micro_batch * training.shape.hidden * element_bytes(training)
