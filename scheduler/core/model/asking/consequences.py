"""What would follow from what is supposed."""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.core.model.identifiers import ChipName, GroupId, JobId, NodeId
from scheduler.core.model.job import Job
from scheduler.core.model.reason import Reason
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.model.sharing.queue import QueueName
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate

MOST_TOLD = 20
"""So many of each kind are named; all are counted."""


class LeavingCause(StrEnum):
    """Why a gang would have to leave where it runs."""

    DRAIN = "drain"
    """Its nodes are drained."""
    PRIORITY = "priority"
    """It is stopped for one of higher priority."""
    RECLAIM = "reclaim"
    """It is stopped for one that takes back what is guaranteed to it."""
    MOVE = "move"
    """It goes on elsewhere, for one that then fits where it is."""
    ROUND = "round"
    """It is stopped for one whose turn it is in this round."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """A gang that runs and would have to leave."""

    group: GroupId
    job: Job
    cause: LeavingCause
    devices_milli: int
    """What it holds, in thousandths of devices."""
    workers: int
    nodes: tuple[NodeId, ...]
    """Those that it holds something of, each once."""
    beneficiary: JobId | None = None
    """The job that it is stopped for."""
    goes_to: tuple[NodeId, ...] = ()
    """Where it would run next, at once; empty: it waits."""
    goes_on_with: int = 0
    """So many workers there: fewer than it has where it is elastic, and there is no room for all; 0 where it waits."""
    after_others: bool = False
    """It goes on once those are gone that are stopped for it, or give way to it."""
    waits: Estimate | NoEstimate | None = None
    """When it would start, where it waits; None: that is not known, or it waits for those others alone."""


@dataclass(frozen=True, slots=True)
class Shrinking:
    """An elastic gang that runs, and would go on with fewer workers for another one."""

    group: GroupId
    job: Job
    cause: EvictionCause
    """By which right of the other one."""
    workers_before: int
    workers_after: int
    gives_milli: int
    """What it gives, in thousandths of devices."""
    devices_milli: int
    """What it holds after that, in thousandths of devices."""
    nodes: tuple[NodeId, ...]
    """Those that it still holds something of, each once."""
    beneficiary: JobId
    """The job that it gives way to."""


@dataclass(frozen=True, slots=True)
class Starting:
    """A gang that waits and would start."""

    group: GroupId
    job: Job
    nodes: tuple[NodeId, ...]
    """Where; empty where it is not settled until others are gone."""
    was: Estimate | NoEstimate | None
    """When it is expected to start as things are; None: that is not known."""
    after_others: bool = False
    """Once those are gone that are stopped for it, or give way to it."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A gang that waits, and would wait longer or shorter."""

    group: GroupId
    job: Job
    before: Estimate | NoEstimate
    after: Estimate | NoEstimate
    later_s: float | None
    """By how much the later end of what is expected moves, less than 0 where it is sooner; None: it cannot be said."""


@dataclass(frozen=True, slots=True)
class Waits:
    """What becomes of those that wait, and go on waiting."""

    waiting: int
    """All gangs that wait now."""
    looked_at: int
    """Of the first of them in the queue, so many were compared."""
    longer: int
    shorter: int
    alike: int
    never: int
    """For so many an expected start can be told as things are, and none then."""
    shifts: tuple[Shift, ...]
    """The largest: first those that have none any more, then those that move most."""


@dataclass(frozen=True, slots=True)
class ShareShift:
    """What a queue has with all that is in it, before and after."""

    queue: QueueName
    due_before: float
    """Its part of all there is, 0 to 1, by weights."""
    due_after: float
    held_before: float
    """The part of all compute that it holds."""
    held_after: float
    """Once those left that have to, and those started that can."""


@dataclass(frozen=True, slots=True)
class CapacityShift:
    """How many devices of a chip type are on nodes that take work."""

    chip: ChipName
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Consequences:
    """What would follow; of each kind the first MOST_TOLD, with how many there are in all."""

    leaving: tuple[Leaving, ...]
    leaving_count: int
    placed_again: int
    """So many of those that leave have another place at once."""
    shrinking: tuple[Shrinking, ...]
    shrinking_count: int
    starting: tuple[Starting, ...]
    starting_count: int
    waits: Waits
    shares: tuple[ShareShift, ...]
    """Those that change."""
    capacity: tuple[CapacityShift, ...]
    """Those that change."""
    drained: tuple[NodeId, ...]
    """The nodes that were taken to be drained."""
    drained_count: int
    added: int
    """So many nodes were taken to be there."""


@dataclass(frozen=True, slots=True)
class JobProspect:
    """What would become of a job that is not submitted."""

    job: Job
    places: tuple[tuple[NodeId, ...], ...]
    """On which nodes each of its gangs would run at once that has a place; the others wait."""
    reasons: tuple[Reason, ...]
    """Why there is no place for the next gang, most binding first."""
    is_hopeless: bool
    """It would be refused."""
    position: int
    """In the queue, from 1, where it has to wait."""
    expected: Estimate | NoEstimate | None
    """When its first gang would start; None where that is not known, or so many come before it."""


@dataclass(frozen=True, slots=True)
class JobConsequence:
    """What would become of a job, and of the same on one other chip type each."""

    prospect: JobProspect
    others: tuple[JobProspect, ...]
    """On chip types that it does not accept, those that are worth most first."""
