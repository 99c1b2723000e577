"""Consolidation: room for a gang that fits by counts, made by few moves of others, found out on the real ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.core.deciding.options import find_place
from scheduler.core.deciding.parts.losses import devices_of, unsaved_since
from scheduler.core.deciding.preempting.candidates import Candidates, Claimant
from scheduler.core.deciding.preempting.search import Search
from scheduler.core.ledger.changes import Seat
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.group import State
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.model.sharing.queue import Account

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.preempting.candidates import Allows
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.identifiers import AttemptId
    from scheduler.core.placement.placement import GangPlace
    from scheduler.core.placement.request import GangRequest

MOST_MOVES = 4
"""So many gangs are moved for one at most."""
MOST_TRIES = 6
"""So often others are looked for where those that were found are too many, or have no place elsewhere."""
MOST_LOOKED_AT = 256
"""So many attempts are looked at each time, those first with whom least is lost."""
BY_MOVE = Claimant(EvictionCause.MOVE, lambda _: False, lambda _: False)
"""The right of whoever fits by counts: to have those moved whose jobs allow it, and nothing else."""
_ASKER = "moved for"
"""What the gang is called on trial; no attempt is."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A gang that goes on elsewhere."""

    live: LiveAttempt
    place: GangPlace
    """Where."""


@dataclass(frozen=True, slots=True)
class Moves:
    """A place for a gang, and those that go elsewhere for it."""

    place: GangPlace
    moved: tuple[Moved, ...]


def find_moves(
    state: SchedulerState, request: GangRequest, may_move: Allows, *, now: datetime, restart_s: float
) -> Moves | None:
    """Return few moves that make room for a gang without a place; None where none are found, or it needs none.

    Whoever is moved has a place at once, beside the gang and the others. The state is afterwards as it was.
    """
    if not _fits_by_counts(state, request):
        return None
    stuck: set[AttemptId] = set()
    claimant = Claimant(
        EvictionCause.MOVE,
        lambda _: True,
        lambda live: live.attempt not in stuck and _is_settled(live) and may_move(live),
    )
    with Trial(state.ledger) as trial:
        for _ in range(MOST_TRIES):
            candidates = Candidates(state, claimant, now, restart_s=restart_s, most=MOST_LOOKED_AT)
            found = Search(state, request, candidates, trial).find(_ASKER)
            if found is None or not found[1]:
                return None
            place, victims = found
            if not state.ledger.has_hold(_ASKER):
                trial.apply(Seat(_ASKER, request.tenant, place.seatings, Account(request.queue), place.compute_milli))
            moved = _elsewhere(state, victims, trial) if len(victims) <= MOST_MOVES else _crowd(victims)
            if isinstance(moved, tuple):
                return Moves(place, moved)
            stuck |= moved
            trial.back_to(0)
    return None


def _is_settled(live: LiveAttempt) -> bool:
    """Say whether an attempt runs, and is on no way to another size."""
    return live.group.state is State.RUNNING and not live.is_resizing


def cost_device_s(live: LiveAttempt, now: datetime, restart_s: float) -> float:
    """Return what it costs to move a gang, in device-seconds: what it has not saved, and its restart."""
    unsaved_s = max(0.0, (now - unsaved_since(live)).total_seconds())
    return (unsaved_s + restart_s) * devices_of(live)


def _fits_by_counts(state: SchedulerState, request: GangRequest) -> bool:
    """Say whether in some cluster as many devices are free as some option takes, wherever they are."""
    usable = {(count.cluster, count.chip): count.usable for count in state.tally.capacity()}
    for option in request.options:
        for cluster in state.ledger.clusters():
            free = {
                chip: usable.get((cluster, chip), 0) - sum(one.devices for one in state.ledger.holders(cluster, chip))
                for chip, _ in option.devices_milli
            }
            if cluster not in request.without and all(
                milli <= free[chip] * WHOLE_DEVICE_MILLI for chip, milli in option.devices_milli
            ):
                return True
    return False


def _elsewhere(
    state: SchedulerState, victims: Iterable[LiveAttempt], trial: Trial
) -> tuple[Moved, ...] | set[AttemptId]:
    """Return where gangs go on, the largest placed first; or the first that has no place."""
    moved: list[Moved] = []
    for live in sorted(victims, key=lambda live: (-devices_of(live), live.attempt)):
        place = find_place(state, state.request(live.job.id))
        if place is None:
            return {live.attempt}
        trial.apply(Seat(live.attempt, live.job.tenant, place.seatings, live.job.account, place.compute_milli))
        moved.append(Moved(live, place))
    return tuple(moved)


def _crowd(victims: Iterable[LiveAttempt]) -> set[AttemptId]:
    """Return those on the node on which most are: too many to move."""
    those = list(victims)
    crowds = Counter(live.allocations[0].node for live in those)
    fullest = min(crowds, key=lambda node: (-crowds[node], node))
    return {live.attempt for live in those if live.allocations[0].node == fullest}
