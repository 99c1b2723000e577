"""The smallest topology domain for the workers of one chip type, and which of its nodes take them."""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.core.model.identifiers import NodeId
from scheduler.core.model.topology import RACK

NODE = "node"
CLUSTER = "cluster"
LEVELS = (NODE, RACK, CLUSTER)
"""Smallest first."""


@dataclass(frozen=True, slots=True)
class Seat:
    """What one node offers to the workers of one chip type."""

    node: NodeId
    rack: str | None
    workers: int
    """How many of them fit, at least 1."""
    devices: int
    """Free devices of the chip type."""


def seat_workers(seats: Sequence[Seat], workers: int) -> dict[NodeId, int]:
    """Spread workers over the tightest of the smallest domains that has room for all of them: workers per node.

    One node is preferred to one rack, and one rack to the whole cluster; among domains of a level the one with
    the least room wins, then the one with the fewest free devices, then the first by name. Where even the whole
    cluster lacks room, all the room there is is used.
    """
    for domains in ([[seat] for seat in seats], _racks(seats), [list(seats)]):
        enough = [domain for domain in domains if _room(domain) >= workers]
        if enough:
            return _fill(min(enough, key=_tightness), workers)
    return {seat.node: seat.workers for seat in seats}


def _racks(seats: Sequence[Seat]) -> list[list[Seat]]:
    racks: dict[str, list[Seat]] = {}
    for seat in seats:
        if seat.rack is not None:
            racks.setdefault(seat.rack, []).append(seat)
    return [racks[name] for name in sorted(racks)]


def _room(domain: Sequence[Seat]) -> int:
    return sum(seat.workers for seat in domain)


def _tightness(domain: Sequence[Seat]) -> tuple[int, int]:
    """Domains come by name and `min` keeps the first, so that a tie ends in the name."""
    return (_room(domain), sum(seat.devices for seat in domain))


def _fill(domain: Sequence[Seat], workers: int) -> dict[NodeId, int]:
    """Use few nodes: the roomiest while they are filled up, then the tightest one that takes the rest."""
    left = sorted(domain, key=lambda seat: (-seat.workers, seat.devices, seat.node))
    filled: dict[NodeId, int] = {}
    while workers and workers >= left[0].workers:
        seat = left.pop(0)
        filled[seat.node] = seat.workers
        workers -= seat.workers
    if workers:
        enough = [seat for seat in left if seat.workers >= workers]
        filled[min(enough, key=lambda seat: (seat.workers, seat.devices, seat.node)).node] = workers
    return filled
