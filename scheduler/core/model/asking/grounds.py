"""What a decision rested on, kept with it: so that it can be explained long after."""

from dataclasses import dataclass
from datetime import datetime

from scheduler.core.model.identifiers import GroupId
from scheduler.core.model.sharing.queue import QueueName

MOST_NAMED = 8
"""So many overtaken gangs, and so many siblings of each queue, are named."""


@dataclass(frozen=True, slots=True)
class QueueShare:
    """What a queue had, as a part of the cluster, then and lately; and its weight."""

    queue: QueueName
    share: float
    weight: int

    @property
    def rank(self) -> float:
        """What decides whose turn it is among siblings: the least first."""
        return self.share / self.weight


@dataclass(frozen=True, slots=True)
class Standing:
    """What the place of a gang in the order rests on at one moment."""

    policy: str
    queue: QueueName
    place: int
    """Within its queue, from 1, of those that waited."""
    priority: int
    age_s: float
    """Since its job was submitted."""
    shares: tuple[QueueShare, ...] = ()
    """Of its queue and those that it is in, its own first; empty where queues do not come before gangs."""
    ageing_s: float = 0.0
    """What a point of priority was worth; 0: higher priority before all else."""
    level: float | None = None
    """What it was sorted by before its age, by a policy that looks at the past; None: nothing was known."""


@dataclass(frozen=True, slots=True)
class KeptRoom:
    """Room that was promised to another gang, and that was left to it."""

    group: GroupId
    begins: datetime


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a placement rested on. Bounded: it names a few of many."""

    standing: Standing
    overtook: int
    """How many of its own queue were before it and had no place."""
    overtaken: tuple[GroupId, ...] = ()
    """The first of them."""
    siblings: tuple[QueueShare, ...] = ()
    """The queues beside its own, and beside those that it is in, in which somebody waited: those due most."""
    kept: tuple[KeptRoom, ...] = ()
    """The reservations that stood."""
