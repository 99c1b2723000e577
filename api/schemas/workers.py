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


class ProgressBody(Body):
    """One report of a training."""

    model_config = with_examples({"generation": 1, "step": 10, "steps": 60, "loss": 2.31, "tokens_per_s": 51234.0})

    generation: Generation
    step: StepNumber
    steps: StepNumber
    loss: Annotated[float, Field(ge=-1e12, le=1e12, strict=True)]
    tokens_per_s: Annotated[float, Field(ge=0, le=1e12, strict=True)]
