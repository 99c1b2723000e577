"""One worker as its pods show it: its pod now, since when it is how it is, and its end."""

from dataclasses import dataclass

from scheduler.adapters.kubernetes.driving import failures
from scheduler.adapters.kubernetes.driving.failures import Ending
from scheduler.adapters.kubernetes.views import PodView
from scheduler.core.model.attempt import WorkerEnd, WorkerPhase, WorkerRecord
from scheduler.core.model.identifiers import WorkerKey

ALIVE = frozenset({WorkerPhase.PENDING, WorkerPhase.UNREADY, WorkerPhase.RUNNING})
"""A worker in one of them holds its devices."""
_CODELESS = frozenset({WorkerEnd.LOST, WorkerEnd.DISRUPTED, WorkerEnd.REJECTED, WorkerEnd.UNSTARTABLE})


@dataclass(slots=True)
class Member:
    """One worker: its pod, and its end once that is settled."""

    key: WorkerKey
    generation: int
    uid: str
    """Of its first pod: another one under its name is a stranger in its clothes."""
    pod: PodView | None
    ended: WorkerRecord | None = None
    released_s: float | None = None
    """When it was first seen without a gate; all these moments are of this process' monotonic clock."""
    bound_s: float | None = None
    going_s: float | None = None
    """When its grace is over, once it was seen to be deleted. By no clock but this one: servers' may be wrong."""
    hindered: tuple[str, float] | None = None
    """What keeps its container from being made, by the name of its patience, and since when."""
    outlived_s: float | None = None
    """When our container was first seen ended in a pod that goes on."""
    confirmed_s: float = float("-inf")
    """When the API was last asked for this very pod."""

    @property
    def is_replaced(self) -> bool:
        """Whether the pod is not its own any more."""
        return self.pod is not None and self.pod.uid != self.uid

    @property
    def has_lived(self) -> bool:
        """Whether it was ever let through its gate."""
        return self.ended is not None or (self.pod is not None and not self.pod.is_gated)

    @property
    def is_to_stop(self) -> bool:
        """Whether it has a pod that may run and that nobody asked to go."""
        return self.pod is not None and not self.pod.is_over and self.pod.deleted_at is None

    def take(self, pod: PodView, *, now_s: float) -> None:
        """Have this pod, and note the moments from which time runs out."""
        self.pod = pod
        if not pod.is_gated and self.released_s is None:
            self.released_s = now_s
        if pod.node and self.bound_s is None:
            self.bound_s = now_s
        if pod.deleted_at is not None:
            going_s = now_s + pod.deletion_grace_s
            self.going_s = going_s if self.going_s is None else min(going_s, self.going_s)
        container = pod.container
        if container is None or container.running_since is not None:
            return
        if container.has_ended and not pod.is_over and self.outlived_s is None:
            self.outlived_s = now_s
        hindrance = failures.hindrance_of(container)
        if hindrance is not None and (self.hindered is None or self.hindered[0] != hindrance.patience):
            self.hindered = (hindrance.patience, now_s)


def looks(pod: PodView) -> tuple[object, ...]:
    """Return what of a pod can change what is said of its worker."""
    container = pod.container
    is_ready = container is not None and _is_server(pod) and container.is_ready
    shown = None if container is None else (container.waiting_reason, container.running_since, container.has_ended)
    return is_ready, pod.address, pod.uid, pod.is_gated, pod.phase, pod.deleted_at is None, shown


def alive_record(rank: int, pod: PodView) -> WorkerRecord:
    """Return what is said of a worker that runs or may still run."""
    container = pod.container
    started_at = None if container is None else container.running_since or container.started_at
    if started_at is None or container is None:
        return WorkerRecord(rank, WorkerPhase.PENDING)
    if not _is_server(pod):
        return WorkerRecord(rank, WorkerPhase.RUNNING, started_at=started_at)
    port = 0 if pod.ownership is None else pod.ownership.port
    address = f"{pod.address}:{port}" if pod.address else None
    phase = WorkerPhase.RUNNING if container.is_ready and address else WorkerPhase.UNREADY
    return WorkerRecord(rank, phase, started_at=started_at, address=address)


def _is_server(pod: PodView) -> bool:
    return pod.ownership is not None and pod.ownership.port > 0


def ended_record(rank: int, ending: Ending, pod: PodView | None) -> WorkerRecord:
    """Return what is said of a worker with this end: PENDING while a pod is there that never ran and never will."""
    started_at = None if pod is None or pod.container is None else pod.container.started_at
    is_over = pod is None or pod.is_over or pod.deleted_at is not None or started_at is not None
    if not is_over:
        return WorkerRecord(rank, WorkerPhase.PENDING, end=ending.end, detail=ending.detail)
    is_lost = ending.exit_code is None and ending.end in _CODELESS
    return WorkerRecord(
        rank,
        WorkerPhase.LOST if is_lost else WorkerPhase.EXITED,
        started_at=started_at,
        ended_at=ending.ended_at,
        exit_code=ending.exit_code,
        end=ending.end,
        detail=ending.detail,
    )
