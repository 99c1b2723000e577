"""Nodes that failed a start without any fault of the job: each rests for a while before it gets new work."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FIRST_REST_S = 60.0
LONGEST_REST_S = 1800.0
MOST_NODES = 10_000
"""Remembered at once; the one whose strike is the oldest is forgotten first."""

_LONGEST_REASON = 120


@dataclass(frozen=True, slots=True)
class Rest:
    """A node's rest."""

    why: str
    strikes: int
    """In a row, without a good start between them."""
    until_s: float
    """By the monotonic clock."""


class Strikes:
    """What is held against nodes. Not safe for several threads: its owner locks."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._rests: OrderedDict[str, Rest] = OrderedDict()

    def note(self, node: str, why: str) -> Rest:
        """Let a node rest: 60 s, and twice as long with each further strike, up to half an hour.

        A strike while it rests changes nothing: the pods of one gang fail together, and count once.
        """
        before = self._rests.pop(node, None)
        now_s = self._monotonic()
        if before is not None and now_s < before.until_s:
            rest = before
        else:
            strikes = 1 if before is None else before.strikes + 1
            rest_s = min(FIRST_REST_S * 2.0 ** min(strikes - 1, 10), LONGEST_REST_S)
            rest = Rest(why[:_LONGEST_REASON], strikes, now_s + rest_s)
        self._rests[node] = rest
        if len(self._rests) > MOST_NODES:
            self._rests.popitem(last=False)
        return rest

    def forgive(self, node: str) -> bool:
        """Forget all strikes of a node, after a good start there; says whether it had any.

        Not while it rests: what starts then was placed before, and says nothing of what the node failed at.
        """
        return self.rest(node) is None and self._rests.pop(node, None) is not None

    def rest(self, node: str) -> Rest | None:
        """Return the rest that a node is in, None where it is in none."""
        rest = self._rests.get(node)
        return None if rest is None or rest.until_s <= self._monotonic() else rest
