"""What the placements of one pass rest on, noted as they are decided."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from scheduler.core.model.asking.grounds import MOST_NAMED, Grounds, KeptRoom

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.core.deciding.backfilling.reservations import Reservation
    from scheduler.core.deciding.ordering.turns import Turns
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.asking.grounds import QueueShare
    from scheduler.core.model.group import Group
    from scheduler.core.model.identifiers import GroupId
    from scheduler.core.model.sharing.queue import QueueName

MOST_LOOKED_AT = 64
"""So many of a queue are looked at to name the first that were overtaken."""


class Recorder:
    """Grounds of the placements of one pass; each costs the same however many wait."""

    def __init__(self, state: SchedulerState, turns: Turns) -> None:
        self._state = state
        self._turns = turns
        self._placed: defaultdict[QueueName, set[GroupId]] = defaultdict(set)
        self._passed: defaultdict[QueueName, int] = defaultdict(int)
        """So many of the first of a queue were placed, one after the other."""
        self._siblings: dict[QueueName, tuple[QueueShare, ...]] = {}

    def grounds(self, group: Group, standing: Iterable[Reservation]) -> Grounds:
        """Return what the placement of a gang rests on; before anybody else is told that its queue holds more now."""
        found = self._turns.standing(self._state.jobs[group.job_id], group.id)
        queue, placed = found.queue, self._placed[found.queue]
        overtook = max(0, found.place - 1 - len(placed))
        placed.add(group.id)
        return Grounds(
            found,
            overtook,
            self._overtaken(queue, found.place) if overtook else (),
            self._beside(queue),
            tuple(KeptRoom(each.group, each.begins) for each in standing if each.group != group.id),
        )

    def _overtaken(self, queue: QueueName, place: int) -> tuple[GroupId, ...]:
        waiting, placed = self._state.waiters.queued.queues[queue].places, self._placed[queue]
        first = self._passed[queue]
        while first < len(waiting) and waiting[first][1] in placed:
            first += 1
        self._passed[queue] = first
        last = min(place - 1, first + MOST_LOOKED_AT)
        overtaken = (group for _, group in islice(waiting, first, max(first, last)) if group not in placed)
        return tuple(islice(overtaken, MOST_NAMED))

    def _beside(self, queue: QueueName) -> tuple[QueueShare, ...]:
        found = self._siblings.get(queue)
        if found is None:
            found = self._siblings[queue] = self._turns.siblings_of(queue, MOST_NAMED)
        return found
