"""Which reservations of others a right has regard to: a turn in the queue does not come before a guaranteed share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.core.model.sharing.eviction import EvictionCause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.core.deciding.backfilling.promises import Promises
    from scheduler.core.deciding.backfilling.reservations import Reservation
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.deciding.preempting.entitlement import Entitlement
    from scheduler.core.model.identifiers import AttemptId


@dataclass(frozen=True, slots=True)
class Regard:
    """What is promised to others, as it is for a gang with some right."""

    taken: frozenset[AttemptId]
    """Whose ends are promised to those who come before it."""
    outranked: tuple[Reservation, ...] = ()
    """What is kept for others and is for the gang all the same."""


class Regards:
    """What is promised to others, for each right of one gang."""

    def __init__(self, asker: Class, promises: Promises, entitlement: Entitlement) -> None:
        request = asker.asked[0]
        others = [(each, kept) for each in promises if each is not asker and (kept := promises.get(each)) is not None]
        before = [kept for each, kept in others if each.members and each.first < asker.first]
        outranked = [kept for each, kept in others if entitlement.outranks(request, each.asked[0])]
        self._of_a_turn = Regard(_ends(before))
        self._of_a_share = Regard(_ends(kept for kept in before if kept not in outranked), tuple(outranked))

    def of(self, cause: EvictionCause) -> Regard:
        """Return what counts against a right."""
        return self._of_a_share if cause is EvictionCause.RECLAIM else self._of_a_turn


def _ends(reservations: Iterable[Reservation]) -> frozenset[AttemptId]:
    return frozenset(attempt for each in reservations for attempt in each.waits_for)
