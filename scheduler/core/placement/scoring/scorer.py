"""Scores of nodes, worked out once per distinct state and demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.ledger.states.demand import amounts_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.ledger.states.leftover import Left, Leftover, SharedDevice
    from scheduler.core.placement.scoring.terms import Weighted

DIGITS = 9
"""So many digits of a score count: what is equal must be so however it was added up, for the name decides then."""


class Scorer:
    """A weighted sum of terms."""

    def __init__(self, terms: Sequence[Weighted]) -> None:
        self._terms = tuple(weighted for weighted in terms if weighted.weight)

    def score(self, demand: Demand, before: Left, after: Left) -> float:
        """Return how good it is that a node goes from one state to another for a worker; more is better."""
        return round(sum([one.weight * one.term(demand, before, after) for one in self._terms]), DIGITS)

    def best(self, demand: Demand, leftover: Leftover) -> tuple[float, SharedDevice | None]:
        """Return the score of a state for one worker that fits, and for a share which shared device gives it.

        None stands for a whole device. Among equals the tightest shared device is taken, a whole one last.
        """
        left = leftover.left
        if not demand.shape.share_milli:
            return self.score(demand, left, left.plus(amounts_for(demand, demand.together, leftover), -1)), None
        group = left.kind.group_of[demand.chip or ""]
        amounts = amounts_for(demand, 1, leftover)
        options = dict.fromkeys(devices_with_room(demand, leftover))
        scored = [(self.score(demand, left, left.share_taken(amounts, group, device)), device) for device in options]
        return max(scored, key=lambda pair: pair[0])


def devices_with_room(demand: Demand, leftover: Leftover) -> list[SharedDevice | None]:
    """Return the devices of a node that a share fits on: shared ones, tightest first, then None per whole one."""
    left, shape = leftover.left, demand.shape
    group = left.kind.group_of[demand.chip or ""]
    return [
        device
        for device in left.shared
        if device[0] == group and device[1] >= shape.share_milli and device[2] >= shape.share_memory_mib
    ] + [None] * max(0, left.free[group])
