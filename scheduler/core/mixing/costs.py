"""What the parts of a model cost one stage: time of one micro-batch, parameters and activations of one device.

What was measured goes before the formula. Where a chip was measured with another tensor-parallel degree or
micro-batch, the formula is corrected by what it was wrong by there.

Sources: operations as in `counting`; four all-reduces a layer under tensor parallelism, six with full recomputation:
arXiv 1909.08053 (section 3) and arXiv 2205.05198 (section 4.2).
"""

from dataclasses import dataclass
from math import log2

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.profiles import LayerProfile, ProfileKey
from scheduler.core.mixing.counting import (
    embedding_parameters,
    head_forward_flops,
    head_parameters,
    layer_forward_flops,
    layer_parameters,
)
from scheduler.core.mixing.memory import element_bytes, layer_activation_bytes, logits_bytes

REDUCTIONS_PER_PASS = 2
"""All-reduces of a layer under tensor parallelism: after the attention and after the feed-forward network."""


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
    """Return what one layer costs: measured, else by the formula. Recomputing adds a forward pass to the backward."""
    training = problem.training
    measured = profile_of(problem, pool, tensor_parallel=tensor_parallel, micro_batch=micro_batch)
    if measured is not None:
        forward_s, backward_s = measured.layer_forward_s, measured.layer_backward_s
    else:
        factor = _correction(problem, pool, tensor_parallel, micro_batch)
        forward_s = factor * _layer_forward_s(problem, pool, tensor_parallel, micro_batch)
        backward_s = factor * _layer_backward_s(problem, pool, tensor_parallel, micro_batch)
    return LayerCosts(
        forward_s=forward_s,
        backward_s=backward_s + (forward_s if recomputes else 0.0),
        parameters=_on_one(layer_parameters(training.shape), tensor_parallel),
        activation_bytes=layer_activation_bytes(
            training, tensor_parallel=tensor_parallel, micro_batch=micro_batch, recomputes=recomputes
        ),
    )


def embedding_costs(problem: Problem, pool: ChipPool, *, tensor_parallel: int, micro_batch: int) -> EndCosts:
    """Return what the embedding costs the first stage: looking up is free, its one all-reduce is not."""
    training = problem.training
    measured = profile_of(problem, pool, tensor_parallel=tensor_parallel, micro_batch=micro_batch)
    reduction_s = _reduction_s(problem, pool, tensor_parallel, micro_batch)
    return EndCosts(
        forward_s=reduction_s if measured is None else measured.embedding_s,
        backward_s=0.0,
        parameters=_on_one(embedding_parameters(training.shape), tensor_parallel),
        activation_bytes=_boundary_bytes(problem, micro_batch) // (2 * tensor_parallel),
        logits_bytes=0,
    )


def head_costs(problem: Problem, pool: ChipPool, *, tensor_parallel: int, micro_batch: int) -> EndCosts:
    """Return what the head costs the last stage: `2 V h` operations a token, twice that backward, one all-reduce."""
    training = problem.training
    measured = profile_of(problem, pool, tensor_parallel=tensor_parallel, micro_batch=micro_batch)
    if measured is not None:
        forward_s, backward_s = measured.head_s / 3, measured.head_s * 2 / 3
    else:
        flops = training.sequence * micro_batch * head_forward_flops(training)
        factor = _correction(problem, pool, tensor_parallel, micro_batch)
        forward_s = factor * flops / _rate(pool, tensor_parallel)
        backward_s = 2 * forward_s + factor * _reduction_s(problem, pool, tensor_parallel, micro_batch)
    return EndCosts(
        forward_s=forward_s,
        backward_s=backward_s,
        parameters=_on_one(head_parameters(training.shape), tensor_parallel),
        activation_bytes=2 * _boundary_bytes(problem, micro_batch) // tensor_parallel,
        logits_bytes=logits_bytes(training, tensor_parallel=tensor_parallel, micro_batch=micro_batch),
    )


def profile_of(problem: Problem, pool: ChipPool, *, tensor_parallel: int, micro_batch: int) -> LayerProfile | None:
    """Return what was measured of exactly this."""
    return problem.profiles.layers.get(ProfileKey(pool.chip, tensor_parallel, micro_batch))


def is_measured(problem: Problem, pool: ChipPool) -> bool:
    """Say whether times on a pool's devices follow from a measurement: of a layer, or at least of the chip's rate."""
    return not pool.is_estimate or any(key.chip == pool.chip for key in problem.profiles.layers)


def _layer_forward_s(problem: Problem, pool: ChipPool, tensor_parallel: int, micro_batch: int) -> float:
    flops = problem.training.sequence * micro_batch * layer_forward_flops(problem.training)
    reductions_s = REDUCTIONS_PER_PASS * _reduction_s(problem, pool, tensor_parallel, micro_batch)
    return flops / _rate(pool, tensor_parallel) + reductions_s


def _layer_backward_s(problem: Problem, pool: ChipPool, tensor_parallel: int, micro_batch: int) -> float:
    flops = 2 * problem.training.sequence * micro_batch * layer_forward_flops(problem.training)
    reductions_s = REDUCTIONS_PER_PASS * _reduction_s(problem, pool, tensor_parallel, micro_batch)
    return flops / _rate(pool, tensor_parallel) + reductions_s


def _reduction_s(problem: Problem, pool: ChipPool, tensor_parallel: int, micro_batch: int) -> float:
    """A ring all-reduce of one micro-batch's activations within a node: `2 (t-1)/t` of them over each link."""
    share = 2 * (tensor_parallel - 1) / tensor_parallel
    return share * _boundary_bytes(problem, micro_batch) / pool.device_link_bytes_per_s


def _correction(problem: Problem, pool: ChipPool, tensor_parallel: int, micro_batch: int) -> float:
    """Measured by reckoned time of a layer at the nearest degree and micro-batch that was measured; 1 if none was."""
    known = [key for key in problem.profiles.layers if key.chip == pool.chip]
    if not known:
        return 1.0

    def distance(key: ProfileKey) -> tuple[float, int, int]:
        apart = abs(log2(key.tensor_parallel / tensor_parallel)) + abs(log2(key.micro_batch / micro_batch))
        return apart, key.tensor_parallel, key.micro_batch

    nearest = min(known, key=distance)
    profile = problem.profiles.layers[nearest]
    degree, batch = nearest.tensor_parallel, nearest.micro_batch
    reckoned_s = _layer_forward_s(problem, pool, degree, batch) + _layer_backward_s(problem, pool, degree, batch)
    return (profile.layer_forward_s + profile.layer_backward_s) / reckoned_s


def _rate(pool: ChipPool, tensor_parallel: int) -> float:
    return tensor_parallel * pool.flops_per_s * pool.efficiency


def _boundary_bytes(problem: Problem, micro_batch: int) -> int:
    """What goes from a layer to the next of one micro-batch: `s b h` numbers."""
    training = problem.training
    return training.sequence * micro_batch * training.shape.hidden * element_bytes(training)


def _on_one(parameters: int, tensor_parallel: int) -> int:
    return -(-parameters // tensor_parallel)
