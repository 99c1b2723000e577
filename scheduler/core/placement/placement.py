"""A place for a gang: what a decision hands out, spelt out rank by rank when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.core.ledger.states.demand import amounts_for
from scheduler.core.ledger.states.slots import lowest, slots_of
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.reason import PlacementNote
from scheduler.core.model.topology import NODE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.seating import Seating
    from scheduler.core.model.identifiers import ChipName, NodeId
    from scheduler.core.placement.request import OptionRequest, PartRequest


@dataclass(slots=True)
class SeatedPart:
    """One part of a gang with its seats, and how they were found."""

    request: PartRequest
    seating: Seating
    nodes_considered: int
    """On how many nodes at least one of its workers would have fit."""


@dataclass(slots=True)
class GangPlace:
    """A place for every worker of a gang, all in one cluster."""

    option: OptionRequest
    options: int
    """How many the job had."""
    parts: tuple[SeatedPart, ...]
    """In the order in which they were seated."""

    @property
    def seatings(self) -> tuple[Seating, ...]:
        """What a ledger holds."""
        return tuple(part.seating for part in self.parts)

    @property
    def compute_milli(self) -> int:
        """What it counts as of COMPUTE, in thousandths of units."""
        return self.option.compute_milli

    @property
    def allocations(self) -> tuple[Allocation, ...]:
        """What every rank holds, in rank order: parts as the job has them, their nodes as they were seated."""
        found: list[Allocation] = []
        for part in self._in_rank_order():
            found += _allocations(part.request, part.seating, len(found))
        return tuple(found)

    @property
    def notes(self) -> tuple[PlacementNote, ...]:
        """Why every rank is where it is, in rank order."""
        return tuple(self._notes())

    def _in_rank_order(self) -> list[SeatedPart]:
        order = {part: place for place, part in enumerate(self.option.parts)}
        return sorted(self.parts, key=lambda part: order[part.request])

    def _notes(self) -> Iterator[PlacementNote]:
        rank = 0
        devices = self._devices_free()
        for part in self._in_rank_order():
            chip = part.request.part.chip
            level, domain = smallest_domain(part.seating)
            seating = part.seating
            for entry, workers in zip(seating.nodes, seating.workers, strict=True):
                before, after = devices[entry.id, chip]
                for _ in range(workers):
                    yield PlacementNote(
                        rank=rank,
                        node=entry.id,
                        chip=chip,
                        choice=self.option.number,
                        choices=self.options,
                        domain_level=level,
                        domain=domain,
                        nodes_considered=part.nodes_considered,
                        devices_free_before=before,
                        devices_free_after=after,
                    )
                    rank += 1

    def _devices_free(self) -> dict[tuple[NodeId, ChipName | None], tuple[int, int]]:
        """Return how many whole devices of a chip type are free on a node before the gang, and after it."""
        found: dict[tuple[NodeId, ChipName | None], tuple[int, int]] = {}
        for part in self.parts:
            seating, chip = part.seating, part.request.part.chip
            devices = part.request.part.shape.devices
            taken: list[int] = [*seating.opens] or [workers * devices for workers in seating.workers]
            for entry, leftover, now in zip(seating.nodes, seating.before, taken, strict=True):
                group = leftover.kind.group_of.get(chip or "")
                free = max(0, leftover.free[group]) if group is not None else 0
                before, after = found.get((entry.id, chip), (free, free))
                found[entry.id, chip] = (before, after - now)
        return found


def _allocations(request: PartRequest, seating: Seating, rank: int) -> Iterator[Allocation]:
    """Yield what each rank holds, from `rank` on."""
    part, shape = request.part, request.part.shape
    columns = zip(seating.nodes, seating.before, seating.masks, seating.workers, strict=True)
    for entry, leftover, mask, workers in columns:
        pods = amounts_for(request.demand, workers, leftover).pods
        if request.demand.is_exclusive and shape.share_milli:  # the first share took all pods, for those after it too
            pods = 1 if pods < 1 else pods - seating.nodes.count(entry) + 1
        free = mask
        for worker in range(workers):
            own = mask if shape.share_milli else lowest(free, shape.devices)
            free &= ~own
            yield Allocation(
                rank=rank,
                node=entry.id,
                chip=part.chip,
                slots=slots_of(own),
                cpu_milli=shape.cpu_milli,
                memory_mib=shape.memory_mib,
                counted=0 if mask else shape.devices,
                share_milli=shape.share_milli,
                share_memory_mib=shape.share_memory_mib,
                pods=1 if worker else pods - workers + 1,
                role=part.role,
                compute_milli=request.units * shape.devices_milli,
            )
            rank += 1


def smallest_domain(seating: Seating) -> tuple[str, str]:
    """Return level and name of the smallest domain that holds all workers."""
    first = seating.nodes[0]
    if all(entry is first for entry in seating.nodes):
        return (NODE, first.id)
    domain = first.domain
    for entry in seating.nodes:
        while domain.parent is not None and not _holds(domain, entry.domain):
            domain = domain.parent
    return (domain.level, domain.name)


def _holds(outer: Domain, inner: Domain) -> bool:
    at: Domain | None = inner
    while at is not None and at is not outer:
        at = at.parent
    return at is not None
