"""What a stage takes of the memory of each of its devices.

Sources: arXiv 2205.05198 (equations 1 to 4: activations of a layer), arXiv 1910.02054 (states of mixed precision, and
spreading them). All of it is in bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.training import Precision, Training
from scheduler.core.mixing.plan import MemoryUse

GRADIENT_BYTES = 4
"""Gradients are summed up in fp32, whatever the matrices are multiplied in."""
MASTER_BYTES = 4
MOMENTS_BYTES = 8
"""Two of Adam, in fp32."""
LOGITS_BYTES_OF_FP32 = 4
_ELEMENT_BYTES = {Precision.BF16: 2, Precision.FP16: 2, Precision.FP32: 4}


@dataclass(frozen=True, slots=True)
class States:
    """Bytes of what is trained."""

    parameters: int
    gradients: int
    optimiser: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.parameters + self.gradients + self.optimiser


def element_bytes(training: Training) -> int:
    """Return the bytes of one number of a weight or an activation."""
    return _ELEMENT_BYTES[training.precision]


def state_bytes(training: Training, parameters: int, data_parallel: int) -> States:
    """Return what so many parameters on one device take: 18 bytes each, or `6 + 12/d` where the optimiser is sharded.

    Of half precision: weight 2, gradient 4, master copy and moments 12 (arXiv 1910.02054, section 3.1, with gradients
    in fp32 as Megatron keeps them). Of fp32 there is no master copy: 4, 4 and 8.
    """
    element = element_bytes(training)
    master = 0 if training.precision is Precision.FP32 else MASTER_BYTES
    ranks = data_parallel if training.shards_optimiser else 1
    optimiser = -(-parameters * (MOMENTS_BYTES + master) // ranks)
    return States(parameters * element, parameters * GRADIENT_BYTES, optimiser)


def layer_activation_bytes(training: Training, *, tensor_parallel: int, micro_batch: int, recomputes: bool) -> int:
    """Return what one layer keeps on one device of one micro-batch until its backward pass (arXiv 2205.05198, eq. 1-4).

    With flash attention or selective recomputation `34 s b h / t`; without sequence parallelism `s b h (10 + 24/t)`;
    the scores, where they are kept, `5 a s^2 b / t` more; with full recomputation only the input, `2 s b h`. The
    numbers are of half precision, and of a layer with dropout and a feed-forward width of 4 h. Where the tensors of
    a layer sum up to more than 34 h a token, that counts.
    """
    shape, tokens = training.shape, training.sequence * micro_batch
    if recomputes:
        return tokens * shape.hidden * element_bytes(training)
    whole = 10 * shape.hidden
    split = max(24 * shape.hidden, _tensors(training) - whole)
    if shape.experts:
        further = shape.experts.active - 1
        whole += further * 2 * shape.hidden
        split += further * _feed_forward_tensors(training)
    per_token = (whole + split) / tensor_parallel if training.sequence_parallel else whole + split / tensor_parallel
    scores = 5 * shape.heads * training.sequence / tensor_parallel if training.stores_scores else 0.0
    return round(tokens * (per_token + scores) * element_bytes(training) / 2)


def logits_bytes(training: Training, *, tensor_parallel: int, micro_batch: int) -> int:
    """Return what the head keeps of one micro-batch: `6 s b V / t`, the logits and a copy of them in fp32.

    Of arXiv 2205.05198 (section 4.3) `4 s b V / t` is the copy that the loss is worked out from.
    """
    logits = training.sequence * micro_batch * training.shape.vocabulary
    return -(-logits * (element_bytes(training) + LOGITS_BYTES_OF_FP32) // tensor_parallel)


def in_flight(stage: int, stages: int, micro_batches: int, extra_warm_up: Sequence[int]) -> int:
    """Return how many micro-batches a stage (from 0) holds at most under 1F1B: `min(m, p - i)` and what it runs ahead.

    `extra_warm_up` has an entry for each boundary; a stage runs ahead by those of all boundaries behind it. 1F1B is of
    arXiv 2104.04473 (section 2.2.1).
    """
    return min(micro_batches, stages - stage + sum(extra_warm_up[stage:]))


def memory_limit(problem: Problem, pool: ChipPool) -> int:
    """Return the bytes of a device that may be planned with."""
    return int(problem.runtime.memory_share * pool.memory_bytes)


def memory_use(
    problem: Problem, pool: ChipPool, *, parameters: int, data_parallel: int, activations: int, logits: int
) -> MemoryUse:
    """Return what a stage takes of each device for its `parameters` there, all its activations and its logits."""
    states = state_bytes(problem.training, parameters, data_parallel)
    return MemoryUse(
        parameters=states.parameters,
        gradients=states.gradients,
        optimiser=states.optimiser,
        activations=activations,
        logits=logits,
        reserved=pool.reserved_bytes,
        limit=memory_limit(problem, pool),
    )


def _tensors(training: Training) -> int:
    """Bytes of a token in one layer without dropout: norms and inputs 8 h, query and output 4 h, key and value 4 g."""
    shape = training.shape
    return 12 * shape.hidden + 4 * shape.key_value_width + _feed_forward_tensors(training)


def _feed_forward_tensors(training: Training) -> int:
    return (6 if training.shape.is_gated else 4) * training.shape.feed_forward_width
