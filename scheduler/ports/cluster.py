"""Driving workers on one cluster. Every call may be repeated: a worker's name is a function of its attempt and rank."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from scheduler.core.model.attempt import Allocation, SeenWorker
from scheduler.core.model.identifiers import AttemptId, ClusterName, WorkerKey
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node


@dataclass(frozen=True, slots=True)
class Claims:
    """What a cluster can do; what it does not claim is not asked of it."""

    binds_devices: bool
    """A worker gets exactly the device slots of its allocation."""
    enforces_shares: bool
    """A part of a device can be given and is enforced."""
    enforces_time_limit: bool
    """Workers are ended at their time limit even while Medley is down."""
    enforces_memory: bool
    keeps_logs: bool


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
    """Per rank: the device module of torch for its chip type."""
    api_url: str
    """Where workers reach the API."""
    token: str
    """Good for this attempt only."""


class StartFailed(Exception):
    """The cluster refused to start the gang, and nothing of it runs; the message says why, for people."""


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


class ClusterUnavailable(Exception):
    """The cluster did not answer; nothing is known."""


class ClusterPort(Protocol):
    """One cluster."""

    @property
    def name(self) -> ClusterName:
        """The cluster's name."""
        ...

    @property
    def claims(self) -> Claims:
        """What it can do."""
        ...

    def inventory(self) -> list[Node]:
        """Return its nodes. Raises ClusterUnavailable."""
        ...

    def start(self, order: GangOrder) -> None:
        """Start every worker of the gang that was never started; one that was is left alone, even if it ended.

        Raises StartFailed, ClusterUnavailable (some may have been started; call again).
        """
        ...

    def stop(self, attempt: AttemptId, *, grace_s: int) -> None:
        """Ask all workers of an attempt to end, and kill them after the grace; returns at once. Unknown: no effect.

        Workers that were never started will not be started later.
        """
        ...

    def observe(self) -> list[SeenWorker]:
        """Return every worker that runs, and every ended one that was not forgotten. Raises ClusterUnavailable."""
        ...

    def forget(self, attempt: AttemptId) -> None:
        """Drop an ended attempt from `observe`; its logs stay readable for as long as the cluster keeps them."""
        ...

    def logs(self, worker: WorkerKey, *, offset: int, limit: int) -> LogChunk:
        """Return at most `limit` bytes of a worker's output from `offset` on; empty and incomplete if unknown."""
        ...

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when something was seen to change (a hint). Returns what ends it."""
        ...

    def close(self) -> None:
        """Let go of threads and handles; workers go on."""
        ...


Clusters = Sequence[ClusterPort]
