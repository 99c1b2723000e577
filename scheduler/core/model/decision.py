"""What a decision cycle puts out."""

from dataclasses import dataclass

from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import AttemptId, GroupId
from scheduler.core.model.reason import PlacementNote, Reason


@dataclass(frozen=True, slots=True)
class Placed:
    """The gang gets these allocations, one per rank in rank order."""

    group: GroupId
    version: int
    """The group's version the decision was made on."""
    attempt: AttemptId
    allocations: tuple[Allocation, ...]
    notes: tuple[PlacementNote, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The gang stays queued; the reasons are all that blocks it, most binding first."""

    group: GroupId
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The gang can never run as asked and fails now."""

    group: GroupId
    version: int
    reasons: tuple[Reason, ...]


Decision = Placed | Waiting | Refused
