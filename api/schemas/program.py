"""What the workers of a job run, and what they are given to run with."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from api.schemas.placement import whole
from api.schemas.text import ENTRY_PATTERN, ID_PATTERN, MOUNT_PATTERN, OBJECT_PATTERN, VARIABLE_PATTERN, Body, Name
from scheduler.core.model.job import (
    DEFAULT_CHECKPOINT_INTERVAL_S,
    DEFAULT_CHECKPOINTS_KEPT,
    DEFAULT_SILENCE_LIMIT_S,
    DEFAULT_STALL_LIMIT_S,
    Condition,
    Dependency,
    ReferenceServing,
    ReferenceTraining,
)

RESERVED_PREFIXES = ("LD_", "MEDLEY_", "NVIDIA_", "CUDA_MPS_", "PYTHON")
"""Variables that decide what a worker loads are not the tenant's to set."""
DEVICE_VARIABLES = ("CUDA_DEVICE_ORDER", "GPU_DEVICE_ORDINAL", "ONEAPI_DEVICE_SELECTOR", "ZE_AFFINITY_MASK")
MOST_AFTER = 16
VISIBLE = "_VISIBLE_"
"""In CUDA_VISIBLE_DEVICES, ASCEND_RT_VISIBLE_DEVICES, NEURON_RT_VISIBLE_CORES and those of every other vendor: which
devices a worker sees is not the tenant's to set either."""


def _is_free(name: str) -> str:
    if VISIBLE in name or name in DEVICE_VARIABLES:
        raise ValueError("must not be set: which devices a worker sees follows from its placement")
    if name.startswith(RESERVED_PREFIXES):
        raise ValueError(f"must not begin with {', '.join(RESERVED_PREFIXES[:-1])} or {RESERVED_PREFIXES[-1]}")
    return name


VariableName = Annotated[str, StringConstraints(pattern=VARIABLE_PATTERN, max_length=255), AfterValidator(_is_free)]


class TrainingRequest(Body):
    """The built-in reference training: a small GPT on the bytes of a text, data parallel over the gang."""

    steps: Annotated[int, whole(1, 1_000_000, "How often the weights are changed.")] = 60
    batch: Annotated[int, whole(1, 4096)] = 8
    """Sequences per worker and step."""
    sequence: Annotated[int, whole(1, 8192)] = 64
    """Bytes per sequence."""
    heads: Annotated[int, whole(1, 128, "Heads of attention.")] = 2
    width: Annotated[int, whole(1, 8192)] = 64
    """Size of a token's vector; a multiple of `heads`."""
    layers: Annotated[int, whole(1, 128, "Blocks of the model.")] = 2
    learning_rate: Annotated[float, Field(gt=0, le=10, strict=True)] = 0.003
    """Of AdamW."""
    seed: Annotated[int, whole(0, 2**31 - 1, "What the first weights and the batches are drawn with.")] = 1

    @field_validator("width")
    @classmethod
    def _width_divides(cls, width: int, info: ValidationInfo) -> int:
        heads = info.data.get("heads", 1)
        if width % heads:
            raise ValueError(f"must be a multiple of heads, which is {heads}")
        return width

    def to_program(self) -> ReferenceTraining:
        """Return it as the model knows it."""
        return ReferenceTraining(**self.model_dump())


class ServeRequest(Body):
    """The built-in reference server, of the model of the built-in training."""

    training: Annotated[str, StringConstraints(pattern=ID_PATTERN)] | None = Field(
        default=None,
        description="Id of a reference training of yours: its newest checkpoint is served; if absent, fresh weights.",
    )
    seed: Annotated[int, whole(0, 2**31 - 1)] = 1
    """Of fresh weights."""

    def to_program(self) -> ReferenceServing:
        """Return it as the model knows it."""
        return ReferenceServing(self.training, self.seed)


class AfterRequest(Body):
    """A job that must be over first, or an array of which all jobs must be."""

    job: Annotated[str, StringConstraints(pattern=ID_PATTERN)] | None = None
    """The job's id."""
    array: Annotated[str, StringConstraints(pattern=ID_PATTERN)] | None = None
    """The array's id, instead of a job's."""
    condition: Literal["succeeded", "ended"] = "succeeded"
    """What must have become of it, of an array of all its jobs; `ended` is met by anything."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.job is None) == (self.array is None):
            raise ValueError("give either job or array, by its id")
        return self

    @property
    def named(self) -> str:
        """The id of the job or the array."""
        return self.job or self.array or ""

    def to_dependency(self) -> Dependency:
        """Return it as the model knows it."""
        return Dependency(self.named, Condition(self.condition), is_array=self.array is not None)


class LifeRequest(Body):
    """When a job's life begins, what its attempts keep of themselves, and how long they may give no sign of life."""

    checkpoint_interval_s: Annotated[int, whole(1, 86_400)] = Field(
        default=DEFAULT_CHECKPOINT_INTERVAL_S, description="How often its training saves itself, where it can."
    )
    checkpoints_kept: Annotated[int, whole(1, 20)] = Field(
        default=DEFAULT_CHECKPOINTS_KEPT, description="So many of the latest checkpoints stay."
    )
    silence_limit_s: Annotated[int, whole(10, 86_400)] = Field(
        default=DEFAULT_SILENCE_LIMIT_S,
        description="An attempt that began to send heartbeats is ended, and tried again, after so long without any.",
    )
    stall_limit_s: Annotated[int, whole(10, 604_800)] | None = Field(
        default=DEFAULT_STALL_LIMIT_S,
        description="An attempt that began to report progress is ended, and tried again, after so long without any; "
        "null: never.",
    )
    after: Annotated[tuple[AfterRequest, ...], Field(max_length=MOST_AFTER)] = Field(
        default=(),
        description="Jobs and arrays of the same tenant that must be over first; "
        "where one never will be as it must, it fails.",
    )

    @field_validator("after")
    @classmethod
    def _each_once(cls, after: tuple[AfterRequest, ...]) -> tuple[AfterRequest, ...]:
        if len({one.named for one in after}) != len(after):
            raise ValueError("must not name a job or an array twice")
        return after


class VolumeRequest(Body):
    """A volume of a class that the operator offers, mounted into every worker."""

    volume_class: Name
    """What the operator calls it."""
    path: Annotated[str, StringConstraints(pattern=MOUNT_PATTERN, max_length=255)]
    """Where workers see it."""
    read_only: bool = False
    """Whether workers cannot write to it."""


class SecretRequest(Body):
    """One entry of a secret that the operator lets the tenant use."""

    secret: Annotated[str, StringConstraints(pattern=OBJECT_PATTERN, max_length=253)]
    """The secret's name in the cluster."""
    key: Annotated[str, StringConstraints(pattern=ENTRY_PATTERN, max_length=253)]
    """Which of its entries."""
