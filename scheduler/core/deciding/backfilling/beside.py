"""Where a gang would be placed beside the room that is kept for others, as it was written down: for any process."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.overtaking import stay_s
from scheduler.core.deciding.backfilling.reservations import RESERVED
from scheduler.core.deciding.backfilling.rooms_made import rooms_made
from scheduler.core.deciding.backfilling.writing_down import taken_over
from scheduler.core.deciding.options import find_place
from scheduler.core.ledger.changes import Release
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.identifiers import job_named_by
from scheduler.core.model.reason import KeptFor, KeptForOthers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from scheduler.core.deciding.backfilling.reservations import Reservation
    from scheduler.core.deciding.parts.neighbours import Neighbours
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.changes import SetAside
    from scheduler.core.model.identifiers import ChipName, JobId
    from scheduler.core.model.job import Job
    from scheduler.core.placement.placement import GangPlace
    from scheduler.core.placement.request import GangRequest
    from scheduler.core.queueing.classes import Place


class Beside:
    """What is kept in a state, promised or being made, as gangs meet it. It leaves the state as it was."""

    def __init__(self, state: SchedulerState, now: datetime, *, instead_of: JobId | None = None) -> None:
        """What is kept for gangs of the job `instead_of` is kept no more."""
        self._state = state
        self._now = now
        self._instead_of = instead_of
        self._known: list[Reservation] | None = None
        self._rooms: list[Reservation] | None = None

    @property
    def _standing(self) -> list[Reservation]:
        """The promises that can be kept: read when they matter first, for most who wait have no place anyway."""
        if self._known is None:
            self._known = _standing(self._state, self._instead_of)
        return self._known

    @property
    def _made(self) -> list[Reservation]:
        """The room that is made for others by stopping some."""
        if self._rooms is None:
            is_made = self._state.losses.stopping or self._state.sizes.leaving
            self._rooms = rooms_made(self._state) if is_made else []
        return self._rooms

    def find(
        self, request: GangRequest, job: Job, place: Place, placed: Neighbours | None = None
    ) -> GangPlace | KeptForOthers | None:
        """Return where a gang would be placed now; or that what it needs is free and kept for others; else None.

        `place` is where it stands in the queue, or would; `placed` as for `find_place`.
        """
        state = self._state
        found = find_place(state, request, placed)
        closed = [] if found is None else self._closed(request, job, place)
        if not closed:
            return found
        with Trial(state.ledger) as trial:
            aside = self._keep(closed, trial)
            beside = find_place(state, request, placed)
            if beside is not None:
                return beside
            in_the_way: list[KeptFor] = []
            may_overtake = True
            for each in reversed(closed):
                trial.apply(Release(each.name))
                if kept := _kept_for(state, each, aside[each], request.chips):
                    in_the_way.append(kept)
                    may_overtake = may_overtake and not each.claim
                    if find_place(state, request, placed) is not None:
                        break
        limit_s = self._overtakes_s(job, in_the_way) if may_overtake else None
        return KeptForOthers(tuple(reversed(in_the_way)), limit_s)

    def keep(self, trial: Trial, request: GangRequest, job: Job, place: Place) -> None:
        """Let nobody have what a gang may not use of what is kept, for as long as a trial lasts."""
        if closed := self._closed(request, job, place):
            self._keep(closed, trial)

    def _closed(self, request: GangRequest, job: Job, place: Place) -> list[Reservation]:
        """Return what a gang may not use of what is kept."""
        there = [*(self._standing if self._state.promised else ()), *self._made]
        return [each for each in there if not self._is_open(each, request, job, place)]

    def _keep(self, closed: Collection[Reservation], trial: Trial) -> dict[Reservation, SetAside]:
        """Set all aside, for what one keeps is not there for the next one, but for those that are not closed."""
        aside: dict[Reservation, SetAside] = {}
        for each in (*self._standing, *self._made):
            trial.apply(aside.setdefault(each, each.set_aside(self._state.ledger)))
        for each in aside:
            if each not in closed:
                trial.apply(Release(each.name))
        return aside

    def set_aside(self) -> list[tuple[Reservation, SetAside]]:
        """Return the promises that stand, those first that begin first, with what each keeps of what is free now."""
        rows: list[tuple[Reservation, SetAside]] = []
        with Trial(self._state.ledger) as trial:
            for each in self._standing:
                rows.append((each, each.set_aside(self._state.ledger)))
                trial.apply(rows[-1][1])
        return rows

    def _is_open(self, kept: Reservation, request: GangRequest, job: Job, place: Place) -> bool:
        """Say whether a gang may use what is kept: it is for it or one alike behind it, or it is gone by then."""
        classes = self._state.waiters.classes
        which = classes.of(kept.group)
        if which is not None and which.asked[0] == request and place <= classes.place_of(kept.group):
            return True
        if kept.claim:
            return False
        group = self._state.groups.get(place[1])
        longest_s = stay_s(job, 0 if group is None else group.preemptions, self._state)
        return longest_s is not None and self._now + timedelta(seconds=longest_s) <= kept.begins

    def _overtakes_s(self, job: Job, in_the_way: Iterable[KeptFor]) -> int | None:
        """Return the longest time limit, in seconds, with which a gang would be gone before all of these begin."""
        first = min((kept.begins for kept in in_the_way), default=self._now)
        longest_s = int((first - self._now).total_seconds()) - job.spec.grace_s
        return None if job.spec.serves or longest_s < 1 else longest_s


def _standing(state: SchedulerState, but_of: JobId | None) -> list[Reservation]:
    """Return the promises that can be kept, those first that begin first; who counts on one that cannot, cannot."""
    names: set[str] = set()
    standing: list[Reservation] = []
    for promise in sorted(state.promised.values(), key=lambda each: (each.begins, each.group)):
        kept = taken_over(promise, state.ledger)
        others = {end.name for end in promise.awaited if end.name.startswith(RESERVED)}
        waits = promise.group in state.waiting and job_named_by(promise.group) != but_of
        if kept is not None and waits and kept.stands(state.ledger) and others <= names:
            standing.append(kept)
            names.add(kept.name)
    return standing


def _kept_for(
    state: SchedulerState, kept: Reservation, aside: SetAside, chips: frozenset[ChipName | None]
) -> KeptFor | None:
    """Return what somebody has kept now where a gang could be, None where that is nothing."""
    devices: dict[ChipName, int] = {}
    nodes: set[str] = set()
    for entry, amounts in aside.amounts:
        has: Mapping[ChipName, int] = entry.leftover.kind.group_of
        if None in chips or not chips.isdisjoint(has):
            nodes.add(entry.id)
            if amounts.chip is not None and amounts.devices:
                devices[amounts.chip] = devices.get(amounts.chip, 0) + amounts.devices
    if not nodes:
        return None
    job = state.jobs[job_named_by(kept.group)]
    return KeptFor(job.id, job.tenant, kept.begins, tuple(sorted(devices.items())), tuple(sorted(nodes)))
