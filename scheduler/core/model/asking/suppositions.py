"""What people suppose when they ask what would be if something were otherwise."""

from dataclasses import dataclass

from scheduler.core.model.sharing.queue import QueueName, QueueQuota

MOST_SUPPOSITIONS = 16
MOST_NODES = 4_096
"""So many nodes are supposed drained, or added, in one question."""
MOST_CHIPS_TRIED = 16
"""So many other chip types are tried for a job, where one is looked for on which it would start."""


@dataclass(frozen=True, slots=True)
class DrainNodes:
    """Nodes take nothing new. Those that are named, or of those with all that is said of them so many as are counted.

    One of `nodes`, `like` and `where` is said at least.
    """

    nodes: tuple[str, ...] = ()
    """`CLUSTER/NAME`, or the name alone where one cluster has it."""
    like: str | None = None
    """A pool as `medley pools` names it, or a chip type."""
    where: tuple[str, str] | None = None
    """A level of the topology and a domain of it, such as a rack, or a label."""
    count: int | None = None
    """So many of those with least work on them; None: all. Not together with `nodes`."""
    runs_on: bool = False
    """What they run goes on; else it has to leave at once."""


@dataclass(frozen=True, slots=True)
class AddNodes:
    """There are more nodes, like some that there are, in a part of the topology of their own."""

    like: str
    """A pool or a chip type: of the nodes that have it alone, and are everybody's, as the most are."""
    count: int
    cluster: str | None = None
    """Of which cluster; None: the one that has most of these nodes."""


@dataclass(frozen=True, slots=True)
class SetQuota:
    """A queue's quota of one resource is this one, whole."""

    quota: QueueQuota


@dataclass(frozen=True, slots=True)
class SetWeight:
    """A queue counts so much against its siblings."""

    queue: QueueName
    weight: int


Supposition = DrainNodes | AddNodes | SetQuota | SetWeight


class CannotSuppose(ValueError):
    """What is supposed makes no sense on this state; `args[0]` says why, for people."""

    def __init__(self, why: str, at: int | None = None) -> None:
        super().__init__(why)
        self.at = at
        """Which of the suppositions it is, from 0; None: all of them together."""


class UnknownSubject(CannotSuppose):
    """Something is named that there is not: a node, a pool, a chip type, a queue or a resource."""


class TooMuchSupposed(CannotSuppose):
    """More nodes are meant than can be tried at once."""


class NothingSupposed(CannotSuppose):
    """All is as it would be anyway."""
