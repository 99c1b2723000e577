"""What workers measured of their stages of a pipeline, and why some of it says nothing."""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.core.model.measuring.layers import ProfileKey

LONGEST_STAGE_S = 3_600.0
"""No stage takes an hour for one micro-batch."""


@dataclass(frozen=True, slots=True)
class StageTime:
    """What a worker measured of its stage of a pipeline: means of some micro-batches, in seconds of one."""

    key: ProfileKey
    layers: int
    has_embedding: bool
    has_head: bool
    recomputes: bool
    """Activations are computed anew in the backward pass."""
    forward_s: float
    backward_s: float
    """Recomputation included."""
    update_s: float | None = None
    """The optimiser's step for all of the stage; None: nobody looked."""


@dataclass(frozen=True, slots=True)
class EndsInLayers:
    """What the embedding and the head take by a plan, in layers: the head of Llama-3-8B is two of them."""

    embedding: float
    head: float


class RefusalCause(StrEnum):
    """Why a stage's times say nothing of its layers."""

    NOT_FINITE = "not-finite"
    NOT_POSITIVE = "not-positive"
    TOO_LONG = "too-long"
    NO_LAYERS = "no-layers"
    BAD_DEGREE = "bad-degree"
    """A tensor-parallel degree or a micro-batch below one."""
    OUTLIER = "outlier"
    """Far from what the other stages, or earlier reports, say of the same layers."""
    ONLY_ENDS = "only-ends"
    """It has the embedding or the head, and nothing says what these take of its time."""
    CONTRADICTORY = "contradictory"
    """By it and the other stages a layer would take no time at all."""
    OTHER_CHIP = "other-chip"
    """Who reports it has no device of that chip type."""


@dataclass(frozen=True, slots=True)
class RefusedStage:
    """A stage whose times are not used."""

    stage: StageTime
    cause: RefusalCause
    ratio: float | None = None
    """Of an outlier: what it took by what the others let expect."""
