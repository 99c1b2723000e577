"""A job as a tenant writes it: the body of a submission, and the content of a job file."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
)

from api.schemas.text import (
    ENTRY_PATTERN,
    IMAGE_PATTERN,
    MOUNT_PATTERN,
    OBJECT_PATTERN,
    VARIABLE_PATTERN,
    Argument,
    Body,
    LabelText,
    Name,
    with_examples,
)
from scheduler.core.model.job import (
    AnyOf,
    ChipRequest,
    CommandProgram,
    ExactMix,
    JobKind,
    JobSpec,
    Program,
    ReferenceTraining,
    SecretVariable,
    Volume,
)
from scheduler.core.model.resources import WorkerShape

MOST_WORKERS = 1024
MOST_ENVIRONMENT = 64
MOST_LABELS = 32
MOST_CHIP_TYPES = 16
MOST_VOLUMES = 16
MOST_SECRETS = 32
RESERVED_PREFIXES = ("LD_", "MEDLEY_", "NVIDIA_", "CUDA_MPS_", "PYTHON")
"""Variables that decide what a worker loads are not the tenant's to set."""
DEVICE_VARIABLES = ("CUDA_DEVICE_ORDER", "GPU_DEVICE_ORDINAL", "ONEAPI_DEVICE_SELECTOR", "ZE_AFFINITY_MASK")
VISIBLE = "_VISIBLE_"
"""In CUDA_VISIBLE_DEVICES, ASCEND_RT_VISIBLE_DEVICES, NEURON_RT_VISIBLE_CORES and those of every other vendor: which
devices a worker sees is not the tenant's to set either."""


def _is_free(name: str) -> str:
    if VISIBLE in name or name in DEVICE_VARIABLES:
        raise ValueError("must not be set: which devices a worker sees follows from its placement")
    if name.startswith(RESERVED_PREFIXES):
        raise ValueError(f"must not begin with {', '.join(RESERVED_PREFIXES[:-1])} or {RESERVED_PREFIXES[-1]}")
    return name


def _is_repeatless(chips: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(chips)) != len(chips):
        raise ValueError("must not name a chip type twice")
    return chips


def _form_of_chips(value: object) -> str:
    if isinstance(value, Mapping):
        return "exact mix"
    return "acceptable types" if isinstance(value, list | tuple) else "one type"


def whole(lowest: int, highest: int) -> Any:
    """Return the annotation of a JSON integer between two bounds, both allowed; `true` and `"3"` are none."""
    return Field(ge=lowest, le=highest, strict=True)


WorkerCount = Annotated[int, whole(1, MOST_WORKERS)]
VariableName = Annotated[str, StringConstraints(pattern=VARIABLE_PATTERN, max_length=255), AfterValidator(_is_free)]
AcceptableTypes = Annotated[
    tuple[Name, ...], Field(min_length=1, max_length=MOST_CHIP_TYPES), AfterValidator(_is_repeatless)
]
Chips = Annotated[
    Annotated[Name, Tag("one type")]
    | Annotated[AcceptableTypes, Tag("acceptable types")]
    | Annotated[
        dict[Name, WorkerCount], Field(min_length=1, max_length=MOST_CHIP_TYPES, strict=True), Tag("exact mix")
    ],
    Discriminator(_form_of_chips),
]


class TrainingRequest(Body):
    """The built-in reference training: a small GPT on the bytes of a text, data parallel over the gang."""

    steps: Annotated[int, whole(1, 1_000_000)] = 60
    batch: Annotated[int, whole(1, 4096)] = 8
    """Sequences per worker and step."""
    sequence: Annotated[int, whole(1, 8192)] = 64
    """Bytes per sequence."""
    heads: Annotated[int, whole(1, 128)] = 2
    width: Annotated[int, whole(1, 8192)] = 64
    """Size of a token's vector; a multiple of `heads`."""
    layers: Annotated[int, whole(1, 128)] = 2
    learning_rate: Annotated[float, Field(gt=0, le=10, strict=True)] = 0.003
    seed: Annotated[int, whole(0, 2**31 - 1)] = 1

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


class VolumeRequest(Body):
    """A volume of a class that the operator offers, mounted into every worker."""

    volume_class: Name
    path: Annotated[str, StringConstraints(pattern=MOUNT_PATTERN, max_length=255)]
    """Where workers see it."""
    read_only: bool = False


class SecretRequest(Body):
    """One entry of a secret that the operator lets the tenant use."""

    secret: Annotated[str, StringConstraints(pattern=OBJECT_PATTERN, max_length=253)]
    key: Annotated[str, StringConstraints(pattern=ENTRY_PATTERN, max_length=253)]


class JobRequest(Body):
    """One training: a gang of workers that run together or not at all."""

    model_config = with_examples(
        {"name": "first", "workers": 4, "chips": "h100-sxm", "training": {"steps": 60}},
        {
            "name": "either-vendor",
            "workers": 2,
            "chips": ["h100-sxm", "a800-sxm"],
            "devices_per_worker": 8,
            "command": ["python", "train.py"],
            "retries": 2,
        },
        {"name": "mixed", "chips": {"h100-sxm": 2, "mi300x": 2}, "labels": {"team": "vision"}},
        {
            "name": "own-image",
            "workers": 1,
            "chips": "h100-sxm",
            "image": "vision/training:2.1",
            "command": ["python", "train.py"],
            "shared_memory_mib": 16384,
            "volumes": [{"volume_class": "datasets", "path": "/data", "read_only": True}],
            "secrets": {"HUB_TOKEN": {"secret": "hub", "key": "token"}},
        },
    )

    name: Name
    kind: Literal[JobKind.TRAINING] = JobKind.TRAINING
    chips: Chips = Field(
        description="One chip type, acceptable types with the best first, or how many workers go on each type."
    )
    workers: WorkerCount | None = Field(
        default=None,
        validate_default=True,
        description="Size of the gang. Needed unless `chips` is a mix, whose sum it is.",
    )
    devices_per_worker: Annotated[int, whole(1, 64)] = 1
    cpu_milli: Annotated[int, whole(1, 1_000_000)] = 1000
    memory_mib: Annotated[int, whole(1, 16_777_216)] = 4096
    command: Annotated[tuple[Argument, ...], Field(min_length=1, max_length=256)] | None = Field(
        default=None, description="Program of each worker. Either this or `training`; with neither, the training."
    )
    training: TrainingRequest | None = None
    environment: Annotated[dict[VariableName, Argument], Field(max_length=MOST_ENVIRONMENT)] = Field(
        default_factory=dict
    )
    image: Annotated[str, StringConstraints(pattern=IMAGE_PATTERN, max_length=512)] | None = Field(
        default=None, description="Container image of the workers, on clusters that run images; else the cluster's own."
    )
    shared_memory_mib: Annotated[int, whole(0, 16_777_216)] = Field(
        default=0, description="Size of /dev/shm; 0 leaves it to the cluster."
    )
    volumes: Annotated[tuple[VolumeRequest, ...], Field(max_length=MOST_VOLUMES)] = ()
    secrets: Annotated[dict[VariableName, SecretRequest], Field(max_length=MOST_SECRETS)] = Field(
        default_factory=dict, description="Variables of the workers whose values are kept in secrets of the cluster."
    )
    retries: Annotated[int, whole(0, 10)] = 0
    time_limit_s: Annotated[int, whole(1, 31_536_000)] | None = None
    grace_s: Annotated[int, whole(0, 600)] = 10
    priority: Annotated[int, whole(-100, 100)] = 0
    labels: Annotated[dict[LabelText, LabelText], Field(max_length=MOST_LABELS)] = Field(default_factory=dict)

    @field_validator("workers")
    @classmethod
    def _workers_fit_chips(cls, workers: int | None, info: ValidationInfo) -> int | None:
        chips = info.data.get("chips")
        if isinstance(chips, dict):
            total = sum(chips.values())
            if total > MOST_WORKERS:
                raise ValueError(f"the mix has {total} workers; at most {MOST_WORKERS} make a gang")
            if workers not in (None, total):
                raise ValueError(f"must be {total}, the sum of the mix, or left out")
            return total
        if workers is None and chips is not None:
            raise ValueError("is needed unless chips says how many workers go on each type")
        return workers

    @field_validator("command")
    @classmethod
    def _command_names_a_program(cls, command: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if command is not None and not command[0]:
            raise ValueError("its first item, the program, must not be empty")
        return command

    @field_validator("training")
    @classmethod
    def _one_program(cls, training: TrainingRequest | None, info: ValidationInfo) -> TrainingRequest | None:
        if training is not None and info.data.get("command") is not None:
            raise ValueError("give either command or training, not both")
        return training

    @field_validator("volumes")
    @classmethod
    def _paths_differ(cls, volumes: tuple[VolumeRequest, ...]) -> tuple[VolumeRequest, ...]:
        paths = [volume.path for volume in volumes]
        if len(set(paths)) != len(paths):
            raise ValueError("must not mount two volumes at one path")
        return volumes

    @field_validator("secrets")
    @classmethod
    def _variables_differ(cls, secrets: dict[str, SecretRequest], info: ValidationInfo) -> dict[str, SecretRequest]:
        both = sorted(secrets.keys() & info.data.get("environment", {}).keys())
        if both:
            raise ValueError(f"{both[0]} is in environment as well; give it once")
        return secrets

    def body_sha256(self) -> str:
        """Return the hash of what was asked, equal for equal requests however they were written down.

        Fields at their default do not count, so that a later version's new field does not change it. The order of a
        mix counts, for ranks follow it; the order of labels and variables does not.
        """
        asked = self.model_dump(mode="json", exclude_defaults=True)
        for unordered in ("environment", "secrets", "labels"):
            if unordered in asked:
                asked[unordered] = sorted(asked[unordered].items())
        return sha256(json.dumps(asked, separators=(",", ":")).encode()).hexdigest()

    def to_spec(self) -> JobSpec:
        """Return the complete specification."""
        return JobSpec(
            name=self.name,
            kind=self.kind,
            workers=self.workers or 0,
            shape=WorkerShape(self.devices_per_worker, self.cpu_milli, self.memory_mib),
            chips=self._chip_request(),
            program=self._program(),
            environment=tuple(sorted(self.environment.items())),
            retries=self.retries,
            time_limit_s=self.time_limit_s,
            grace_s=self.grace_s,
            priority=self.priority,
            labels=tuple(sorted(self.labels.items())),
            image=self.image,
            shared_memory_mib=self.shared_memory_mib,
            volumes=tuple(Volume(volume.volume_class, volume.path, volume.read_only) for volume in self.volumes),
            secrets=tuple(
                SecretVariable(variable, entry.secret, entry.key) for variable, entry in sorted(self.secrets.items())
            ),
        )

    def _chip_request(self) -> ChipRequest:
        if isinstance(self.chips, str):
            return AnyOf((self.chips,))
        if isinstance(self.chips, dict):
            return ExactMix(tuple(self.chips.items()))
        return AnyOf(self.chips)

    def _program(self) -> Program:
        if self.command is not None:
            return CommandProgram(self.command)
        return (self.training or TrainingRequest()).to_program()

    def chip_names(self) -> tuple[str, ...]:
        """Return the chip types it names, in its order."""
        return (self.chips,) if isinstance(self.chips, str) else tuple(self.chips)

    def pointer_to(self, chip: str) -> str:
        """Return the JSON pointer of a chip type it names."""
        if isinstance(self.chips, str) or chip not in self.chips:
            return "/chips"
        return f"/chips/{chip}" if isinstance(self.chips, dict) else f"/chips/{self.chips.index(chip)}"
