"""What is kept for those for whom others stop or give workers: claims, as any process can work them out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.claims import Claims
from scheduler.core.deciding.options import find_place
from scheduler.core.deciding.parts.live import going_of
from scheduler.core.deciding.preempting.leavers import Leaver, claim_on, whole
from scheduler.core.ledger.changes import Release, Seat
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.sharing.queue import Account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from scheduler.core.deciding.backfilling.reservations import Reservation
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.identifiers import GroupId

MOST_ROOMS = 64
"""For so many gangs it is worked out, those first for whom somebody stopped first."""


def rooms_made(state: SchedulerState) -> list[Reservation]:
    """Return the room that is made for gangs that wait; the state is afterwards as it was.

    Whoever leads knows for which devices it stopped others, and writes down no more than for whom. Where a gang would
    be once these are gone is where it was to be then, unless much changed since.
    """
    made: list[Reservation] = []
    claims, leavers = Claims(), _leavers(state)
    with Trial(state.ledger) as trial:
        for leaver, _ in [row for rows in leavers.values() for row in rows]:
            if state.ledger.has_hold(leaver.name):
                trial.apply(Release(leaver.name))
        for group, rows in leavers.items():
            request = state.request(state.waiting[group].job_id)
            place = find_place(state, request)
            if place is not None:
                since, those = max(at for _, at in rows), [leaver for leaver, _ in rows]
                claim = claim_on(state, group, place, those, now=since, quota=None, claims=claims)
                account = Account(request.queue)
                trial.apply(Seat(claim.name, request.tenant, place.seatings, account, place.compute_milli))
                made.append(claim)
    return made


def _leavers(state: SchedulerState) -> dict[GroupId, list[tuple[Leaver, datetime]]]:
    """Return who leaves for whom, and since when; of gangs to which nothing is promised."""
    found: dict[GroupId, list[tuple[Leaver, datetime]]] = {}
    for group, leaver, since in _all_leavers(state):
        if group in state.waiting and group not in state.promised and (group in found or len(found) < MOST_ROOMS):
            found.setdefault(group, []).append((leaver, since))
    return found


def _all_leavers(state: SchedulerState) -> Iterator[tuple[GroupId, Leaver, datetime]]:
    for name in state.losses.stopping:
        live = state.live[name]
        if live.eviction is not None:
            yield live.eviction.beneficiary, whole(live), live.since
    for name in state.sizes.leaving:
        live = state.live[name]
        resizing = live.resizing
        if resizing.given_to is not None:
            leaver = Leaver(going_of(name), live, resizing.surplus)
            yield resizing.given_to.beneficiary, leaver, resizing.began_at or live.since
