"""Preemption in one pass: for a gang without a place others give way or stop, and their room is kept for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.core.deciding.elastic.giving import Giving
from scheduler.core.deciding.elastic.shrinking import shrunk
from scheduler.core.deciding.options import find_place
from scheduler.core.deciding.parts.live import going_of
from scheduler.core.deciding.parts.losses import evicted_for
from scheduler.core.deciding.preempting.candidates import Candidates
from scheduler.core.deciding.preempting.counted_twice import CountedTwice
from scheduler.core.deciding.preempting.entitlement import Entitlement
from scheduler.core.deciding.preempting.givers import BY_LOAN, Givers
from scheduler.core.deciding.preempting.leavers import Leaver, claim_on, leaving_anyway, on_nodes_of, quota_share, whole
from scheduler.core.deciding.preempting.leavers import giving as giving_of
from scheduler.core.deciding.preempting.memory import TRY_AGAIN_S, Attempts
from scheduler.core.deciding.preempting.moving import BY_MOVE, find_moves
from scheduler.core.deciding.preempting.outranking import Regards
from scheduler.core.deciding.preempting.search import Search
from scheduler.core.ledger.changes import Release, Restore, SetAside
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.decision import Evicted, ResizeCause, Resized
from scheduler.core.model.identifiers import group_id, job_named_by
from scheduler.core.model.job import Wish
from scheduler.core.model.sharing.eviction import EvictionCause, GivenTo

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from scheduler.core.deciding.backfilling.keeping import Keeping
    from scheduler.core.deciding.backfilling.reservations import Reservation
    from scheduler.core.deciding.elastic.giving import Offer
    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.parts.losses import Alike
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.deciding.preempting.candidates import Claimant
    from scheduler.core.deciding.preempting.moving import Moved
    from scheduler.core.deciding.preempting.outranking import Regard
    from scheduler.core.deciding.preempting.rules import Rules
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.changes import LedgerChange
    from scheduler.core.model.identifiers import AttemptId
    from scheduler.core.model.job import Job
    from scheduler.core.placement.placement import GangPlace
    from scheduler.core.placement.request import GangRequest

MOST_SEARCHES = 16
"""So many gangs for which nobody can be stopped are searched for in one pass."""
MOST_MOVE_SEARCHES = 4
"""For so many gangs moves are looked for in one pass."""
MOST_EVICTED = 4_096
"""So many attempts are stopped by one pass; the rest by the next."""


@dataclass(frozen=True, slots=True)
class Found:
    """A place, and what must become of others for it."""

    place: GangPlace
    victims: list[LiveAttempt]
    """Who must be stopped."""
    offers: list[Offer]
    """Who must go on with fewer workers."""
    leaving: list[Leaver]
    """Who goes anyway, and is waited for."""
    moved: tuple[Moved, ...] = ()
    """Where victims go on that are moved."""
    outranked: tuple[Reservation, ...] = ()
    """What is kept for others and is no reason against it."""


class Evicting:
    """Who is stopped for whom, or gives way, on one state at one time."""

    def __init__(
        self,
        state: SchedulerState,
        rules: Rules,
        attempts: Attempts,
        *,
        keeping: Keeping,
        apply: Callable[[LedgerChange], object],
        now: datetime,
    ) -> None:
        """`apply` changes the ledger for as long as the pass lasts."""
        self._state = state
        self._rules = rules
        self._attempts = attempts
        self._keeping = keeping
        self._apply = apply
        self._now = now
        self._searches = MOST_SEARCHES
        self._move_searches = MOST_MOVE_SEARCHES
        self._evictions = MOST_EVICTED
        self._is_awaited = keeping.claims.is_awaited
        self._entitlement = Entitlement(state, rules, keeping.claims.is_awaited)
        self._givers = Givers(state, rules, keeping.claims, now)
        self._counted_twice = CountedTwice(state, keeping.claims)
        self._starts: dict[tuple[PoolName, Alike], int] = {}
        self._spared_until: datetime | None = None
        """When the first of those is to be left alone no longer that were, in the latest search."""

    def may_try(self, asker: Class, at: int) -> bool:
        """Say whether it is worth a look whom to stop for a member."""
        job = self._job(asker, at)
        return (
            self._searches > 0
            and self._entitlement.has_right(job)
            and not self._attempts.is_paused(asker, job.spec.priority, self._now)
            and not self._keeping.claims.has(asker, asker.members[at][1])
        )

    def evict_for(self, asker: Class, at: int) -> list[Evicted | Resized] | None:
        """Decide who gives way or is stopped so that a member of a class gets a place, which is kept for it then.

        Empty where it needs only what goes anyway, None where there is no way now.
        """
        job, group = self._job(asker, at), asker.members[at][1]
        if not self._entitlement.has_right(job) or self._attempts.is_paused(asker, job.spec.priority, self._now):
            return None
        if self._keeping.claims.has(asker, group):
            return None
        if not self._searches or self._evictions <= 0:
            self._attempts.put(asker, job.spec.priority, self._now)
            return None
        self._spared_until = self._givers.spared_until = None
        regards = Regards(asker, self._keeping.promises, self._entitlement)
        for claimant in self._claimants(asker.asked[0], job, regards):
            regard = regards.of(claimant.cause)
            found = self._move(asker, regard) if claimant is BY_MOVE else self._search(asker, at, claimant, regard)
            if found is not None:
                return self._carry_out(asker, at, found, claimant.cause)
        self._searches -= 1
        self._attempts.put(asker, job.spec.priority, self._again_at())
        return None

    def _claimants(self, request: GangRequest, job: Job, regards: Regards) -> Iterator[Claimant]:
        """Yield the rights of a gang: what was lent is given back and who may be is moved before anybody else goes."""
        if self._state.sizes.lending:
            yield BY_LOAN
        if self._state.sizes.movable and self._move_searches > 0:
            yield BY_MOVE
        yield from self._entitlement.claimants(
            request,
            job,
            lambda live, cause: self._may_stop(live, regards.of(cause).taken),
            lambda live: self._may_yield(live, regards.of(EvictionCause.ROUND).taken),
        )

    def _carry_out(self, asker: Class, at: int, found: Found, cause: EvictionCause) -> list[Evicted | Resized]:
        job, group = self._job(asker, at), asker.members[at][1]
        self._attempts.forget(asker)
        self._evictions -= len(found.victims) + len(found.offers)
        for offer in found.offers:
            self._part(offer)
        self._claim(asker, at, found)
        for moved in found.moved:
            self._keep_elsewhere(moved, found)
        for live in found.victims:
            self._entitlement.goes(live, live.allocations)
        for offer in found.offers:
            self._entitlement.goes(offer.live, offer.gives)
        return [
            *(evicted_for(live, group, job, cause, self._now) for live in found.victims),
            *(_shrunk(offer, group, job) for offer in found.offers),
        ]

    def _job(self, asker: Class, at: int) -> Job:
        return self._state.jobs[job_named_by(asker.members[at][1])]

    def _may_yield(self, live: LiveAttempt, taken: Collection[AttemptId]) -> bool:
        rounds = self._state.order.rounds
        is_free = live.attempt not in taken and not self._keeping.claims.is_awaited(live.attempt)
        return rounds is not None and is_free and rounds.may_yield(live, self._now)

    def _may_stop(self, live: LiveAttempt, taken: Collection[AttemptId]) -> bool:
        attempt, is_awaited = live.attempt, self._is_awaited
        if (
            not live.job.spec.preemptible
            or live.resizing.surplus
            or attempt in taken
            or is_awaited(attempt)
            or (live.job.spec.elastic is not None and is_awaited(going_of(attempt)))
        ):
            return False
        until = self._rules.protected_until(live)
        if until <= self._now:
            return True
        self._spared_until = until if self._spared_until is None else min(self._spared_until, until)
        return False

    def _again_at(self) -> datetime:
        again = self._now + timedelta(seconds=TRY_AGAIN_S)
        spared = min((at for at in (self._spared_until, self._givers.spared_until) if at is not None), default=again)
        return min(again, max(spared, self._now + timedelta(seconds=1)))

    def _search(self, asker: Class, at: int, claimant: Claimant, regard: Regard) -> Found | None:
        """Return a place, and what must become of others for it; None where nothing makes one."""
        state, request, job = self._state, asker.asked[0], self._job(asker, at)
        with Trial(state.ledger) as trial:
            own = self._keeping.promises.get(asker)
            not_for_others = regard.outranked if own is None else (own, *regard.outranked)
            for each in not_for_others:
                if state.ledger.has_hold(each.name):
                    trial.apply(Release(each.name))
            leaving = self._let_leave(trial, regard.outranked)
            for twice in self._counted_twice.less():
                trial.apply(twice)
            if (leaving or regard.outranked) and (place := find_place(state, request)):
                return Found(place, [], [], on_nodes_of(place, leaving), outranked=regard.outranked)
            name = state.groups[asker.members[at][1]].next_attempt
            offers = self._givers.offers(request, job, claimant, self._entitlement, regard.taken)
            giving = Giving(state, request, offers, trial)
            place = giving.find(name)
            victims: list[LiveAttempt] = []
            if place is None and claimant is not BY_LOAN:
                candidates = Candidates(
                    state, claimant, self._now, restart_s=self._rules.restart_s, starts=self._starts
                )
                search = Search(state, request, candidates, trial, given_milli=giving.devices_milli)
                place, victims = search.find(name) or (None, [])
                if place is not None and giving.given:
                    place, victims = giving.spare(name, place, victims)
            if place is None:
                return None
            if claimant.leaves_short and not self._leaves_shares(trial, request, name, place, victims):
                return None
            return Found(place, victims, giving.given, on_nodes_of(place, leaving), outranked=regard.outranked)

    def _leaves_shares(
        self, trial: Trial, request: GangRequest, name: AttemptId, place: GangPlace, victims: Iterable[LiveAttempt]
    ) -> bool:
        """Say whether a gang may have its place beside what the queues of its victims may have again at any time.

        Of each victim so much counts as held still as its queue falls short of its guaranteed share without it.
        """
        ledger = self._state.ledger
        for live in victims:
            for number, held in enumerate(live.allocations):
                if not self._entitlement.is_short(live, request):
                    break
                part = Leaver(f"share/{live.attempt}/{number}", live, (held,))
                account = live.job.account._replace(is_part=True)
                trial.apply(SetAside(part.name, (), live.job.tenant, part.uses(ledger), account))
        if ledger.has_hold(name):
            trial.apply(Release(name))
        return not self._state.sharing.over_quota(request.queue, place.option.charge_milli)

    def _move(self, asker: Class, regard: Regard) -> Found | None:
        """Return a place, and who is moved for it where; None where the jobs that may be moved make none."""
        self._move_searches -= 1
        own, state = self._keeping.promises.get(asker), self._state
        with Trial(state.ledger) as trial:
            if own is not None and state.ledger.has_hold(own.name):
                trial.apply(Release(own.name))
            moves = find_moves(
                state,
                asker.asked[0],
                lambda live: self._may_move(live, regard.taken),
                now=self._now,
                restart_s=self._rules.restart_s,
            )
        if moves is None:
            return None
        return Found(moves.place, [moved.live for moved in moves.moved], [], [], moves.moved)

    def _may_move(self, live: LiveAttempt, taken: Collection[AttemptId]) -> bool:
        is_awaited = self._keeping.claims.is_awaited
        if not live.job.spec.movable or live.job.wish is not Wish.RUN or live.attempt in taken:
            return False
        if is_awaited(live.attempt) or is_awaited(going_of(live.attempt)):
            return False
        until = self._rules.settled_until(live)
        if until > self._now:
            self._spared_until = until if self._spared_until is None else min(self._spared_until, until)
        return until <= self._now

    def _keep_elsewhere(self, moved: Moved, found: Found) -> None:
        """Keep for a gang that is moved the room in which it goes on: what is free of it now, where others come too."""
        used = {entry.id for part in found.place.parts for entry in part.seating.nodes}
        leavers = [whole(live) for live in found.victims if used.isdisjoint(held.node for held in live.allocations)]
        live, claims = moved.live, self._keeping.claims
        claim = claim_on(self._state, live.group.id, moved.place, leavers, now=self._now, quota=None, claims=claims)
        self._keeping.expect(claim, live.job.spec.priority)

    def _let_leave(self, trial: Trial, outranked: Collection[Reservation]) -> list[Leaver]:
        """Let go what goes anyway, but for what others wait for of it who are not `outranked`; return what was."""
        claims, ledger = self._keeping.claims, self._state.ledger
        found = [leaver for leaver in leaving_anyway(self._state, claims) if ledger.has_hold(leaver.name)]
        for leaver in found:
            trial.apply(Release(leaver.name))
            promised = [each for each in self._keeping.promises.awaiting(leaver.name) if each not in outranked]
            for each in (*claims.awaiting(leaver.name), *promised):
                if ledger.has_hold(each.name):
                    trial.apply(Release(each.name))
                trial.apply(each.set_aside(ledger))
        return found

    def _part(self, offer: Offer) -> None:
        """Let the ledger hold for the rest of the pass what a gang gives apart from what it keeps."""
        live, account = offer.live, offer.live.job.account
        kept = live.allocations[: offer.workers]
        self._apply(Release(live.attempt))
        self._apply(Restore(live.attempt, live.job.tenant, kept, account))
        self._apply(Restore(going_of(live.attempt), live.job.tenant, offer.gives, account._replace(is_part=True)))

    def _claim(self, asker: Class, at: int, found: Found) -> None:
        freed, place = [*map(whole, found.victims), *map(giving_of, found.offers)], found.place
        leavers = [*freed, *found.leaving]
        share, claims = quota_share(self._state, asker.asked[0], place, leavers), self._keeping.claims
        claim = claim_on(self._state, asker.members[at][1], place, leavers, now=self._now, quota=share, claims=claims)
        taken = sum(part.part.workers * part.part.shape.devices_milli for part in place.option.parts)
        is_roomy = bool(found.leaving) or sum(leaver.devices_milli for leaver in freed) != taken
        priority = self._job(asker, at).spec.priority
        roomy = [leaver.name for leaver in leavers] if is_roomy else []
        self._keeping.claim(asker, claim, roomy, priority, instead_of=found.outranked)
        self._counted_twice.note(claim, leavers)

    def move_on(self) -> list[Evicted]:
        """Decide that those are stopped who run elsewhere than where it is their turn in this round."""
        rounds, state = self._state.order.rounds, self._state
        found = []
        for name in () if rounds is None else rounds.moving:
            group = state.groups.get(group_id(name, 0))
            live = None if group is None else state.live.get(group.latest_attempt)
            if live is not None and self._may_yield(live, ()):
                found.append(evicted_for(live, live.group.id, live.job, EvictionCause.ROUND, self._now))
        return found


def _shrunk(offer: Offer, group: str, job: Job) -> Resized:
    own, milli = offer.live.job.spec.priority, offer.devices_milli
    given_to = GivenTo(group, job.tenant, offer.cause, job.spec.priority, own, milli)
    return shrunk(offer.live, offer.workers, ResizeCause.OTHERS, given_to)
