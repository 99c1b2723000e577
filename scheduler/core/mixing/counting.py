"""What a model counts: parameters, and floating-point operations of a token.

Sources: the counts of parameters follow from the matrices of a decoder layer; operations are those of arXiv 2104.04473
(section 5.1: every parameter is multiplied once forward and twice backward) with the attention scores of
arXiv 2205.05198 (appendix A).
"""

from scheduler.core.mixing.asked.shape import ModelShape
from scheduler.core.mixing.asked.training import Training

FORWARD_FLOPS_PER_PARAMETER = 2
"""A multiplication and an addition."""
PASSES = 3
"""Forward once; backward costs twice as much: the gradients of inputs and of weights."""


def layer_parameters(shape: ModelShape) -> int:
    """Return the parameters of one layer, all experts included: `2h^2 + 2hg` and 3 (gated) or 2 matrices of `hf`."""
    experts = shape.experts.count if shape.experts else 1
    return _attention(shape) + _router(shape) + experts * _feed_forward(shape)


def active_parameters(shape: ModelShape) -> int:
    """Return the parameters of one layer that a token is multiplied with: of the experts only those it goes through."""
    experts = shape.experts.active if shape.experts else 1
    return _attention(shape) + _router(shape) + experts * _feed_forward(shape)


def embedding_parameters(shape: ModelShape) -> int:
    """Return the parameters before the first layer: a row for each word, and for each position that is learnt."""
    return (shape.vocabulary + shape.learnt_positions) * shape.hidden


def head_parameters(shape: ModelShape) -> int:
    """Return the parameters after the last layer. A head that is tied to the embedding has as many."""
    return shape.vocabulary * shape.hidden


def parameters(shape: ModelShape) -> int:
    """Return all parameters of a model; a tied head counts once."""
    head = 0 if shape.ties_embeddings else head_parameters(shape)
    return shape.layers * layer_parameters(shape) + embedding_parameters(shape) + head


def layer_forward_flops(training: Training) -> float:
    """Return the operations of one token in one layer, forward: `2 P + 4 s h`, `2 P + 2 s h` where it is causal."""
    scores = (2 if training.is_causal else 4) * training.sequence * training.shape.hidden
    return float(FORWARD_FLOPS_PER_PARAMETER * active_parameters(training.shape) + scores)


def head_forward_flops(training: Training) -> float:
    """Return the operations of one token in the head, forward: `2 V h`."""
    return float(FORWARD_FLOPS_PER_PARAMETER * head_parameters(training.shape))


def model_flops(training: Training) -> float:
    """Return the operations of one step, nothing computed twice: what utilisation (MFU) counts."""
    layers = training.shape.layers * layer_forward_flops(training)
    tokens = training.global_batch * training.sequence
    return PASSES * tokens * (layers + head_forward_flops(training))


def _attention(shape: ModelShape) -> int:
    return 2 * shape.hidden * (shape.hidden + shape.key_value_width)


def _feed_forward(shape: ModelShape) -> int:
    return (3 if shape.is_gated else 2) * shape.hidden * shape.feed_forward_width


def _router(shape: ModelShape) -> int:
    return shape.hidden * shape.experts.count if shape.experts else 0
