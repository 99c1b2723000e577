"""A training as somebody who plans one writes it: the body of `POST /v1/plans`, and the file of `medley plan`."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, StringConstraints, Tag, ValidationInfo, field_validator

from api.schemas.text import OBJECT_PATTERN, Body, Name, with_examples
from scheduler.core.mixing.asked.training import Precision
from scheduler.services.planning.asked import MOST_PLANS

MOST_CHIPS_NAMED = 16
MOST_GBIT_S = 1_000_000
MOST_LAYERS = 512
"""Four times the deepest model of the catalogue: the work for one answer grows with the square of the stages."""
MOST_TRIED = 16
_MOST_TFLOPS = 1e6
_LONGEST_STEP_S = 1e6

ModelName = Annotated[str, StringConstraints(pattern=OBJECT_PATTERN, min_length=1, max_length=63)]
Positive = Annotated[float, Field(gt=0)]


def _whole(most: int, description: str = "") -> Any:
    return Field(ge=1, le=most, strict=True, description=description or None)


class ExpertsBody(Body):
    """The experts of every layer."""

    count: Annotated[int, _whole(1024)]
    active: Annotated[int, _whole(64, "So many of them each token goes through.")]

    @field_validator("active")
    @classmethod
    def _are_there(cls, active: int, info: ValidationInfo) -> int:
        if active > info.data.get("count", active):
            raise ValueError("is more than there are")
        return active


class ModelBody(Body):
    """The shape of a model that has no name here: a decoder-only transformer of equal layers."""

    model_config = with_examples(
        {"layers": 32, "hidden": 4096, "heads": 32, "feed_forward_width": 11008, "vocabulary": 32000}
    )

    layers: Annotated[int, _whole(MOST_LAYERS)]
    hidden: Annotated[int, _whole(131_072)]
    heads: Annotated[int, _whole(1024)]
    key_value_width: Annotated[int, _whole(131_072)] | None = Field(
        default=None, description="Key-value heads times the size of a head; null: `hidden`."
    )
    feed_forward_width: Annotated[int, _whole(1_048_576, "Of one expert, where there are experts.")]
    vocabulary: Annotated[int, _whole(16_777_216)]
    is_gated: bool = Field(default=True, strict=True, description="The feed-forward network has three matrices.")
    ties_embeddings: bool = Field(default=False, strict=True, description="The head is the embedding once more.")
    learnt_positions: Annotated[int, Field(ge=0, le=16_777_216, strict=True)] = 0
    """Rows of a table of positions that is learnt; 0 where positions are computed."""
    experts: ExpertsBody | None = None

    @field_validator("heads")
    @classmethod
    def _divide_the_hidden_size(cls, heads: int, info: ValidationInfo) -> int:
        if info.data.get("hidden", heads) % heads:
            raise ValueError(f"does not divide the hidden size, {info.data['hidden']}")
        return heads

    @field_validator("key_value_width")
    @classmethod
    def _is_of_whole_heads(cls, width: int | None, info: ValidationInfo) -> int | None:
        if width is not None and {"hidden", "heads"} <= info.data.keys():
            size = info.data["hidden"] // info.data["heads"]
            if width % size or info.data["heads"] % (width // size):
                raise ValueError(f"must be the size of a head, {size}, times a number that divides that of heads")
        return width


def _form_of_model(model: object) -> str:
    return "by name" if isinstance(model, str) else "by shape"


Model = Annotated[
    Annotated[ModelName, Tag("by name")] | Annotated[ModelBody, Tag("by shape")], Discriminator(_form_of_model)
]


class LimitsBody(Body):
    """What a plan must keep to."""

    chip_types: Annotated[int, _whole(MOST_CHIPS_NAMED, "At most so many.")] | None = None
    devices: Annotated[int, _whole(1_000_000, "At most so many.")] | None = None
    compute: Positive | None = Field(
        default=None, le=1e9, description="All devices together at most so many TFLOP/s, as the catalogue rates them."
    )
    tokens_per_s: Positive | None = Field(default=None, le=1e12, description="No plan that is slower.")
    micro_batch: Annotated[int, _whole(256, "At most so many sequences.")] = 16


class NetworkBody(Body):
    """What the inventory does not say of networks."""

    node_gbit_s: Annotated[float, Field(gt=0, le=MOST_GBIT_S)] = Field(
        default=200.0, description="Of one node, one way, unless its label `network-gbit-s` says otherwise."
    )
    between_vendors_gbit_s: Annotated[float, Field(gt=0, le=MOST_GBIT_S)] | None = Field(
        default=None, description="Of a pair of nodes with chips of two vendors; null: as fast as their networks are."
    )


class TriedBody(Body):
    """A plan of this training that was run."""

    plan: dict[str, Any] = Field(description="The plan file.")
    step_s: Annotated[float, Field(gt=0, le=_LONGEST_STEP_S)] | None = Field(
        description="What a step took; null: it did not run, as for want of memory."
    )


PLAN_REQUEST_EXAMPLE: dict[str, Any] = {
    "model": "llama3-70b",
    "global_batch": 1024,
    "sequence": 4096,
    "chips": ["h100-sxm", "mi300x"],
    "steps": 20000,
}


class PlanRequest(Body):
    """A training to plan."""

    model_config = with_examples(PLAN_REQUEST_EXAMPLE)

    name: Name | None = None
    """What people call it."""
    model: Model = Field(description="A model that is known by name, such as llama3-70b, or its shape.")
    global_batch: Annotated[int, _whole(1_048_576, "Sequences a step.")]
    sequence: Annotated[int, _whole(16_777_216, "Tokens of a sequence.")]
    steps: Annotated[int, _whole(1_000_000_000)] | None = Field(
        default=None, description="How long it is: it is then compared with waiting for one chip type."
    )
    precision: Precision = Precision.BF16
    """In what matrices are multiplied."""
    shards_optimiser: bool = Field(
        default=True, strict=True, description="The optimiser's state is spread over the replicas."
    )
    sequence_parallel: bool = Field(
        default=True, strict=True, description="Tensor parallelism splits along the sequence what it does not split."
    )
    stores_scores: bool = Field(
        default=False, strict=True, description="Attention scores are kept, as without flash attention."
    )
    may_recompute: bool = Field(
        default=True, strict=True, description="Stages may compute activations anew to save memory."
    )
    is_causal: bool = Field(default=True, strict=True, description="A token sees those before it only.")
    family: Name | None = Field(
        default=None, description="The family of jobs whose measured layers count (`GET /v1/profiles`), of this model."
    )
    chips: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST_CHIPS_NAMED)] | None = Field(
        default=None, description="Chip types that may be used; null: all that are free."
    )
    cluster: Name | None = Field(default=None, description="Null: the one with the best plan.")
    limits: LimitsBody = LimitsBody()
    """What a plan must keep to."""
    network: NetworkBody = NetworkBody()
    """What the inventory does not say."""
    tflops: Annotated[dict[Name, Annotated[float, Field(gt=0, le=_MOST_TFLOPS)]], Field(max_length=64)] = Field(
        default_factory=dict,
        description="What one device of a chip type does in large matrix multiplications, TFLOP/s, where you know "
        "better than the catalogue.",
    )
    blocking_share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0, description="0 where the runtime sends beside computing, 1 where it waits for what is sent."
    )
    plans: Annotated[int, _whole(MOST_PLANS, "At most so many.")] = 3
    earlier: dict[str, Any] | None = Field(
        default=None, description="A plan file of the same training: it is predicted anew for what is free now."
    )
    tried: Annotated[tuple[TriedBody, ...], Field(max_length=MOST_TRIED)] = Field(
        default=(), description="Plans of the same training that were run: it is said which one is worth the next run."
    )
