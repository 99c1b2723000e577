"""Which node takes how many workers of each chip type: finds a seating for a whole gang whenever there is one."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from scheduler.core.model.identifiers import ChipName, NodeId
from scheduler.core.placement.domain import Seat, seat_workers
from scheduler.core.placement.room import ClusterRoom, NodeRoom


@dataclass(frozen=True, slots=True)
class Seating:
    """Workers per node for each chip type, for the whole gang."""

    workers: dict[ChipName, dict[NodeId, int]]


@dataclass(frozen=True, slots=True)
class Unseated:
    """The gang does not sit as a whole."""

    fit: dict[ChipName, int]
    """How many workers fit of each chip type that is short.

    Short are those that lack room on their own; where none does, those that lost against the rest of their gang.
    """


@dataclass(frozen=True, slots=True)
class _Move:
    """One more worker of a chip type takes a seat on a node, either a free one or that of another chip type."""

    chip: ChipName
    room: NodeRoom


def seat_gang(room: ClusterRoom, wanted: Mapping[ChipName, int]) -> Seating | Unseated:
    """Seat each chip type in its tightest domain, in their order; then make room for those who found none.

    Chip types of one node compete for its cpu, memory and pods. That is a flow of workers from chip types to nodes,
    and augmenting paths find the largest one (Ford and Fulkerson, 1956), so that a gang is turned away only where
    no seating exists.
    """
    short_alone = _short_alone(room, wanted)
    if short_alone is not None:
        return short_alone
    table = _Table(room)
    for chip, workers in wanted.items():
        table.seat(chip, workers)
    short: dict[ChipName, int] = {}
    for chip, workers in wanted.items():
        lacking = workers - table.seated(chip)
        while lacking and (moved := table.make_room(chip, lacking)):
            lacking -= moved
        if lacking:
            short[chip] = workers - lacking
    return Unseated(short) if short else Seating(table.workers)


def find_unseated(room: ClusterRoom, wanted: Mapping[ChipName, int]) -> Unseated | None:
    """Return who would be short, None where the gang sits; for one chip type its room tells without seating it."""
    if len(wanted) == 1:
        return _short_alone(room, wanted)
    seating = seat_gang(room, wanted)
    return seating if isinstance(seating, Unseated) else None


def _short_alone(room: ClusterRoom, wanted: Mapping[ChipName, int]) -> Unseated | None:
    short = {chip: room.chips[chip].workers for chip, count in wanted.items() if room.chips[chip].workers < count}
    return Unseated(short) if short else None


class _Table:
    """A seating in the making."""

    def __init__(self, room: ClusterRoom) -> None:
        self._room = room
        self.workers: dict[ChipName, dict[NodeId, int]] = {chip: {} for chip in room.chips}
        self._taken: dict[NodeId, int] = {}
        """Workers per node, whatever their chip types."""

    def seated(self, chip: ChipName) -> int:
        """Return how many workers of a chip type have a seat."""
        return sum(self.workers[chip].values())

    def seat(self, chip: ChipName, workers: int) -> None:
        """Seat as many workers of a chip type as find a free seat."""
        seats = [
            Seat(room.node, room.rack, fit, room.devices)
            for room in self._room.chips[chip].nodes
            if (fit := min(room.by_devices, self._rest_left(room)))
        ]
        for node, count in seat_workers(seats, workers).items():
            self.workers[chip][node] = count
            self._taken[node] = self._taken.get(node, 0) + count

    def make_room(self, chip: ChipName, workers: int) -> int:
        """Seat up to so many more workers by reseating others; return how many, 0 where nothing helps."""
        path = self._path_from(chip)
        if not path:
            return 0
        last = path[-1]
        count = min(workers, self._rest_left(last.room), *(self._devices_left(move) for move in path))
        for move, following in pairwise(path):
            count = min(count, self.workers[following.chip][move.room.node])
        for move, following in pairwise(path):
            self._add(move, count)
            self._add(_Move(following.chip, move.room), -count)
        self._add(last, count)
        self._taken[last.room.node] = self._taken.get(last.room.node, 0) + count
        return count

    def _path_from(self, chip: ChipName) -> list[_Move]:
        """Return a shortest row of moves: each takes a seat of the next one's chip type, the last one a free seat."""
        paths: dict[ChipName, list[_Move]] = {chip: []}
        queue = [chip]
        for current in queue:
            for room in self._room.chips[current].nodes:
                move = _Move(current, room)
                if not self._devices_left(move):
                    continue
                path = [*paths[current], move]
                if self._rest_left(room):
                    return path
                for other in self.workers:
                    if other not in paths and self.workers[other].get(room.node):
                        paths[other] = path
                        queue.append(other)
        return []

    def _add(self, move: _Move, count: int) -> None:
        seated = self.workers[move.chip]
        seated[move.room.node] = seated.get(move.room.node, 0) + count
        if not seated[move.room.node]:
            del seated[move.room.node]

    def _devices_left(self, move: _Move) -> int:
        return move.room.by_devices - self.workers[move.chip].get(move.room.node, 0)

    def _rest_left(self, room: NodeRoom) -> int:
        return room.by_rest - self._taken.get(room.node, 0)
