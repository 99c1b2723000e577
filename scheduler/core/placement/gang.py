"""A place for a whole gang in one cluster, or the reasons why there is none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import ChipName, NodeId
from scheduler.core.model.reason import NeverFits, NoCluster, PlacementNote, Reason, TooFewFree
from scheduler.core.model.topology import RACK
from scheduler.core.placement.domain import CLUSTER, LEVELS, NODE
from scheduler.core.placement.request import Placement, PlacementRequest
from scheduler.core.placement.room import ClusterRoom, Survey
from scheduler.core.placement.seating import Seating, Unseated, seat_gang
from scheduler.core.placement.shortage import shortages


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A seating of the whole gang in one cluster."""

    room: ClusterRoom
    seating: Seating
    domains: dict[ChipName, tuple[str, str]]
    """Per chip type the level and name of the smallest domain that holds all its workers."""

    def rank(self) -> tuple[int, int, str]:
        """Best is smallest: the closest together, then the tightest cluster, then the first by name."""
        spread = sum(LEVELS.index(level) for level, _ in self.domains.values())
        return (spread, sum(chip.workers for chip in self.room.chips.values()), self.room.cluster)


def place(survey: Survey, request: PlacementRequest) -> Placement | tuple[Reason, ...]:
    """Return a place for every worker of the gang, all in one cluster, or the reasons why there is none now.

    The ledger of the survey is only read. The reasons are TooFewFree of the clusters where the gang would fit if
    nothing else ran; where there is no such cluster NeverFits of each; NoCluster where no cluster that may be used has
    nodes.
    """
    wanted = request.totals()
    candidates: list[_Candidate] = []
    failures: list[NeverFits | TooFewFree] = []
    for cluster in survey.ledger.clusters():
        if cluster in request.without:
            continue
        room = survey.now(cluster, wanted, request.shape)
        seating = seat_gang(room, wanted)
        if isinstance(seating, Unseated):
            failures += shortages(survey, request, room=room, unseated=seating)
        else:
            candidates.append(_Candidate(room, seating, _domains(room, seating)))
    if candidates:
        return _placement(survey.ledger, request, min(candidates, key=_Candidate.rank))
    waits = [failure for failure in failures if isinstance(failure, TooFewFree)]
    return tuple(waits or failures) or (NoCluster(),)


def _domains(room: ClusterRoom, seating: Seating) -> dict[ChipName, tuple[str, str]]:
    return {chip: _domain(room, chip, workers) for chip, workers in seating.workers.items()}


def _domain(room: ClusterRoom, chip: ChipName, workers: Mapping[NodeId, int]) -> tuple[str, str]:
    if len(workers) == 1:
        return (NODE, next(iter(workers)))
    racks = {node.rack for node in room.chips[chip].nodes if node.node in workers}
    rack = next(iter(racks)) if len(racks) == 1 else None
    return (CLUSTER, room.cluster) if rack is None else (RACK, rack)


def _placement(ledger: Ledger, request: PlacementRequest, candidate: _Candidate) -> Placement:
    slots = {
        chip: _device_slots(ledger, chip, workers, devices=request.shape.devices)
        for chip, workers in candidate.seating.workers.items()
    }
    chips = [chip for chip, workers in request.workers for _ in range(workers)]
    allocations: list[Allocation] = []
    notes: list[PlacementNote] = []
    for rank, chip in enumerate(chips):
        node, taken = next(slots[chip])
        allocations.append(Allocation(rank, node, chip, taken, request.shape.cpu_milli, request.shape.memory_mib))
        notes.append(_note(ledger, request, candidate, allocation=allocations[-1]))
    return Placement(tuple(allocations), tuple(notes))


def _device_slots(
    ledger: Ledger, chip: ChipName, workers: Mapping[NodeId, int], *, devices: int
) -> Iterator[tuple[NodeId, tuple[int, ...]]]:
    """Yield node and slots of one worker after the other: nodes by id, lowest free slots first."""
    for node in sorted(workers):
        free = ledger.free_slots(node, chip)
        for worker in range(workers[node]):
            yield node, free[worker * devices : (worker + 1) * devices]


def _note(ledger: Ledger, request: PlacementRequest, candidate: _Candidate, *, allocation: Allocation) -> PlacementNote:
    node, chip = allocation.node, allocation.chip
    level, domain = candidate.domains[chip]
    free = len(ledger.free_slots(node, chip))
    return PlacementNote(
        rank=allocation.rank,
        node=node,
        chip=chip,
        choice=request.choice,
        choices=request.choices,
        domain_level=level,
        domain=domain,
        nodes_considered=len(candidate.room.chips[chip].nodes),
        devices_free_before=free,
        devices_free_after=free - candidate.seating.workers[chip][node] * request.shape.devices,
    )
