"""The states of nodes in which a demand fits, best first: what is scored is a state, never a node."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.core.ledger.index.room import Room
    from scheduler.core.ledger.states.demand import Fit
    from scheduler.core.ledger.states.leftover import Leftover, SharedDevice
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.identifiers import NodeId
    from scheduler.core.placement.scoring.scorer import Scorer

LESS_THAN_ONE = 0.999

Draw = Callable[[int], int]
"""Returns a number from 0 to below its argument, each as likely as any other."""


class Scores(dict["Leftover", float]):
    """The score of each state for one worker that fits, worked out when it is first asked for; more is better."""

    __slots__ = ("_demand", "_scorer", "fill_order")

    def __init__(self, fit: Fit, scorer: Scorer) -> None:
        super().__init__()
        self._demand = fit.demand
        self._scorer = scorer
        self.fill_order = FillOrder(fit, self)

    def __missing__(self, leftover: Leftover) -> float:
        score = self[leftover] = self._scorer.best(self._demand, leftover)[0]
        return score

    def device(self, leftover: Leftover) -> SharedDevice | None:
        """Return which shared device of a state is best for a share, None for a whole one."""
        return self._scorer.best(self._demand, leftover)[1]


class FillOrder(dict["Leftover", float]):
    """What states are sorted by where nodes are filled, least first: the most room, then the best score."""

    __slots__ = ("_fit", "_scores")

    def __init__(self, fit: Fit, scores: Scores) -> None:
        super().__init__()
        self._fit = fit
        self._scores = scores

    def __missing__(self, leftover: Leftover) -> float:
        order = self[leftover] = -self._fit[leftover] - LESS_THAN_ONE * squashed(self._scores[leftover])
        return order


def squashed(score: float) -> float:
    """Return a score as 0 to 1; 0.5 for a score of 0. Different scores stay different, however large they are."""
    return (1 + score / (1 + abs(score))) / 2


class Ranking:
    """The states of one room by score. Up to date whenever it is asked, at the cost of what arrived since."""

    __slots__ = ("_entries", "_heaps", "_levels", "_pushed", "_pushes", "_room", "_scores")

    def __init__(self, entries: dict[NodeId, NodeEntry], room: Room, scores: Scores) -> None:
        self._entries = entries
        self._room = room
        self._scores = scores
        self._levels: list[float] = []
        """A heap of the scores below, negative."""
        self._heaps: dict[float, list[tuple[NodeId, int, Leftover]]] = {}
        """Per score a heap of states by the first node they had when they were pushed; nodes may have left since."""
        self._pushed: dict[Leftover, NodeId] = {}
        """The first node under which each state was pushed last."""
        self._pushes = 0
        room.all_arrive_again()

    def best(self) -> NodeEntry | None:
        """Return the first node of the best state, None where no worker fits; ties end in the node's name."""
        self._take_in()
        levels, heaps, entries = self._levels, self._heaps, self._entries
        while levels:
            heap = heaps[levels[0]]
            while heap:
                name, _, leftover = heap[0]
                entry = entries.get(name)
                if entry is not None and entry.leftover is leftover:
                    return entry
                heappop(heap)
                if self._pushed.get(leftover) == name:
                    del self._pushed[leftover]
                    if leftover.names.count:
                        self._push(heap, leftover)
            del heaps[heappop(levels)]
        return None

    def any(self, draw: Draw) -> NodeId | None:
        """Return a node that has room, each as likely as any other; None where no worker fits."""
        states = sorted(self.states(), key=lambda state: state.names.least())
        total = sum(state.names.count for state in states)
        place = draw(total) if total else 0
        for state in states:
            if place < state.names.count:
                return state.names.first(place + 1)[place]
            place -= state.names.count
        return None

    def states(self) -> Iterator[Leftover]:
        """Yield the states with room that nodes are in, in no order."""
        self._take_in()
        for leftover in self._pushed:
            if leftover.names.count:
                yield leftover

    def _take_in(self) -> None:
        arrived, scores, heaps = self._room.arrived, self._scores, self._heaps
        for leftover in arrived:
            if not leftover.names.count:
                continue
            level = -scores[leftover]
            heap = heaps.get(level)
            if heap is None:
                heap = heaps[level] = []
                heappush(self._levels, level)
            self._push(heap, leftover)
        arrived.clear()

    def _push(self, heap: list[tuple[NodeId, int, Leftover]], leftover: Leftover) -> None:
        """Let a state stand under its first node; its earlier places are passed over when they are met."""
        name = leftover.names.least()
        if self._pushed.get(leftover) != name:
            self._pushed[leftover] = name
            self._pushes += 1
            heappush(heap, (name, self._pushes, leftover))
