"""Preemption in one pass: for a gang without a place, others are stopped, and what they give back is kept for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.reservations import QuotaShare, Reservation, gives_of, needs_of
from scheduler.core.deciding.options import find_place
from scheduler.core.deciding.parts.losses import held_milli, unsaved_since
from scheduler.core.deciding.preempting.candidates import Candidates
from scheduler.core.deciding.preempting.entitlement import Entitlement
from scheduler.core.deciding.preempting.memory import TRY_AGAIN_S, Attempts
from scheduler.core.deciding.preempting.search import Search
from scheduler.core.ledger.changes import Release
from scheduler.core.ledger.holding import compute_used
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.decision import Evicted
from scheduler.core.model.identifiers import job_named_by
from scheduler.core.model.sharing.eviction import Eviction
from scheduler.core.model.sharing.queue import Account

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from scheduler.core.deciding.backfilling.promises import Keeping
    from scheduler.core.deciding.backfilling.reservations import Sums
    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.parts.losses import Alike
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.deciding.preempting.candidates import Claimant
    from scheduler.core.deciding.preempting.rules import Rules
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.holding import Use
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.identifiers import AttemptId
    from scheduler.core.model.job import Job
    from scheduler.core.model.sharing.eviction import EvictionCause
    from scheduler.core.placement.placement import GangPlace
    from scheduler.core.placement.request import GangRequest

    Found = tuple[GangPlace, list[LiveAttempt], list[LiveAttempt]]
    """A place, who must be stopped for it, and who stops anyway and is waited for."""

MOST_SEARCHES = 16
"""So many gangs for which nobody can be stopped are searched for in one pass."""
MOST_EVICTED = 4_096
"""So many attempts are stopped by one pass; the rest by the next."""


class Evicting:
    """Who is stopped for whom, on one state at one time."""

    def __init__(
        self, state: SchedulerState, rules: Rules, attempts: Attempts, *, keeping: Keeping, now: datetime
    ) -> None:
        self._state = state
        self._rules = rules
        self._attempts = attempts
        self._keeping = keeping
        self._now = now
        self._searches = MOST_SEARCHES
        self._evictions = MOST_EVICTED
        self._entitlement = Entitlement(state, rules, keeping.claims.is_awaited)
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

    def evict_for(self, asker: Class, at: int) -> list[Evicted] | None:
        """Decide who is stopped so that a member of a class gets a place, which is kept for it from then on.

        Empty where it needs only what is stopping anyway, None where there is no way now.
        """
        job, group = self._job(asker, at), asker.members[at][1]
        if not self._entitlement.has_right(job) or self._attempts.is_paused(asker, job.spec.priority, self._now):
            return None
        if self._keeping.claims.has(asker, group):
            return None
        if not self._searches or self._evictions <= 0:
            self._attempts.put(asker, job.spec.priority, self._now)
            return None
        self._spared_until = None
        taken = self._taken_before(asker)
        for claimant in self._entitlement.claimants(asker.asked[0], job, lambda live: self._may_stop(live, taken)):
            found = self._search(asker, at, claimant)
            if found is not None:
                return self._carry_out(asker, at, found, claimant.cause)
        self._searches -= 1
        self._attempts.put(asker, job.spec.priority, self._again_at())
        return None

    def _carry_out(self, asker: Class, at: int, found: Found, cause: EvictionCause) -> list[Evicted]:
        place, victims, leaving = found
        job, group = self._job(asker, at), asker.members[at][1]
        self._attempts.forget(asker)
        self._evictions -= len(victims)
        self._claim(asker, at, place, victims, leaving)
        for live in victims:
            self._entitlement.goes(live)
        return [self._evicted(live, group, job, cause) for live in victims]

    def _job(self, asker: Class, at: int) -> Job:
        return self._state.jobs[job_named_by(asker.members[at][1])]

    def _taken_before(self, asker: Class) -> set[AttemptId]:
        """Return the attempts whose ends are promised to those who come before a class."""
        promises = self._keeping.promises
        before = [each for each in promises if each is not asker and each.members and each.first < asker.first]
        return {attempt for each in before if (kept := promises.get(each)) for attempt in kept.waits_for}

    def _may_stop(self, live: LiveAttempt, taken: Collection[AttemptId]) -> bool:
        if (
            not live.job.spec.preemptible
            or live.resizing.surplus
            or self._keeping.claims.is_awaited(live.attempt)
            or live.attempt in taken
        ):
            return False
        until = self._rules.protected_until(live)
        if until <= self._now:
            return True
        self._spared_until = until if self._spared_until is None else min(self._spared_until, until)
        return False

    def _again_at(self) -> datetime:
        again = self._now + timedelta(seconds=TRY_AGAIN_S)
        spared = self._spared_until
        return again if spared is None else min(again, max(spared, self._now + timedelta(seconds=1)))

    def _search(self, asker: Class, at: int, claimant: Claimant) -> Found | None:
        """Return a place, who must be stopped for it, and who stops anyway and is waited for."""
        state, request = self._state, asker.asked[0]
        with Trial(state.ledger) as trial:
            own = self._keeping.promises.get(asker)
            if own is not None and state.ledger.has_hold(own.name):
                trial.apply(Release(own.name))
            leaving = self._let_leave(trial)
            if leaving and (place := find_place(state, request)):
                return place, [], _on_nodes_of(place, leaving)
            candidates = Candidates(state, claimant, self._now, restart_s=self._rules.restart_s, starts=self._starts)
            name = state.groups[asker.members[at][1]].next_attempt
            found = Search(state, request, candidates, trial).find(name)
            return None if found is None else (*found, _on_nodes_of(found[0], leaving))

    def _let_leave(self, trial: Trial) -> list[LiveAttempt]:
        """Let go what stops anyway, but for what others wait for of it; return what was."""
        claims, ledger = self._keeping.claims, self._state.ledger
        leaving = dict.fromkeys(
            [*claims.roomy, *(one for one in self._state.losses.stopping if not claims.is_awaited(one))]
        )
        found = [self._state.live[attempt] for attempt in leaving if attempt in self._state.live]
        for live in found:
            trial.apply(Release(live.attempt))
            waiting = [*claims.awaiting(live.attempt), *self._keeping.promises.awaiting(live.attempt)]
            for each in waiting:
                if ledger.has_hold(each.name):
                    trial.apply(Release(each.name))
                trial.apply(each.set_aside(ledger))
        return found

    def _claim(
        self, asker: Class, at: int, place: GangPlace, victims: list[LiveAttempt], leaving: Iterable[LiveAttempt]
    ) -> None:
        needs = needs_of(place)
        awaited: dict[NodeEntry, dict[AttemptId, Sums]] = {}
        grace_s = 0.0
        for live in [*victims, *leaving]:
            grace_s = max(grace_s, live.job.spec.grace_s)
            for entry, gives in gives_of(self._state.ledger, live.allocations).items():
                if entry in needs:
                    awaited.setdefault(entry, {})[live.attempt] = gives
        begins = self._now + timedelta(seconds=grace_s)
        share = self._share(asker.asked[0], place, [*victims, *leaving])
        claim = Reservation(asker.members[at][1], begins, None, needs, awaited, quota=share)
        taken = sum(part.part.workers * part.part.shape.devices_milli for part in place.option.parts)
        roomy = [*victims, *leaving] if leaving or sum(map(held_milli, victims)) != taken else []
        priority = self._job(asker, at).spec.priority
        self._keeping.claim(asker, claim, [live.attempt for live in roomy], priority)

    def _share(self, request: GangRequest, place: GangPlace, awaited: Iterable[LiveAttempt]) -> QuotaShare | None:
        """Return what counts for the quotas of a gang's queue from now on, None where there are none."""
        book = self._state.sharing.book
        if not book.rules_on_path(request.queue) and not any(book.kept_resources):
            return None
        own = {live.attempt: self._uses(live) for live in awaited if live.job.queue == request.queue}
        uses = tuple(use for seating in place.seatings for use in seating.uses())
        uses += compute_used(place.compute_milli)
        return QuotaShare(request.tenant, uses, own, Account(request.queue))

    def _uses(self, live: LiveAttempt) -> tuple[Use, ...]:
        cluster = self._state.ledger.kind_of(live.allocations[0].node).cluster
        devices = tuple((cluster, held.chip, held.devices_milli) for held in live.allocations if held.chip is not None)
        return devices + compute_used(sum(held.compute_milli for held in live.allocations))

    def _evicted(self, live: LiveAttempt, group: str, job: Job, cause: EvictionCause) -> Evicted:
        eviction = Eviction(
            beneficiary=group,
            tenant=job.tenant,
            cause=cause,
            priority=job.spec.priority,
            own_priority=live.job.spec.priority,
            devices_milli=held_milli(live),
            unsaved_s=max(0.0, (self._now - unsaved_since(live)).total_seconds()),
        )
        return Evicted(live.group.id, live.group.version, live.attempt, eviction)


def _on_nodes_of(place: GangPlace, leaving: Iterable[LiveAttempt]) -> list[LiveAttempt]:
    used = {entry.id for part in place.parts for entry in part.seating.nodes}
    return [live for live in leaving if any(held.node in used for held in live.allocations)]
