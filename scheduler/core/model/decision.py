"""What a decision cycle puts out."""

from dataclasses import dataclass
from typing import Protocol

from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import AttemptId, GroupId
from scheduler.core.model.reason import PlacementNote, Reason, Shortfall


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
    """The gang stays queued; an explanation of it has the long form of what is told in short here."""

    group: GroupId
    reasons: tuple[Reason | Shortfall, ...]
    """All that blocks it, most binding first."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The gang can never run as asked and fails now."""

    group: GroupId
    version: int
    reasons: tuple[Reason, ...]


Decision = Placed | Waiting | Refused
