"""Room that is kept for a gang from a time on, and what that rests on: by names, so that it can be kept and told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.core.model.identifiers import AttemptId, ChipName, GroupId, NodeId


class Basis(StrEnum):
    """What an expected end rests on, firmest first."""

    LIMIT = "limit"
    """The time limit that its cluster enforces, or the grace of what is being stopped."""
    LEARNT = "learnt"
    """What jobs like it did."""
    GUESSED = "guessed"
    """Nothing is known: it is taken to run as long again as it has."""
    PROMISED = "promised"
    """It is the end of a gang that runs on room that is kept for it."""


@dataclass(frozen=True, slots=True)
class NodeRoom:
    """So much of a node."""

    node: NodeId
    devices: tuple[tuple[ChipName, int], ...] = ()
    """Whole devices of each chip type."""
    cpu_milli: int = 0
    memory_mib: int = 0
    pods: int = 0


@dataclass(frozen=True, slots=True)
class AwaitedEnd:
    """Somebody's end that a promise counts on."""

    name: AttemptId
    """An attempt, or `reserved/` and the group that room is kept for."""
    at: datetime
    """When it was expected, as the promise was made."""
    basis: Basis
    gives: tuple[NodeRoom, ...]
    """What of it is for the gang that the promise is for."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Room on named nodes for a whole gang that waits. At most one stands for a group."""

    group: GroupId
    begins: datetime
    ends: datetime | None
    """When its gang will have ended, as far as is known."""
    needs: tuple[NodeRoom, ...]
    awaited: tuple[AwaitedEnd, ...] = ()
    """In the order in which they are expected; none where the room is free now."""

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """The nodes that it is on."""
        return tuple(room.node for room in self.needs)


class DropReason(StrEnum):
    """Why a promise stands no more."""

    NOT_NEEDED = "not-needed"
    """Its gang was placed, or waits no longer."""
    NODES = "nodes"
    """One of its nodes is gone, or takes no work."""
    OVERDUE = "overdue"
    """What was to end did not, as far as was known."""
    GOES_FIRST = "goes-first"
    """Somebody who comes before it in the queue has room kept, or what it counted on was another promise."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A promise stands no more."""

    group: GroupId
    why: DropReason
