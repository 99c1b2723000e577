"""What all programs are told alike, and how it is said that one cannot follow a plan."""

from dataclasses import dataclass

from scheduler.core.mixing.asked.training import Precision, Training
from scheduler.core.mixing.plan import Plan


@dataclass(frozen=True, slots=True)
class Flags:
    """A plan as options of a command."""

    arguments: tuple[str, ...]
    """As a shell would pass them; none where the program cannot follow the plan."""
    hindrances: tuple[str, ...] = ()
    """Why it cannot."""
    remarks: tuple[str, ...] = ()
    """What the plan has and the options cannot say; the program is slower by that, and no result changes."""


def batch_arguments(plan: Plan, training: Training) -> tuple[str, ...]:
    """Return how a step is made up, in the options of Megatron-LM, which FlagScale shares."""
    return (
        *_option("micro-batch-size", plan.micro_batch),
        *_option("global-batch-size", training.global_batch),
        *_option("seq-length", training.sequence),
        *_PRECISIONS[training.precision],
        *(("--use-distributed-optimizer",) if training.shards_optimiser else ()),
        *(("--use-flash-attn",) if not training.stores_scores else ()),
    )


def model_arguments(training: Training) -> tuple[str, ...]:
    """Return the shape of the model in the options of Megatron-LM.

    It wants a number of positions where they are computed too: those of a sequence.
    """
    shape = training.shape
    groups = shape.key_value_heads
    return (
        *_option("num-layers", shape.layers),
        *_option("hidden-size", shape.hidden),
        *_option("num-attention-heads", shape.heads),
        *_option("ffn-hidden-size", shape.feed_forward_width),
        *(("--group-query-attention", *_option("num-query-groups", groups)) if groups != shape.heads else ()),
        *(("--swiglu",) if shape.is_gated else ()),
        *(() if shape.ties_embeddings else ("--untie-embeddings-and-output-weights",)),
        *_option("max-position-embeddings", shape.learnt_positions or training.sequence),
        *(() if shape.learnt_positions else ("--position-embedding-type", "rope")),
        *(
            ()
            if shape.experts is None
            else (
                *_option("num-experts", shape.experts.count),
                *_option("moe-router-topk", shape.experts.active),
            )
        ),
    )


def too_few_positions(training: Training) -> tuple[str, ...]:
    """Return a hindrance where a sequence has more tokens than the model has learnt positions."""
    learnt, wanted = training.shape.learnt_positions, training.sequence
    if not 0 < learnt < wanted:
        return ()
    return (f"a sequence has {wanted:,} tokens, and the model has learnt {learnt:,} positions",)


def runs_ahead(plan: Plan) -> tuple[str, ...]:
    """Return a remark where stages run further forwards ahead than plain 1F1B does."""
    after = [str(place) for place, boundary in enumerate(plan.boundaries) if boundary.extra_warm_up]
    return (f"no option lets stages run further ahead, as those up to stage {', '.join(after)} do",) if after else ()


_PRECISIONS = {Precision.BF16: ("--bf16",), Precision.FP16: ("--fp16",), Precision.FP32: ()}


def _option(name: str, value: int) -> tuple[str, str]:
    return (f"--{name}", str(value))
