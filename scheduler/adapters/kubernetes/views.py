"""What is kept of the API's objects: small slotted values instead of whole documents."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of a status' conditions."""

    kind: str
    status: str
    """`True`, `False` or `Unknown`."""
    reason: str
    message: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class ContainerView:
    """The state of a pod's main container, or of an init container that keeps it from starting."""

    waiting_reason: str
    """Empty unless it waits."""
    message: str
    running_since: datetime | None
    has_ended: bool
    exit_code: int | None
    """As the kubelet says it: 128 + n for signal n."""
    ended_reason: str
    started_at: datetime | None
    """None of an init container: the worker did not start."""
    ended_at: datetime | None
    is_before_worker: bool = False
    """It is an init container's, whose exit code is not the program's."""
    is_ready: bool = False
    """What the kubelet's probe says; who is not asked is ready while it runs."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """What a pod of some Medley says of itself; to be believed only with the right proof."""

    instance: str
    attempt: str
    rank: int
    generation: int
    proof: str
    owner_uid: str
    """UID of the controlling owner, empty where there is none."""
    released_to: str = ""
    """The node that it is pinned to, empty while its gate is closed."""
    port: int = -1
    """Where it listens as rank 0 of a server; -1 where it is none."""


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod."""

    uid: str
    namespace: str
    name: str
    version: int
    """Its resourceVersion."""
    node: str
    """Empty until it is bound."""
    phase: str
    reason: str
    message: str
    is_gated: bool
    """Whether our own gate is shut; a gate of others is theirs to open, and is waited for as for the scheduler."""
    deleted_at: datetime | None
    """When it was asked to go plus its grace (metadata.deletionTimestamp)."""
    ownership: Ownership | None
    """None where it carries no labels of Medley's."""
    container: ContainerView | None
    """None until the kubelet says something, and of a pod without ownership."""
    conditions: tuple[Condition, ...]
    """PodScheduled and DisruptionTarget only, and none of a pod without ownership."""
    requests: tuple[tuple[str, int], ...]
    """What it takes of its node, all containers, init containers and overhead counted as the kubelet does: `cpu` in
    milli-cores, `memory` and `ephemeral-storage` in MiB rounded up, everything else as counts; `pods` is not in it."""
    deletion_grace_s: int = 0
    """Once it was asked to go: how long it may take (metadata.deletionGracePeriodSeconds)."""
    address: str = ""
    """Its IP address as a URL has it; empty until it has one, and of a pod that is no server."""

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def is_over(self) -> bool:
        """Say whether its containers have ended for good."""
        return self.phase in ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a node."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node."""

    uid: str
    name: str
    version: int
    labels: dict[str, str]
    annotations: dict[str, str]
    """Only those that device discovery reads."""
    allocatable: tuple[tuple[str, int], ...]
    """In the units of PodView.requests, rounded down; `pods` as a count."""
    capacity: tuple[tuple[str, int], ...]
    taints: tuple[Taint, ...]
    is_cordoned: bool
    conditions: tuple[Condition, ...]
    unreadable: tuple[str, ...] = ()
    """Resources whose quantity is absurd, as `name=text`; they count as none."""

    @property
    def key(self) -> str:
        """Its name."""
        return self.name


@dataclass(frozen=True, slots=True)
class MapView:
    """A ConfigMap of ours, without its data."""

    uid: str
    namespace: str
    name: str
    version: int
    is_going: bool
    instance: str
    attempt: str
    proof: str

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"
