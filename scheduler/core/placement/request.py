"""What placement is asked, and what it answers when there is a place."""

from dataclasses import dataclass

from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import ChipName, ClusterName
from scheduler.core.model.reason import PlacementNote
from scheduler.core.model.resources import WorkerShape


@dataclass(frozen=True, slots=True)
class PlacementRequest:
    """One gang and one of its job's acceptable options."""

    shape: WorkerShape
    workers: tuple[tuple[ChipName, int], ...]
    """Workers per chip type, ranks in this order."""
    choice: int
    """Which of the job's options this is, from 1."""
    choices: int
    without: tuple[ClusterName, ...] = ()
    """Clusters that must not be used."""

    def totals(self) -> dict[ChipName, int]:
        """Return the workers wanted per chip type, each type once, in the order of their first mention."""
        totals: dict[ChipName, int] = {}
        for chip, workers in self.workers:
            totals[chip] = totals.get(chip, 0) + workers
        return totals


@dataclass(frozen=True, slots=True)
class Placement:
    """A place for the whole gang: one allocation and one note per rank, in rank order."""

    allocations: tuple[Allocation, ...]
    notes: tuple[PlacementNote, ...]
