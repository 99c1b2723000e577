"""What was submitted, as the API shows it: in the form of a request, complete with defaults."""

from typing import Any

from api.schemas.text import Answer
from scheduler.core.model.job import Choice, Condition, JobKind

SPEC_EXAMPLE: dict[str, Any] = {
    "name": "first",
    "kind": "training",
    "replicas": 1,
    "port": None,
    "readiness_path": None,
    "workers": 1,
    "min_workers": None,
    "workers_step": 1,
    "chips": "h100-sxm",
    "devices_per_worker": 2,
    "share": None,
    "cpu_milli": 1000,
    "memory_mib": 4096,
    "choose": "ordered",
    "alternatives": [],
    "roles": [],
    "topology": {"require": None, "prefer": None},
    "spread": None,
    "apart": None,
    "exclusive": False,
    "preemptible": True,
    "movable": False,
    "node_labels": {},
    "command": ["python", "train.py"],
    "training": None,
    "serve": None,
    "environment": {},
    "image": None,
    "shared_memory_mib": 0,
    "volumes": [],
    "secrets": {},
    "retries": 0,
    "time_limit_s": None,
    "grace_s": 10,
    "checkpoint_interval_s": 300,
    "checkpoints_kept": 2,
    "silence_limit_s": 300,
    "stall_limit_s": 1800,
    "priority": 0,
    "queue": None,
    "labels": {},
    "family": None,
    "after": [{"job": "01jd3v9k2m0a7b4b", "condition": "succeeded"}],
}


class ShareAnswer(Answer):
    """A part of one device."""

    milli: int
    """Thousandths of its compute."""
    memory_mib: int


class AfterJobAnswer(Answer):
    """A job that must be over first."""

    job: str
    condition: Condition


class AfterArrayAnswer(Answer):
    """An array of which all jobs must be over first."""

    array: str
    condition: Condition
    """What must have become of each of its jobs."""


class AlternativeAnswer(Answer):
    """Another size that the job's own workers may have."""

    workers: int
    chips: str | tuple[str, ...]
    devices_per_worker: int
    share: ShareAnswer | None
    cpu_milli: int
    memory_mib: int


class RoleAnswer(Answer):
    """Further workers of the gang, beside its main ones."""

    name: str
    workers: int
    devices_per_worker: int
    share: ShareAnswer | None
    chips: str | tuple[str, ...] | None
    cpu_milli: int
    memory_mib: int
    command: tuple[str, ...] | None


class TopologyAnswer(Answer):
    """How near to each other the workers are to be."""

    require: str | None
    prefer: tuple[str, ...] | None


class SpreadAnswer(Answer):
    """At most so many of the workers in one domain of a level."""

    level: str
    most: int


class ApartAnswer(Answer):
    """Whose workers no domain of a level is shared with."""

    level: str
    labels: dict[str, str]


class TrainingAnswer(Answer):
    """The built-in reference training with all its settings."""

    steps: int
    batch: int
    sequence: int
    width: int
    layers: int
    heads: int
    learning_rate: float
    seed: int


class ServeAnswer(Answer):
    """The built-in reference server."""

    training: str | None
    """The training whose newest checkpoint is served; null: fresh weights."""
    seed: int


class VolumeAnswer(Answer):
    """A volume of every worker."""

    volume_class: str
    path: str
    read_only: bool


class SecretAnswer(Answer):
    """Where a variable's value is kept."""

    secret: str
    key: str


class SpecAnswer(Answer):
    """What was submitted, complete with defaults; may be submitted again as it is."""

    name: str
    kind: JobKind
    replicas: int
    """As submitted; a server may have been scaled since."""
    port: int | None
    readiness_path: str | None
    workers: int
    """Of an elastic job so many at most, as its user wants it by now."""
    min_workers: int | None
    """So few will do; null for a fixed size."""
    workers_step: int
    chips: str | tuple[str, ...] | dict[str, int]
    devices_per_worker: int
    """0 where there is a share."""
    share: ShareAnswer | None
    cpu_milli: int
    memory_mib: int
    choose: Choice
    alternatives: tuple[AlternativeAnswer, ...]
    roles: tuple[RoleAnswer, ...]
    topology: TopologyAnswer
    spread: SpreadAnswer | None
    apart: ApartAnswer | None
    exclusive: bool
    preemptible: bool
    movable: bool
    node_labels: dict[str, str]
    command: tuple[str, ...] | None
    training: TrainingAnswer | None
    serve: ServeAnswer | None
    environment: dict[str, str]
    image: str | None
    shared_memory_mib: int
    volumes: tuple[VolumeAnswer, ...]
    secrets: dict[str, SecretAnswer]
    retries: int
    time_limit_s: int | None
    grace_s: int
    checkpoint_interval_s: int
    checkpoints_kept: int
    silence_limit_s: int
    stall_limit_s: int | None
    priority: int
    queue: str | None
    """Where it waits; null: in its tenant's own queue."""
    labels: dict[str, str]
    family: str | None
    """What it is one of many of; null: told by its name without the number at its end."""
    after: tuple[AfterJobAnswer | AfterArrayAnswer, ...]
