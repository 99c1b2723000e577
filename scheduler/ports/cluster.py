"""Driving workers on one cluster. Every call may be repeated: a worker's name is a function of its attempt and rank."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from scheduler.core.model.attempt import Allocation, SeenWorker
from scheduler.core.model.identifiers import AttemptId, ClusterName, JobId, WorkerKey
from scheduler.core.model.job import Job, JobSpec, ReferenceTraining
from scheduler.core.model.node import Node


@dataclass(frozen=True, slots=True)
class Claims:
    """What a cluster can do; what it does not claim is not asked of it."""

    binds_devices: bool
    """A worker gets exactly the device slots of its allocation; elsewhere whole devices are only counted."""
    enforces_shares: bool
    """A share of a device can be given, and a worker gets no more than it."""
    enforces_time_limit: bool
    """Workers are ended at their time limit even while Medley is down."""
    enforces_memory: bool
    keeps_logs: bool
    runs_images: bool
    """A job's container image, volumes and secrets are used."""
    starts_at_once: int
    """How many gangs may be started at the same time, from as many threads; at least 1."""
    probes_readiness: bool
    """A server is UNREADY until it answers at its readiness path, and its rank 0 has an address; elsewhere who runs is
    ready, and nobody knows where."""


@dataclass(frozen=True, slots=True)
class GangOrder:
    """All that is needed to start a gang."""

    job: Job
    attempt: AttemptId
    number: int
    """The attempt's number, from 1."""
    generation: int
    allocations: tuple[Allocation, ...]
    torch_devices: tuple[str, ...]
    """Per rank: the device module of torch for its chip type; `cpu` for a worker without devices."""
    api_url: str
    """Where workers reach the API."""
    token: str
    """Good for this attempt only."""

    @property
    def to_start(self) -> tuple[Allocation, ...]:
        """Whose workers are of this generation from the first: all of the first one, and who came with a later one."""
        return tuple(one for one in self.allocations if one.since == self.generation)


class StartRefusal(StrEnum):
    """Why a gang was not started."""

    STOPPED = "stopped"
    """It was stopped before it was started."""
    QUOTA = "quota"
    """The cluster's own quota."""
    DENIED = "denied"
    """The cluster's admission rules."""
    FORBIDDEN = "forbidden"
    """Medley lacks a permission there."""
    INVALID = "invalid"
    """The cluster found what it was asked to run malformed."""
    NAME_TAKEN = "name-taken"
    """Something that is not ours has the name of one of its parts."""
    NOT_ALLOWED = "not-allowed"
    """The cluster's configuration does not offer the image, volume or secret that the job asks for."""
    FAILED = "failed"
    """Anything else."""


class StartFailed(Exception):
    """The cluster refused to start the gang, and nothing of it runs; the message says why, for people."""

    def __init__(self, message: str, refusal: StartRefusal = StartRefusal.FAILED) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at to find out whether a cluster can be driven."""

    what: str
    is_ok: bool
    detail: str
    next_step: str | None = None
    """What a person should do about it; None where nothing is to be done."""


@dataclass(frozen=True, slots=True)
class WorkerNote:
    """Something the cluster said of a worker that belongs on its job's timeline."""

    attempt: AttemptId
    rank: int | None
    """None where it concerns the whole gang."""
    text: str
    """At most 500 characters."""
    at: datetime


@dataclass(frozen=True, slots=True)
class LogChunk:
    """A piece of one worker's output."""

    text: str
    """Decoded as UTF-8; bytes that are not become U+FFFD."""
    start: int
    """Byte offset of the text in all that the worker ever printed; above the asked one where older output is gone."""
    end: int
    """Where to read on."""
    is_complete: bool
    """The worker has ended and nothing comes after `end`."""
    is_behind: bool = False
    """What was printed is still on its way here: ask again, even if the text is empty."""


class ClusterUnavailable(Exception):
    """The cluster did not answer; nothing is known."""


class ClusterReader(Protocol):
    """One cluster, for whoever drives nothing on it."""

    @property
    def name(self) -> ClusterName:
        """The cluster's name."""
        ...

    def logs(self, worker: WorkerKey, *, offset: int, limit: int, within_s: float = 5.0) -> LogChunk:
        """Return at most `limit` bytes of a worker's output from `offset` on; empty and incomplete if unknown.

        Output that lies elsewhere is waited for for `within_s` at most; its fetching begins also with 0. Raises
        ClusterUnavailable.
        """
        ...

    def objection(self, job: Job) -> str | None:
        """Return why this cluster would never run the job, for people; None where it would. Asks nobody."""
        ...

    def keeps_checkpoints(self, job: Job) -> bool | None:
        """Say whether what the job's workers save is there for a later attempt on this cluster. Asks nobody.

        None: it is not known in this process.
        """
        ...

    def check(self) -> tuple[Finding, ...]:
        """Return what works and what is missing to drive the cluster. May take seconds; never raises."""
        ...


class ClusterPort(ClusterReader, Protocol):
    """One cluster."""

    @property
    def claims(self) -> Claims:
        """What it can do."""
        ...

    def inventory(self) -> list[Node]:
        """Return its nodes. Raises ClusterUnavailable."""
        ...

    def start(self, order: GangOrder) -> None:
        """Start every worker of the gang that was never started; one that was is left alone, even if it ended.

        Of a later generation those are started that came with it; the others run.

        Raises StartFailed, ClusterUnavailable (some may have been started; call again).
        """
        ...

    def stop(self, attempt: AttemptId, *, grace_s: int) -> None:
        """Ask all workers of an attempt to end, and kill them after the grace; returns at once. Unknown: no effect.

        Workers that were never started will not be started later.
        """
        ...

    def dismiss(self, attempt: AttemptId, workers: Collection[int], *, grace_s: int) -> None:
        """Ask some workers of an attempt to end, by their numbers, and kill them after the grace; returns at once.

        The others go on. Unknown and ended ones: no effect. May be repeated.
        """
        ...

    def observe(self) -> list[SeenWorker]:
        """Return every worker that runs, and every ended one that was not forgotten. Raises ClusterUnavailable."""
        ...

    def forget(self, attempt: AttemptId) -> None:
        """Drop an ended attempt from `observe`; its logs stay readable for as long as the cluster keeps them."""
        ...

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when something was seen to change (a hint). Returns what ends it."""
        ...

    def notes(self) -> list[WorkerNote]:
        """Return what was newly seen of workers, once each; what nobody fetches in time may be lost."""
        ...

    def lag_s(self) -> float | None:
        """Return how many seconds ago the cluster last told anything of what is followed there; asks nobody.

        0 where every look asks it anew; None before it first told anything.
        """
        ...

    def sweep(self, live: Collection[AttemptId], *, unfinished: Collection[JobId]) -> None:
        """Remove what is left of attempts that are not `live` and have no workers; returns soon.

        Of jobs that are not `unfinished`, checkpoints need not be kept for ever.
        """
        ...

    def close(self) -> None:
        """Let go of threads and handles; workers go on."""
        ...


Clusters = Sequence[ClusterReader]


def elastic_objection(cluster: ClusterName, job: Job, *, keeps_checkpoints: bool) -> str | None:
    """Return what a cluster has against an elastic job, for people: its gang goes on from checkpoints."""
    if job.spec.elastic is None or keeps_checkpoints:
        return None
    what = f"cluster {cluster} keeps no checkpoints, from which an elastic job goes on with other workers"
    return f"{what}; ask for a fixed number of workers, or for a cluster with a place for checkpoints"


def objection_by_claims(cluster: ClusterName, claims: Claims, job: Job) -> str | None:
    """Return what a cluster that can do no more than its claims has against a job, for people; None where nothing."""
    spec = job.spec
    trainers = [role.name for role in spec.roles if isinstance(role.program, ReferenceTraining)]
    if trainers:
        what = f"role {trainers[0]} has a reference training of its own, and a gang trains one model"
        return f"{what}; leave the role's program out to train with the others, or give it a command"
    if not claims.enforces_shares and _needs_share(spec):
        what = f"cluster {cluster} gives workers whole devices only, and the job asks for a share of one"
        return f"{what}; ask for whole devices, or for a cluster that enforces shares"
    return None if claims.runs_images else _container_objection(cluster, spec)


def _needs_share(spec: JobSpec) -> bool:
    """Say whether there is no way to run the job without a share of a device."""
    main = (spec.shape, *(other.shape for other in spec.alternatives))
    return all(shape.share_milli for shape in main) or any(role.shape.share_milli for role in spec.roles)


def _container_objection(cluster: ClusterName, spec: JobSpec) -> str | None:
    asked = [
        name
        for name, is_asked in (
            (f"the image {spec.image}", spec.image is not None),
            ("volumes", bool(spec.volumes)),
            ("secrets", bool(spec.secrets)),
        )
        if is_asked
    ]
    if not asked:
        return None
    return f"cluster {cluster} runs workers as plain processes and cannot give them {', '.join(asked)}"
