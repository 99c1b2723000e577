"""How long layers of models take on each chip type, and what workers measured of their stages."""

from typing import Annotated

from pydantic import Field

from api.schemas.text import NAME_PATTERN, Answer, Body, Moment, with_examples
from api.schemas.workers import Generation
from scheduler.core.model.measuring.stages import LONGEST_STAGE_S

_TIMES = {"layer_forward_s": 0.0121, "layer_backward_s": 0.0246, "embedding_s": None, "head_s": 0.031, "update_s": None}
_EXAMPLE = {
    "tenant": "demo",
    "family": "llama",
    "chip": "h100-sxm",
    "tensor_parallel": 8,
    "micro_batch": 2,
    "times": _TIMES,
    "measured": _TIMES,
    "reports": 16,
    "said": None,
    "version": 3,
    "at": "2026-11-21T12:00:00.000000Z",
}

Seconds = Annotated[float, Field(gt=0, le=LONGEST_STAGE_S, allow_inf_nan=False)]
EndSeconds = Annotated[float, Field(ge=0, le=LONGEST_STAGE_S, allow_inf_nan=False)]


class LayerTimes(Body):
    """Seconds of one micro-batch on the devices of one tensor-parallel group; null: nobody knows."""

    model_config = with_examples({"layer_forward_s": 0.0121, "layer_backward_s": 0.0246, "head_s": 0.031})

    layer_forward_s: Seconds
    layer_backward_s: Seconds = Field(description="Without recomputation.")
    embedding_s: EndSeconds | None = Field(default=None, description="Forward and backward.")
    head_s: EndSeconds | None = Field(default=None, description="Forward and backward, with the loss.")
    update_s: EndSeconds | None = Field(default=None, description="The optimiser's step for one layer.")


class LayerTimesAnswer(Answer):
    """Seconds of one micro-batch on the devices of one tensor-parallel group; null: nobody knows."""

    model_config = with_examples(_TIMES)

    layer_forward_s: float
    layer_backward_s: float
    """Without recomputation."""
    embedding_s: float | None
    """Forward and backward."""
    head_s: float | None
    """Forward and backward, with the loss."""
    update_s: float | None
    """The optimiser's step for one layer."""


class ProfileAnswer(Answer):
    """How long a layer of a family's model takes on a chip type."""

    model_config = with_examples(_EXAMPLE)

    tenant: str
    family: str
    chip: str
    tensor_parallel: int
    """Devices that share each layer."""
    micro_batch: int
    """Sequences."""
    times: LayerTimesAnswer
    """What plans are made with: what an operator said, else what was measured, of each figure by itself.

    What is measured is taken over when it is 1 % away."""
    measured: LayerTimesAnswer | None
    """What workers reported, newer reports counting more; null where none did."""
    reports: int
    """How many stages that follows from."""
    said: LayerTimesAnswer | None
    """What an operator said; null where nobody did."""
    version: int
    """From 1; grows with every change."""
    at: Moment
    """Of the latest change."""


class ProfilePage(Answer):
    """Profiles by tenant, family, chip type, tensor-parallel degree and micro-batch."""

    model_config = with_examples({"items": [_EXAMPLE], "next": None})

    items: tuple[ProfileAnswer, ...]
    next: str | None
    """Cursor of the next page; null on the last one."""


class StageBody(Body):
    """What one stage of a pipeline took for one micro-batch, as a mean of many."""

    chip: Annotated[str, Field(pattern=NAME_PATTERN, max_length=63)]
    tensor_parallel: Annotated[int, Field(ge=1, le=4_096, strict=True)]
    micro_batch: Annotated[int, Field(ge=1, le=65_536, strict=True)] = Field(description="Sequences.")
    layers: Annotated[int, Field(ge=1, le=4_096, strict=True)]
    has_embedding: bool = False
    has_head: bool = False
    recomputes: bool = Field(default=False, description="Activations are computed anew in the backward pass.")
    forward_s: Seconds
    backward_s: Seconds = Field(description="Recomputation included.")
    update_s: Seconds | None = Field(default=None, description="The optimiser's step for all of the stage.")


class EndsBody(Body):
    """What the embedding and the head take by the attempt's plan, in layers."""

    model_config = with_examples({"embedding": 0.1, "head": 2.1})

    embedding: Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)]
    head: Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)]


class StagesBody(Body):
    """What the stages of an attempt's pipeline took: all in one report, so that layers and ends are told apart."""

    model_config = with_examples(
        {
            "generation": 1,
            "stages": [
                {
                    "chip": "h100-sxm",
                    "tensor_parallel": 8,
                    "micro_batch": 2,
                    "layers": 20,
                    "has_embedding": True,
                    "forward_s": 0.24,
                    "backward_s": 0.49,
                }
            ],
        }
    )

    generation: Generation
    ends: EndsBody | None = Field(
        default=None, description="Used where the stages do not say it, as where each chip type has one of them."
    )
    stages: Annotated[tuple[StageBody, ...], Field(min_length=1, max_length=1_024)]


class RefusedStageAnswer(Answer):
    """A stage that nothing was learnt from."""

    model_config = with_examples({"stage": 3, "code": "outlier", "text": "it took 5.2 times what was expected"})

    stage: int
    """Its place in the report, from 0."""
    code: str
    text: str


class LearntAnswer(Answer):
    """A profile that changed."""

    model_config = with_examples({"chip": "h100-sxm", "tensor_parallel": 8, "micro_batch": 2, "version": 4})

    chip: str
    tensor_parallel: int
    micro_batch: int
    version: int


class StagesAnswer(Answer):
    """What became of a report."""

    model_config = with_examples(
        {
            "learnt": [{"chip": "h100-sxm", "tensor_parallel": 8, "micro_batch": 2, "version": 4}],
            "refused": [{"stage": 3, "code": "outlier", "text": "it took 5.2 times what the others let expect"}],
        }
    )

    learnt: tuple[LearntAnswer, ...]
    """Profiles that changed. What comes sooner than 10 s after the last report of the same is let go."""
    refused: tuple[RefusedStageAnswer, ...]
