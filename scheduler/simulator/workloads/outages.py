"""Nodes that break and come back by chance, and nodes that are drained as planned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush, merge
from random import Random

from scheduler.core.model.node import Node, NodeState
from scheduler.simulator.simulation import NodesChange
from scheduler.simulator.workloads.spans import Span


@dataclass(frozen=True, slots=True)
class Breaking:
    """How often nodes break."""

    mean_s: float
    """Between two times that one node breaks, in the mean."""
    away: Span
    """Until it is back."""

    def changes(self, nodes: Sequence[Node], *, seed: int, until_s: float) -> Iterator[NodesChange]:
        """Yield what becomes of nodes, in the order of time; a node that is away does not break again."""
        random = Random(f"{seed} breaking")  # noqa: S311 - chance that is to come again, no secret
        back: list[tuple[float, int]] = []
        away: set[int] = set()
        at_s = 0.0
        while nodes:
            at_s += random.expovariate(len(nodes) / self.mean_s)
            while back and back[0][0] <= min(at_s, until_s):
                back_s, number = heappop(back)
                away.discard(number)
                yield NodesChange(back_s, (nodes[number],))
            if at_s >= until_s:
                return
            number = random.randrange(len(nodes))
            if number not in away:
                away.add(number)
                heappush(back, (at_s + max(1.0, self.away.draw(random)), number))
                yield NodesChange(at_s, (replace(nodes[number], state=NodeState.GONE),))


@dataclass(frozen=True, slots=True)
class Drain:
    """Nodes that take nothing new for a time."""

    at_s: float
    for_s: float
    nodes: tuple[Node, ...]

    def changes(self) -> Iterator[NodesChange]:
        """Yield that they go and that they come back."""
        yield NodesChange(self.at_s, tuple(replace(node, state=NodeState.DRAINED) for node in self.nodes))
        yield NodesChange(self.at_s + self.for_s, self.nodes)


def in_order(*changes: Iterator[NodesChange]) -> Iterator[NodesChange]:
    """Yield several sequences of changes as one, in the order of time."""
    return merge(*changes, key=lambda change: change.at_s)
