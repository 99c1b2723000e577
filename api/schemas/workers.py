"""What workers tell the API and ask of it."""

from typing import Annotated

from pydantic import Field

from api.schemas.text import ADDRESS_PATTERN, Answer, Body, with_examples

Generation = Annotated[int, Field(ge=1, le=999_999_999, strict=True)]
StepNumber = Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)]


class RendezvousBody(Body):
    """Where the other ranks reach rank 0."""

    model_config = with_examples({"generation": 1, "address": "127.0.0.1:41234"})

    generation: Generation
    address: Annotated[str, Field(pattern=ADDRESS_PATTERN)]


class RendezvousAnswer(Answer):
    """Rank 0's address."""

    model_config = with_examples({"address": "127.0.0.1:41234"})

    address: str


class StepBody(Body):
    """How far a training is."""

    step: StepNumber
    steps: StepNumber = Field(description="0 where nobody knows how many there are.")
    loss: Annotated[float, Field(ge=-1e12, le=1e12, strict=True)] | None = Field(
        description="Null where it is no finite number, or nobody said."
    )
    tokens_per_s: Annotated[float, Field(ge=0, le=1e12, strict=True)]


MebibyteNumber = Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)]


class HeartbeatBody(Body):
    """A sign of life of an attempt, with what is new of it."""

    model_config = with_examples(
        {
            "generation": 1,
            "reports": 12,
            "memory_mib": 5120,
            "device_memory_mib": 40960,
            "checkpoint_step": 40,
            "progress": {"step": 52, "steps": 60, "loss": 2.31, "tokens_per_s": 51234.0},
        }
    )

    generation: Generation
    reports: StepNumber = Field(
        default=0, description="How often its program reported by now. Once above 0, a standstill ends the attempt."
    )
    memory_mib: MebibyteNumber | None = None
    device_memory_mib: MebibyteNumber | None = None
    checkpoint_step: StepNumber | None = Field(default=None, description="Of the newest checkpoint that is whole.")
    progress: StepBody | None = None


class HeartbeatAnswer(Answer):
    """What is wanted of whoever sent a heartbeat."""

    model_config = with_examples({"next_s": 15.0, "is_kept": True, "generation": None})

    next_s: float
    """When the next one should come; one that comes sooner may not be kept."""
    is_kept: bool
    """False: it came too soon, and what was new in it is to be told again."""
    generation: int | None
    """A later generation that the attempt's workers are to be of: all save, leave and meet anew. Else null."""


class GenerationAnswer(Answer):
    """The generation that an attempt's workers are to be of."""

    model_config = with_examples({"generation": 2, "world_size": 2})

    generation: int
    world_size: int
    """Ranks from 0; a worker of an earlier generation with a higher rank is not of this one, and ends."""


class ProgressBody(Body):
    """One report of a training."""

    model_config = with_examples({"generation": 1, "step": 10, "steps": 60, "loss": 2.31, "tokens_per_s": 51234.0})

    generation: Generation
    step: StepNumber
    steps: StepNumber
    loss: Annotated[float, Field(ge=-1e12, le=1e12, strict=True)]
    tokens_per_s: Annotated[float, Field(ge=0, le=1e12, strict=True)]
