"""What a tenant asks for: a small typed job, never a pod."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import product

from scheduler.core.model.asking.mounts import SecretVariable, Volume
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import ChipName, ClusterName, JobId, TenantName
from scheduler.core.model.resources import MAIN_ROLE, Elastic, WorkerShape
from scheduler.core.model.sharing.queue import Account, QueueName
from scheduler.core.model.topology import ANYWHERE_CLOSE, Apart, Closeness, Spread


class JobKind(StrEnum):
    """What a job is."""

    TRAINING = "training"
    """One gang: all its workers run together or none does."""
    INFERENCE = "inference"
    """A server of several replicas: each is a gang of its own, which starts and fails by itself, and is to run on."""


MOST_REPLICAS = 256
"""Of one job."""


class Wish(StrEnum):
    """What the user wants now, as opposed to what is true."""

    RUN = "run"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Acceptable chip types, the first one liked best; the whole gang gets one of them. None: it needs no devices."""

    chips: tuple[ChipName, ...]


@dataclass(frozen=True, slots=True)
class ExactMix:
    """So many workers on each chip type, ranks in this order; the counts sum up to the gang's size."""

    workers: tuple[tuple[ChipName, int], ...]


ChipRequest = AnyOf | ExactMix


class Choice(StrEnum):
    """Which of the acceptable options a gang gets."""

    ORDERED = "ordered"
    """The first one that has room, in the job's order."""
    BEST = "best"
    """The one that scores best, in no order."""


@dataclass(frozen=True, slots=True)
class Part:
    """So many alike workers of a gang on one chip type."""

    chip: ChipName | None
    """None for workers without devices: any node will do."""
    workers: int
    shape: WorkerShape
    role: str = MAIN_ROLE


Option = tuple[Part, ...]
"""A whole gang: what would satisfy a job. Ranks follow the parts in their order."""


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


@dataclass(frozen=True, slots=True)
class ReferenceServing:
    """The runtime's built-in server, of the model of its built-in training."""

    training: JobId | None
    """The training whose newest checkpoint is served; None: fresh weights."""
    seed: int
    """Of fresh weights."""


Program = CommandProgram | ReferenceTraining | ReferenceServing


@dataclass(frozen=True, slots=True)
class WorkerRole:
    """Further workers of a gang, beside its main ones: a launcher, say. Their ranks come after the main workers'."""

    name: str
    """Unique within the job and not `worker`."""
    workers: int
    shape: WorkerShape
    chips: tuple[ChipName, ...]
    """Acceptable chip types, best first, and all workers of the role get one of them; empty: needs no devices."""
    program: Program | None = None
    """None for the job's own."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another size that the main workers may have: 16 with one A800 each, say, in place of 8 with an H100."""

    workers: int
    shape: WorkerShape
    chips: tuple[ChipName, ...]
    """Acceptable chip types, best first."""


MOST_SIZES = 32
"""That an elastic gang may have: each is a choice among which a place is sought."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How the replicas of an inference job are reached: at rank 0 of each."""

    port: int
    """Where its program listens. Where several replicas share an address, each is told another one."""
    readiness_path: str | None
    """A GET of it is answered with 200 to 399 by who is ready; None: who runs is ready."""


class Condition(StrEnum):
    """What must have become of a job for those that come after it to run."""

    SUCCEEDED = "succeeded"
    ENDED = "ended"
    """Whatever became of it."""

    def is_met_by(self, state: State) -> bool:
        """Say whether a final state is what was asked for."""
        return self is Condition.ENDED or state is State.SUCCEEDED


@dataclass(frozen=True, slots=True)
class Dependency:
    """A job or an array that must be over first. It was there before: none wait for each other in a circle."""

    job: JobId
    """Or the array, which is over once all of its jobs are, and succeeded if all of them did."""
    condition: Condition = Condition.SUCCEEDED
    is_array: bool = False


MOST_MEMBERS = 10_000
"""Of one array."""


@dataclass(frozen=True, slots=True)
class ArrayWish:
    """One submission for many alike jobs."""

    count: int
    """1 to MOST_MEMBERS."""
    most_at_once: int | None = None
    """So many of them at most hold something at one time, 1 or more; None: as many as fit."""

    @property
    def at_once(self) -> int:
        """So many of them may hold something at one time if there is room."""
        return self.count if self.most_at_once is None else min(self.count, self.most_at_once)


@dataclass(frozen=True, slots=True)
class ArrayMember:
    """Which of the jobs of an array a job is."""

    array: JobId
    """The array's own id: no job's, and less than those of its members."""
    name: str
    """What was submitted; its members are named by it and their number."""
    index: int
    """From 0."""
    count: int
    most_at_once: int | None = None

    def variables(self) -> tuple[tuple[str, str], ...]:
        """Return what its program finds in its environment."""
        numbers = {"MEDLEY_ARRAY_INDEX": self.index, "MEDLEY_ARRAY_COUNT": self.count}
        return (("MEDLEY_ARRAY_ID", self.array), *((name, str(number)) for name, number in numbers.items()))


def member_name(array: str, index: int) -> str:
    """Return the name of an array's member."""
    return f"{array}-{index}"


DEFAULT_CHECKPOINT_INTERVAL_S = 300
DEFAULT_CHECKPOINTS_KEPT = 2
DEFAULT_SILENCE_LIMIT_S = 300
DEFAULT_STALL_LIMIT_S = 1_800


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
    choice: Choice = Choice.ORDERED
    alternatives: tuple[Alternative, ...] = ()
    """Liked less than `workers`, `shape` and `chips`, best first."""
    roles: tuple[WorkerRole, ...] = ()
    closeness: Closeness = ANYWHERE_CLOSE
    spread: Spread | None = None
    apart: Apart | None = None
    exclusive: bool = False
    """Its nodes are its own while it runs: nothing else is placed there."""
    node_labels: tuple[tuple[str, str], ...] = ()
    """Labels that its nodes must have."""
    checkpoint_interval_s: int = DEFAULT_CHECKPOINT_INTERVAL_S
    """How often its training saves itself, where there is a place for that."""
    checkpoints_kept: int = DEFAULT_CHECKPOINTS_KEPT
    """So many of the latest."""
    silence_limit_s: int = DEFAULT_SILENCE_LIMIT_S
    """An attempt whose runtime has promised heartbeats is ended after so long without any."""
    stall_limit_s: int | None = DEFAULT_STALL_LIMIT_S
    """One whose program reports progress is ended after so long without any; None: never."""
    replicas: int = 1
    """How many gangs were asked for at its submission; a training is one."""
    serving: Serving | None = None
    """Of an inference job."""
    after: tuple[Dependency, ...] = ()
    """It has its first attempt once all of these are met, and fails once one of them never will be."""
    array: ArrayMember | None = None
    """Where it is one of many."""
    family: str | None = None
    """What it is one of many of, as its user says: jobs of a family are as fast on the same chip type."""
    queue: QueueName | None = None
    """Where it waits; None: in its tenant's own queue."""
    elastic: Elastic | None = None
    """Of a training with one role on one chip type: `workers` is the most that is wanted, and fewer will do."""
    preemptible: bool = True
    """Whether its attempts may be stopped for another gang's sake."""
    movable: bool = False
    """Whether they may be stopped to go on elsewhere, where that makes room for another gang."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many main workers it may have in its own shape, most liked first."""
        return (self.workers,) if self.elastic is None else self.elastic.sizes(self.workers)

    @property
    def variables(self) -> tuple[tuple[str, str], ...]:
        """The environment of its workers: what was asked for, and which of many it is."""
        return self.environment + (() if self.array is None else self.array.variables())

    @property
    def limited_array(self) -> ArrayMember | None:
        """Which of an array's jobs it is, where only so many of them may hold something at one time."""
        return None if self.array is None or self.array.most_at_once is None else self.array

    @property
    def serves(self) -> bool:
        """Whether its workers are to run on until they are not wanted any more."""
        return self.kind is JobKind.INFERENCE

    @property
    def serves_training(self) -> JobId | None:
        """The training whose checkpoints its workers read."""
        return self.program.training if isinstance(self.program, ReferenceServing) else None

    def options(self) -> tuple[Option, ...]:
        """Return what would satisfy the job, best first; with several roles, all their chip types in all pairings."""
        further = [
            [Part(chip, role.workers, role.shape, role.name) for chip in role.chips or (None,)] for role in self.roles
        ]
        return tuple((*main, *others) for main in self._main_parts() for others in product(*further))

    def _main_parts(self) -> list[Option]:
        if isinstance(self.chips, ExactMix):
            found = [tuple(Part(chip, workers, self.shape) for chip, workers in self.chips.workers)]
        else:
            chips = self.chips.chips or (None,)
            found = [(Part(chip, workers, self.shape),) for workers in self.sizes for chip in chips]
        for other in self.alternatives:
            found += [(Part(chip, other.workers, other.shape),) for chip in other.chips]
        return found


@dataclass(frozen=True, slots=True)
class Job:
    """An intent of a tenant. What became of it is in its groups and their attempts."""

    id: JobId
    tenant: TenantName
    spec: JobSpec
    submitted_by: str
    submitted_at: datetime
    wish: Wish = Wish.RUN
    replicas: int = 1
    """How many groups its user wants now."""
    revision: int = 1
    """Which version of its specification `spec` is."""
    traceparent: str | None = None
    """The W3C trace context of the request that submitted it: what is done for the job is part of that trace."""
    settled: tuple[tuple[JobId, State], ...] = ()
    """What became of the jobs and arrays that it comes after and that are over, in the order of `spec.after`.

    Known of jobs that are decided on; elsewhere empty.
    """

    @property
    def queue(self) -> QueueName:
        """Where it waits, and what it holds is counted."""
        return self.spec.queue or self.tenant

    @property
    def account(self) -> Account:
        """Whom what it holds is counted for."""
        return Account(self.queue, self.submitted_by)

    @property
    def edited(self) -> tuple[int, ...]:
        """What people change of it: priority, wanted replicas, version; of an elastic job the wanted workers too."""
        return self.edited_of(self.spec, self.replicas, self.revision)

    @staticmethod
    def edited_of(spec: JobSpec, replicas: int, revision: int) -> tuple[int, ...]:
        """Return the same of a job of which only so much is known."""
        own = spec.priority, replicas, revision
        return own if spec.elastic is None else (*own, spec.workers)

    def with_priority(self, priority: int) -> "Job":
        """Return it with another priority."""
        return replace(self, spec=replace(self.spec, priority=priority))

    def with_workers(self, workers: int) -> "Job":
        """Return it with another number of workers that are wanted at most."""
        return replace(self, spec=replace(self.spec, workers=workers))

    def with_settled(self, job: JobId, became: State) -> "Job":
        """Return it with what became of a job, or an array, that it comes after."""
        known = {**dict(self.settled), job: became}
        return replace(self, settled=tuple((one.job, known[one.job]) for one in self.spec.after if one.job in known))
