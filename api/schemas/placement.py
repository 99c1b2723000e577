"""How large a job's workers may be and where they may stand: the parts of a request that say so."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, ValidationInfo, field_validator

from api.schemas.text import LABEL_PATTERN, LABEL_VALUE_PATTERN, Argument, Body, LabelText, Name
from scheduler.core.model.job import Alternative, CommandProgram, WorkerRole
from scheduler.core.model.resources import MAIN_ROLE, WHOLE_DEVICE_MILLI, WorkerShape
from scheduler.core.model.topology import NODE, Apart, Closeness, Spread

MOST_WORKERS = 1024
MOST_CHIP_TYPES = 16
MOST_DEVICES = 64
MOST_MEMORY_MIB = 16_777_216
MOST_ALTERNATIVES = 8
MOST_ROLES = 8
MOST_LEVELS = 8
MOST_NODE_LABELS = 16
MOST_OPTIONS = 64
"""Whole gangs among which a place is sought: with several roles, all their chip types in all pairings."""
DEFAULT_CPU_MILLI = 1000
DEFAULT_MEMORY_MIB = 4096
ONE_KIND = "give either devices_per_worker or a share, not both"


def whole(lowest: int, highest: int, description: str | None = None) -> Any:
    """Return the annotation of a JSON integer between two bounds, both allowed; `true` and `"3"` are none."""
    return Field(ge=lowest, le=highest, strict=True, description=description)


def _is_repeatless(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("must not name anything twice")
    return names


def _form_of_types(value: object) -> str | None:
    if isinstance(value, Mapping):
        return None
    return "acceptable types" if isinstance(value, list | tuple) else "one type"


def _form_of_chips(value: object) -> str:
    return _form_of_types(value) or "exact mix"


WorkerCount = Annotated[int, whole(1, MOST_WORKERS, "So many workers.")]
DeviceCount = Annotated[int, whole(0, MOST_DEVICES, "Whole devices of each worker.")]
CpuMilli = Annotated[int, whole(1, 1_000_000, "Of each worker, in thousandths of a processor.")]
MemoryMib = Annotated[int, whole(1, MOST_MEMORY_MIB, "In MiB; of each worker, or of the device that it shares.")]
Command = Annotated[tuple[Argument, ...], Field(min_length=1, max_length=256)]
AcceptableTypes = Annotated[
    tuple[Name, ...], Field(min_length=1, max_length=MOST_CHIP_TYPES), AfterValidator(_is_repeatless)
]
Types = Annotated[
    Annotated[Name, Tag("one type")] | Annotated[AcceptableTypes, Tag("acceptable types")],
    Discriminator(_form_of_types),
]
"""One chip type, or acceptable ones with the best first."""
Mix = Annotated[dict[Name, WorkerCount], Field(min_length=1, max_length=MOST_CHIP_TYPES, strict=True)]
Chips = Annotated[
    Annotated[Name, Tag("one type")]
    | Annotated[AcceptableTypes, Tag("acceptable types")]
    | Annotated[Mix, Tag("exact mix")],
    Discriminator(_form_of_chips),
]
NodeLabels = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=LABEL_PATTERN, max_length=253)],
        Annotated[str, StringConstraints(pattern=LABEL_VALUE_PATTERN, max_length=63)],
    ],
    Field(max_length=MOST_NODE_LABELS),
]


NamedChips = str | tuple[str, ...] | dict[str, int] | None


def types_of(chips: NamedChips) -> tuple[str, ...]:
    """Return the chip types that are named, in their order."""
    if chips is None:
        return ()
    return (chips,) if isinstance(chips, str) else tuple(chips)


class ShareRequest(Body):
    """A part of one device, instead of whole ones."""

    milli: Annotated[int, whole(1, WHOLE_DEVICE_MILLI - 1)]
    """Thousandths of its compute: 500 is half of it."""
    memory_mib: MemoryMib
    """Of its memory."""


def worker_shape(devices: int | None, share: ShareRequest | None, cpu_milli: int, memory_mib: int) -> WorkerShape:
    """Return what one worker holds; `devices` do not count beside a share."""
    if share is not None:
        return WorkerShape(0, cpu_milli, memory_mib, share.milli, share.memory_mib)
    return WorkerShape(devices or 0, cpu_milli, memory_mib)


class AlternativeRequest(Body):
    """Another size that the job's own workers may have; what is left out is as in the job."""

    workers: WorkerCount | None = None
    chips: Types | None = None
    """One chip type, or acceptable ones with the best first."""
    devices_per_worker: DeviceCount | None = None
    share: ShareRequest | None = None
    """A part of one device for each worker, instead of whole ones."""
    cpu_milli: CpuMilli | None = None
    memory_mib: MemoryMib | None = None

    @field_validator("devices_per_worker")
    @classmethod
    def _has_devices(cls, devices: int | None) -> int | None:
        # What the job's own answer shows of a share is 0 devices, which may be handed in again.
        return devices or None

    @field_validator("share")
    @classmethod
    def _one_kind_of_devices(cls, share: ShareRequest | None, info: ValidationInfo) -> ShareRequest | None:
        if share is not None and info.data.get("devices_per_worker"):
            raise ValueError(ONE_KIND)
        return share

    def to_alternative(self, workers: int, shape: WorkerShape, chips: tuple[str, ...]) -> Alternative:
        """Return it as the model knows it; given is what the job itself asks for."""
        cpu_milli, memory_mib = self.cpu_milli or shape.cpu_milli, self.memory_mib or shape.memory_mib
        if self.devices_per_worker is None and self.share is None:
            other = WorkerShape(shape.devices, cpu_milli, memory_mib, shape.share_milli, shape.share_memory_mib)
        else:
            other = worker_shape(self.devices_per_worker, self.share, cpu_milli, memory_mib)
        return Alternative(self.workers or workers, other, types_of(self.chips) or chips)


class RoleRequest(Body):
    """Further workers of the gang, beside its main ones; their ranks come after those."""

    name: Name
    """What its workers are called."""
    workers: WorkerCount = 1
    devices_per_worker: DeviceCount = 0
    share: ShareRequest | None = None
    """A part of one device for each of its workers, instead of whole ones."""
    chips: Types | None = Field(
        default=None, validate_default=True, description="Needed where its workers have devices, else left out."
    )
    cpu_milli: CpuMilli = DEFAULT_CPU_MILLI
    memory_mib: MemoryMib = DEFAULT_MEMORY_MIB
    command: Command | None = Field(default=None, description="What they run; left out, what the job runs.")

    @field_validator("name")
    @classmethod
    def _is_another_role(cls, name: str) -> str:
        if name == MAIN_ROLE:
            raise ValueError(f"must not be {MAIN_ROLE}: so the job's own workers are called")
        return name

    @field_validator("share")
    @classmethod
    def _one_kind_of_devices(cls, share: ShareRequest | None, info: ValidationInfo) -> ShareRequest | None:
        if share is not None and info.data.get("devices_per_worker"):
            raise ValueError(ONE_KIND)
        return share

    @field_validator("chips")
    @classmethod
    def _chips_fit_devices(cls, chips: object, info: ValidationInfo) -> object:
        if not {"devices_per_worker", "share"} <= info.data.keys():
            return chips  # what is wrong there is said there
        has_devices = bool(info.data["devices_per_worker"] or info.data["share"])
        if has_devices and chips is None:
            raise ValueError("is needed, for its workers have devices")
        if chips is not None and not has_devices:
            raise ValueError("must be left out, or devices_per_worker or a share be given: its workers have no devices")
        return chips

    @field_validator("command")
    @classmethod
    def _names_a_program(cls, command: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return names_a_program(command)

    def to_role(self) -> WorkerRole:
        """Return it as the model knows it."""
        return WorkerRole(
            name=self.name,
            workers=self.workers,
            shape=worker_shape(self.devices_per_worker, self.share, self.cpu_milli, self.memory_mib),
            chips=types_of(self.chips),
            program=None if self.command is None else CommandProgram(self.command),
        )


def names_a_program(command: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return the command. Raises ValueError where its first item is empty."""
    if command is not None and not command[0]:
        raise ValueError("its first item, the program, must not be empty")
    return command


class TopologyRequest(Body):
    """How near to each other the workers are to be; levels are `node`, those of the clusters' nodes, and `cluster`."""

    require: Name | None = Field(
        default=None, description="One domain of this level holds all workers; null: one cluster."
    )
    prefer: Annotated[tuple[Name, ...], Field(max_length=MOST_LEVELS), AfterValidator(_is_repeatless)] | None = Field(
        default=None,
        description="Levels to try first, in this order. Null: all of them, the smallest first; []: none.",
    )

    def to_closeness(self) -> Closeness:
        """Return it as the model knows it."""
        return Closeness(self.require, self.prefer)


class SpreadRequest(Body):
    """At most so many of the job's workers in one domain of a level."""

    level: Name = NODE
    """Such as `node` or `rack`."""
    most: WorkerCount = 1

    def to_spread(self) -> Spread:
        """Return it as the model knows it."""
        return Spread(self.level, self.most)


class ApartRequest(Body):
    """No domain of a level is shared with workers of the tenant's other jobs that have all of these labels."""

    level: Name = NODE
    """Such as `node` or `rack`."""
    labels: Annotated[dict[LabelText, LabelText], Field(min_length=1, max_length=MOST_NODE_LABELS)]
    """What the other jobs are told by."""

    def to_apart(self) -> Apart:
        """Return it as the model knows it."""
        return Apart(self.level, tuple(sorted(self.labels.items())))


Choose = Literal["ordered", "best"]
