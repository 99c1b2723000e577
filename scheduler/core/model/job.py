"""What a tenant asks for: a small typed job, never a pod."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.core.model.identifiers import ChipName, ClusterName, JobId, TenantName
from scheduler.core.model.resources import WorkerShape


class JobKind(StrEnum):
    """What a job is."""

    TRAINING = "training"
    """One gang: all its workers run together or none does."""


class Wish(StrEnum):
    """What the user wants now, as opposed to what is true."""

    RUN = "run"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Acceptable chip types, the first one liked best; the whole gang gets one of them."""

    chips: tuple[ChipName, ...]


@dataclass(frozen=True, slots=True)
class ExactMix:
    """So many workers on each chip type, ranks in this order; the counts sum up to the gang's size."""

    workers: tuple[tuple[ChipName, int], ...]


ChipRequest = AnyOf | ExactMix


@dataclass(frozen=True, slots=True)
class CommandProgram:
    """A program of the user's own, run once per worker."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReferenceTraining:
    """The runtime's built-in training: a small GPT on the bytes of a text, data parallel over the gang."""

    steps: int
    batch: int
    """Sequences per worker and step."""
    sequence: int
    """Bytes per sequence."""
    width: int
    """Size of a token's vector; a multiple of `heads`."""
    layers: int
    heads: int
    learning_rate: float
    seed: int


Program = CommandProgram | ReferenceTraining


@dataclass(frozen=True, slots=True)
class Volume:
    """Storage that the operator offers under a name, mounted into every worker."""

    volume_class: str
    path: str
    """Where workers see it: an absolute path."""
    is_read_only: bool


@dataclass(frozen=True, slots=True)
class SecretVariable:
    """An environment variable whose value the cluster takes from a secret; Medley never reads it."""

    variable: str
    secret: str
    """The secret's name where the tenant's workers run."""
    key: str
    """Which of the secret's entries."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What was submitted, complete with defaults."""

    name: str
    kind: JobKind
    workers: int
    """Size of the gang."""
    shape: WorkerShape
    chips: ChipRequest
    program: Program
    environment: tuple[tuple[str, str], ...] = ()
    retries: int = 0
    """How often a failed attempt is tried again; preemption is not charged."""
    time_limit_s: int | None = None
    """Longest run time of one attempt."""
    grace_s: int = 10
    """Time between the request to end and the kill."""
    priority: int = 0
    labels: tuple[tuple[str, str], ...] = ()
    image: str | None = None
    """The container image to run in; None for the cluster's own."""
    shared_memory_mib: int = 0
    """Memory that a worker's processes may share through /dev/shm, counted within `shape.memory_mib`."""
    volumes: tuple[Volume, ...] = ()
    secrets: tuple[SecretVariable, ...] = ()
    objecting_clusters: tuple[ClusterName, ...] = ()
    """Clusters that would not run it, as they said when it was submitted; it is never placed there."""

    def options(self) -> tuple[tuple[tuple[ChipName, int], ...], ...]:
        """Return what would satisfy the job, best first: each option is the workers wanted per chip type."""
        if isinstance(self.chips, ExactMix):
            return (self.chips.workers,)
        return tuple(((chip, self.workers),) for chip in self.chips.chips)


@dataclass(frozen=True, slots=True)
class Job:
    """An intent of a tenant. What became of it is in its groups and their attempts."""

    id: JobId
    tenant: TenantName
    spec: JobSpec
    submitted_by: str
    submitted_at: datetime
    wish: Wish = Wish.RUN
