"""How a model is trained."""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.core.mixing.asked.shape import ModelShape


class Precision(StrEnum):
    """In what the matrices are multiplied."""

    BF16 = "bf16"
    FP16 = "fp16"
    FP32 = "fp32"


@dataclass(frozen=True, slots=True)
class Training:
    """One training job, whatever it runs on."""

    shape: ModelShape
    global_batch: int
    """Sequences a step."""
    sequence: int
    """Tokens of a sequence."""
    precision: Precision = Precision.BF16
    shards_optimiser: bool = True
    """The optimiser's state is spread over the data-parallel ranks."""
    sequence_parallel: bool = True
    """What tensor parallelism does not split is split along the sequence."""
    stores_scores: bool = False
    """The attention scores are kept for the backward pass, as without flash attention or selective recomputation."""
    may_recompute: bool = True
    """A stage may compute its activations anew in the backward pass to save memory."""
    is_causal: bool = True
    """A token sees those before it only: half of the scores."""
