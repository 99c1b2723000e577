"""What an inference job asks for beyond what every job does."""

from typing import Annotated, Any, TypeVar

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from api.schemas.placement import whole
from api.schemas.program import LifeRequest, ServeRequest
from api.schemas.text import READINESS_PATTERN, Body, with_examples
from scheduler.core.model.job import MOST_REPLICAS, JobKind, Serving

DEFAULT_PORT = 8000

ReplicaCount = Annotated[int, whole(1, MOST_REPLICAS)]
Value = TypeVar("Value")


class ServingRequest(LifeRequest):
    """How many replicas a server has, and how they are reached."""

    kind: JobKind = Field(
        default=JobKind.TRAINING,
        description="A training ends by itself; an inference job is a server of replicas that run until they are "
        "not wanted any more, and are started again, later each time, when they end.",
    )
    replicas: ReplicaCount = Field(
        default=1, description="Of an inference job: so many gangs, each of `workers`, placed and started one by one."
    )
    port: Annotated[int, whole(1, 65_535)] | None = Field(
        default=None,
        description=f"Of an inference job: where rank 0 of each replica listens; {DEFAULT_PORT} if absent. What a "
        "worker is told as MEDLEY_PORT counts, for replicas on one machine cannot share a port.",
    )
    readiness_path: Annotated[str, StringConstraints(pattern=READINESS_PATTERN, max_length=255)] | None = Field(
        default=None,
        description="Of an inference job: a replica is ready while a GET of it is answered with 200 to 399; if absent, "
        "while it runs.",
    )

    serve: ServeRequest | None = Field(
        default=None,
        description="Of an inference job: the built-in server. Either this or `command`; with neither, the server.",
    )

    @field_validator("replicas", "port", "readiness_path", "serve")
    @classmethod
    def _of_a_server(cls, given: Any, info: ValidationInfo) -> Any:
        has_default = given == (1 if info.field_name == "replicas" else None)
        if not has_default and info.data.get("kind") is JobKind.TRAINING:
            raise ValueError("is for jobs of the kind inference")
        return given

    def to_serving(self) -> Serving | None:
        """Return how its replicas are reached, None for a training."""
        if self.kind is not JobKind.INFERENCE:
            return None
        return Serving(self.port or DEFAULT_PORT, self.readiness_path)


def of_a_training(given: Value, info: ValidationInfo) -> Value:
    """Return what only trainings have. Raises ValueError where a server was given it."""
    if given and info.data.get("kind") is JobKind.INFERENCE:
        raise ValueError("is for trainings: a server runs on, and is started again however often it ends")
    return given


class ScaleRequest(Body):
    """How many replicas there are to be."""

    model_config = with_examples({"replicas": 3})

    replicas: ReplicaCount = Field(description="To end a server, cancel its job.")
