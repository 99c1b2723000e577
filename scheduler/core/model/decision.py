"""What a decision cycle puts out."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from scheduler.core.model.asking.grounds import Grounds
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import AttemptId, GroupId
from scheduler.core.model.reason import PlacementNote, Reason
from scheduler.core.model.sharing.eviction import Eviction, GivenTo


class Place(Protocol):
    """Room for a whole gang; what a decision works with is smaller, and is spelt out per rank when it is asked for."""

    @property
    def allocations(self) -> tuple[Allocation, ...]:
        """What every rank holds, in rank order."""
        ...

    @property
    def notes(self) -> tuple[PlacementNote, ...]:
        """Why every rank is where it is, in rank order."""
        ...


@dataclass(frozen=True, slots=True)
class GivenPlace:
    """A place that is spelt out."""

    allocations: tuple[Allocation, ...]
    notes: tuple[PlacementNote, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """The gang gets this place."""

    group: GroupId
    version: int
    """The group's version the decision was made on."""
    attempt: AttemptId
    place: Place
    grounds: Grounds | None = None
    """What it rests on, where somebody noted that."""
    stop_by: datetime | None = None
    """When it is stopped if somebody then needs the room, which is kept for others; None: it takes none of that."""

    @property
    def allocations(self) -> tuple[Allocation, ...]:
        """What every rank holds, in rank order."""
        return self.place.allocations

    @property
    def notes(self) -> tuple[PlacementNote, ...]:
        """Why every rank is where it is, in rank order."""
        return self.place.notes


@dataclass(frozen=True, slots=True)
class Waiting:
    """The gang stays queued."""

    group: GroupId
    reasons: tuple[Reason, ...]
    """What holds it up however much is free; none where it lacks room or quota, which an explanation tells."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The gang can never run as asked and fails now."""

    group: GroupId
    version: int
    reasons: tuple[Reason, ...]


class ResizeCause(StrEnum):
    """Why a gang gets another size."""

    WISHED = "wished"
    """Its user wants fewer workers than it has."""
    ROOM = "room"
    """There is room for more that nobody else could use."""
    LOAN = "loan"
    """As for `room`, but it is more than is guaranteed to its queue: lent until somebody waits for it."""
    OTHERS = "others"
    """Others are to have what it can do without."""


@dataclass(frozen=True, slots=True)
class Resized:
    """A gang that runs gets another size: its next generation."""

    group: GroupId
    version: int
    """The group's version the decision was made on."""
    attempt: AttemptId
    generation: int
    """The next one."""
    allocations: tuple[Allocation, ...]
    """What every rank holds then, in rank order: of who stays what it holds now."""
    cause: ResizeCause
    notes: tuple[PlacementNote, ...] = ()
    """Why those who come are where they are, in rank order."""
    given_to: GivenTo | None = None
    """For whom it has fewer workers, with the cause `others`."""


@dataclass(frozen=True, slots=True)
class Evicted:
    """The gang's attempt is stopped, for another gang is to have its devices; it goes back into the queue."""

    group: GroupId
    version: int
    """The group's version the decision was made on."""
    attempt: AttemptId
    eviction: Eviction


Decision = Placed | Waiting | Refused
Effect = Placed | Refused | Evicted | Resized
"""What a pass changes: who waits on is not among it."""
