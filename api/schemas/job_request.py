"""A job as a tenant writes it: the body of a submission, and the content of a job file."""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from api.schemas.arrays.request import ArrayableRequest
from api.schemas.placement import (
    DEFAULT_CPU_MILLI,
    DEFAULT_MEMORY_MIB,
    MOST_ALTERNATIVES,
    MOST_MEMORY_MIB,
    MOST_ROLES,
    ONE_KIND,
    AlternativeRequest,
    ApartRequest,
    Chips,
    Choose,
    Command,
    CpuMilli,
    DeviceCount,
    MemoryMib,
    NamedChips,
    NodeLabels,
    RoleRequest,
    ShareRequest,
    SpreadRequest,
    TopologyRequest,
    WorkerCount,
    names_a_program,
    types_of,
    whole,
    worker_shape,
)
from api.schemas.program import SecretRequest, ServeRequest, TrainingRequest, VariableName, VolumeRequest
from api.schemas.serving.request import of_a_training
from api.schemas.submission.elastic import (
    WorkersRange,
    WorkersStep,
    check_elastic,
    to_elastic,
    with_plain_workers,
)
from api.schemas.submission.examples import JOB_EXAMPLES
from api.schemas.submission.gang import check_choices, check_size, check_spread, sizes, workers_of_mix
from api.schemas.text import IMAGE_PATTERN, Argument, LabelText, Name, with_examples
from scheduler.core.model.asking.mounts import SecretVariable, Volume
from scheduler.core.model.job import AnyOf, ChipRequest, Choice, CommandProgram, ExactMix, JobKind, JobSpec, Program

MOST_ENVIRONMENT = 64
MOST_LABELS = 32
MOST_VOLUMES = 16
MOST_SECRETS = 32

Priority = Annotated[int, whole(-100, 100, "Higher ones are earlier in the queue.")]


class JobRequest(ArrayableRequest):
    """A training, which is one gang of workers that run together or not at all; or a server of several such gangs."""

    model_config = with_examples(*JOB_EXAMPLES)

    name: Name
    """What people call it; the newest job of a name is meant by it."""
    chips: Chips = Field(
        description="One chip type, acceptable types with the best first, or how many workers go on each type."
    )
    workers: WorkerCount | WorkersRange | None = Field(
        default=None,
        validate_default=True,
        description="Size of the gang, or the least and the most that it may have. Needed unless `chips` is a mix, "
        "whose sum it is.",
    )
    devices_per_worker: DeviceCount = Field(default=1, description="Whole devices; 0 beside a share.")
    share: ShareRequest | None = Field(
        default=None, validate_default=True, description="A part of one device for each worker, instead of whole ones."
    )
    cpu_milli: CpuMilli = DEFAULT_CPU_MILLI
    memory_mib: MemoryMib = DEFAULT_MEMORY_MIB
    choose: Choose = Field(
        default=Choice.ORDERED.value,
        description="Among chip types and alternatives: the first that has room, or the best placed one.",
    )
    alternatives: Annotated[tuple[AlternativeRequest, ...], Field(max_length=MOST_ALTERNATIVES)] = Field(
        default=(), description="Other sizes that the workers may have, liked less than the job's own, best first."
    )
    roles: Annotated[tuple[RoleRequest, ...], Field(max_length=MOST_ROLES)] = Field(
        default=(), description="Further workers of the gang, such as a launcher."
    )
    topology: TopologyRequest = TopologyRequest()
    """How near to each other its workers are to be."""
    spread: SpreadRequest | None = None
    """How far from each other."""
    apart: ApartRequest | None = None
    """Which of the tenant's other jobs it shares no node, or no larger domain, with."""
    exclusive: bool = Field(
        default=False, strict=True, description="Nothing else is placed on its nodes while it runs."
    )
    workers_step: WorkersStep = Field(default=1, description="With `min_workers`: its sizes are so far apart.")
    min_workers: WorkerCount | None = Field(
        default=None,
        description="Of a training: so few workers will do. It begins with as many as there is room for, `workers` at "
        "most, and is given more or fewer while it runs.",
    )
    preemptible: bool = Field(
        default=True, strict=True, description="It may be stopped for another job, and waits for its next attempt then."
    )
    movable: bool = Field(
        default=False,
        strict=True,
        description="It may be moved where that makes room for another job: stopped, and placed elsewhere at once.",
    )
    node_labels: NodeLabels = Field(default_factory=dict, description="Labels that its nodes must have.")
    command: Command | None = Field(
        default=None, description="Program of each worker. Either this or `training`; with neither, the training."
    )
    training: TrainingRequest | None = None
    """The built-in training of a small GPT, `{}` for one as it comes. Either this or `command`."""
    environment: Annotated[dict[VariableName, Argument], Field(max_length=MOST_ENVIRONMENT)] = Field(
        default_factory=dict, description="Variables of its workers, shown to everybody who may see the job."
    )
    image: Annotated[str, StringConstraints(pattern=IMAGE_PATTERN, max_length=512)] | None = Field(
        default=None, description="Container image of the workers, on clusters that run images; else the cluster's own."
    )
    shared_memory_mib: Annotated[int, whole(0, MOST_MEMORY_MIB)] = Field(
        default=0, description="Size of /dev/shm; 0 leaves it to the cluster."
    )
    volumes: Annotated[tuple[VolumeRequest, ...], Field(max_length=MOST_VOLUMES)] = ()
    """What is mounted into its workers."""
    secrets: Annotated[dict[VariableName, SecretRequest], Field(max_length=MOST_SECRETS)] = Field(
        default_factory=dict, description="Variables of the workers whose values are kept in secrets of the cluster."
    )
    retries: Annotated[int, whole(0, 10, "How often an attempt that its program failed is tried again.")] = 0
    time_limit_s: Annotated[int, whole(1, 31_536_000, "The longest run time of one attempt.")] | None = None
    grace_s: Annotated[int, whole(0, 600, "Seconds between the request to end and the kill.")] = 10
    priority: Priority = 0
    queue: Name | None = Field(default=None, description="Where it waits; without one in the tenant's own queue.")
    labels: Annotated[dict[LabelText, LabelText], Field(max_length=MOST_LABELS)] = Field(default_factory=dict)
    """What it is listed by, and told by when others keep apart from it."""
    family: Name | None = Field(default=None, description="What it is one of many of; else told by its name.")

    @model_validator(mode="before")
    @classmethod
    def _a_share_is_no_whole_device(cls, asked: Any) -> Any:
        asked = with_plain_workers(asked)
        if isinstance(asked, Mapping) and asked.get("share") is not None:
            return {"devices_per_worker": 0, **asked}
        return asked

    @field_validator("workers")
    @classmethod
    def _workers_fit_chips(cls, workers: int | WorkersRange | None, info: ValidationInfo) -> int | WorkersRange | None:
        chips = info.data.get("chips")
        if isinstance(workers, WorkersRange):
            raise ValueError("has what is no number")  # noqa: TRY004 - any other range was made plain before
        if isinstance(chips, dict):
            return workers_of_mix(chips, workers)
        if workers is None and chips is not None:
            raise ValueError("is needed unless chips says how many workers go on each type")
        return workers

    @field_validator("share")
    @classmethod
    def _one_kind_of_devices(cls, share: ShareRequest | None, info: ValidationInfo) -> ShareRequest | None:
        devices = info.data.get("devices_per_worker")
        if share is not None and devices:
            raise ValueError(ONE_KIND)
        if share is None and devices == 0:
            raise ValueError("is needed where devices_per_worker is 0; workers without devices are for roles")
        return share

    @field_validator("alternatives")
    @classmethod
    def _no_other_mix(
        cls, alternatives: tuple[AlternativeRequest, ...], info: ValidationInfo
    ) -> tuple[AlternativeRequest, ...]:
        if alternatives and isinstance(info.data.get("chips"), dict):
            raise ValueError("cannot be given with a mix, which says exactly how many workers go on each chip type")
        if AlternativeRequest() in alternatives:
            raise ValueError("an alternative must say what is other than in the job")
        check_choices(info.data.get("chips"), alternatives)
        return alternatives

    @field_validator("roles")
    @classmethod
    def _roles_make_a_gang(cls, roles: tuple[RoleRequest, ...], info: ValidationInfo) -> tuple[RoleRequest, ...]:
        names = [role.name for role in roles]
        if len(set(names)) != len(names):
            raise ValueError("must not name a role twice")
        if not {"workers", "chips", "alternatives"} <= info.data.keys():
            return roles
        alternatives = info.data["alternatives"]
        check_size(info.data["workers"], alternatives, roles)
        check_choices(info.data["chips"], alternatives, roles)
        return roles

    @field_validator("spread")
    @classmethod
    def _can_be_spread(cls, spread: SpreadRequest | None, info: ValidationInfo) -> SpreadRequest | None:
        if spread is None or not {"workers", "chips", "alternatives", "roles", "topology"} <= info.data.keys():
            return spread
        smallest = min(sizes(info.data["workers"], info.data["alternatives"], info.data["roles"]))
        check_spread(spread, smallest=smallest, required=info.data["topology"].require)
        return spread

    @field_validator("min_workers")
    @classmethod
    def _is_elastic(cls, least: int | None, info: ValidationInfo) -> int | None:
        return check_elastic(of_a_training(least, info), info.data)

    @field_validator("command")
    @classmethod
    def _command_names_a_program(cls, command: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if command is not None and info.data.get("serve") is not None:
            raise ValueError("give either command or serve, not both")
        return names_a_program(command)

    @field_validator("training")
    @classmethod
    def _one_program(cls, training: TrainingRequest | None, info: ValidationInfo) -> TrainingRequest | None:
        if training is not None and info.data.get("command") is not None:
            raise ValueError("give either command or training, not both")
        return training

    @field_validator("training", "retries", "time_limit_s")
    @classmethod
    def _ends_by_itself(cls, given: Any, info: ValidationInfo) -> Any:
        return of_a_training(given, info)

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
        for unordered in ("environment", "secrets", "labels", "node_labels"):
            if unordered in asked:
                asked[unordered] = sorted(asked[unordered].items())
        if self.apart is not None:
            asked["apart"]["labels"] = sorted(self.apart.labels.items())
        return sha256(json.dumps(asked, separators=(",", ":")).encode()).hexdigest()

    def to_spec(self) -> JobSpec:
        """Return the complete specification."""
        shape = worker_shape(self.devices_per_worker, self.share, self.cpu_milli, self.memory_mib)
        workers, types = self.workers if isinstance(self.workers, int) else 0, types_of(self.chips)
        return JobSpec(
            name=self.name,
            kind=self.kind,
            workers=workers,
            shape=shape,
            chips=self._chip_request(),
            program=self._program(),
            environment=tuple(sorted(self.environment.items())),
            retries=self.retries,
            time_limit_s=self.time_limit_s,
            grace_s=self.grace_s,
            checkpoint_interval_s=self.checkpoint_interval_s,
            checkpoints_kept=self.checkpoints_kept,
            silence_limit_s=self.silence_limit_s,
            stall_limit_s=self.stall_limit_s,
            replicas=self.replicas,
            serving=self.to_serving(),
            priority=self.priority,
            queue=self.queue,
            labels=tuple(sorted(self.labels.items())),
            family=self.family,
            image=self.image,
            shared_memory_mib=self.shared_memory_mib,
            volumes=tuple(Volume(volume.volume_class, volume.path, volume.read_only) for volume in self.volumes),
            secrets=tuple(
                SecretVariable(variable, entry.secret, entry.key) for variable, entry in sorted(self.secrets.items())
            ),
            choice=Choice(self.choose),
            alternatives=tuple(other.to_alternative(workers, shape, types) for other in self.alternatives),
            roles=tuple(role.to_role() for role in self.roles),
            closeness=self.topology.to_closeness(),
            spread=None if self.spread is None else self.spread.to_spread(),
            apart=None if self.apart is None else self.apart.to_apart(),
            exclusive=self.exclusive,
            preemptible=self.preemptible,
            movable=self.movable,
            node_labels=tuple(sorted(self.node_labels.items())),
            after=tuple(one.to_dependency() for one in self.after),
            elastic=to_elastic(self.min_workers, self.workers_step),
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
        if self.kind is JobKind.INFERENCE:
            return (self.serve or ServeRequest()).to_program()
        return (self.training or TrainingRequest()).to_program()

    def chip_names(self) -> tuple[str, ...]:
        """Return the chip types it names, in its order, each once."""
        return tuple(dict.fromkeys(chip for _, chips in self._named() for chip in types_of(chips)))

    def pointer_to(self, chip: str) -> str:
        """Return the JSON pointer of the first place where it names a chip type."""
        for pointer, chips in self._named():
            if chip in types_of(chips):
                return pointer + _step_to(chip, chips)
        return "/chips"

    def _named(self) -> Iterator[tuple[str, NamedChips]]:
        yield "/chips", self.chips
        for index, other in enumerate(self.alternatives):
            yield f"/alternatives/{index}/chips", other.chips
        for index, role in enumerate(self.roles):
            yield f"/roles/{index}/chips", role.chips


def _step_to(chip: str, chips: NamedChips) -> str:
    if isinstance(chips, dict):
        return f"/{chip}"
    return f"/{chips.index(chip)}" if isinstance(chips, tuple) else ""
