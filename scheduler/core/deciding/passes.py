"""Decisions as things change: each pass looks at those alone that may have a place since the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.hopes import RESERVE_AFTER_S
from scheduler.core.deciding.backfilling.keeping import Keeping
from scheduler.core.deciding.backfilling.overtaking import Overtakers
from scheduler.core.deciding.backfilling.promises import MOST_PROMISES, Promises
from scheduler.core.deciding.contest import Contest
from scheduler.core.deciding.cycle import Cycle
from scheduler.core.deciding.elastic.growing import Growing
from scheduler.core.deciding.lacks import LacksAnything, LacksDeparture, LacksKept, LacksQuota, LacksTurn, Numbers
from scheduler.core.deciding.parts.live import going_of
from scheduler.core.deciding.preempting.evicting import Evicting
from scheduler.core.deciding.preempting.givers import lent_in
from scheduler.core.deciding.preempting.memory import Attempts
from scheduler.core.deciding.preempting.rules import NO_PREEMPTION, Scope
from scheduler.core.deciding.sleepers import Sleepers
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.decision import Effect, Evicted, Placed, Resized
from scheduler.core.model.group import FINAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from scheduler.core.deciding.lacks import Lack, PoolName
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.deciding.preempting.rules import Rules
    from scheduler.core.deciding.state import SchedulerState

MOST_DEAD_SLEEPERS = 1_024
"""Classes without members may sleep on until there are so many besides twice as many as there are classes."""


class Passes:
    """The passes of whoever leads. What it remembers is worked out anew from a state that it has not seen before."""

    def __init__(
        self,
        most_promises: int = MOST_PROMISES,
        reserve_after_s: float = RESERVE_AFTER_S,
        rules: Rules = NO_PREEMPTION,
        *,
        growing: Growing | None = None,
    ) -> None:
        """So many reservations stand at a time at most, each for a gang that has waited so long.

        `rules` say who may be stopped for whom.
        """
        self._limits = (most_promises, reserve_after_s)
        self.rules = rules
        """Who may be stopped for whom."""
        self._attempts = Attempts()
        """For whom somebody might be stopped later."""
        self._growing = growing or Growing()
        self._state: SchedulerState | None = None
        self._seen = 0
        """The change up to which all news were looked at."""
        self._at: datetime | None = None
        self._due: tuple[datetime | None] | None = None
        """What `next_due` said since the last pass that looked; None: it was not asked."""
        self._edge: datetime | None = None
        """When the round began that was decided on last, where the policy goes by rounds."""
        self._keys_as_of: datetime | None = None
        """As of when those who sleep stand in their queues, where that changes with time."""
        self._sleepers = Sleepers()
        self._overtakers = Overtakers()
        self.promises = Promises(*self._limits)
        """What is kept for those who are first and have no place."""
        self.asked = 0
        """How many times a place was looked for, in all passes."""

    def decide(self, state: SchedulerState, now: datetime) -> list[Effect]:
        """Return what changes for the groups that wait: first in the queue first; who waits on is not named.

        The same as deciding on all of them, but that those who have waited long without a place have reservations,
        and nobody is placed where that would delay them; and that for gangs with a better right others are stopped,
        whose devices are kept for them. Gangs of elastic jobs get another size where that is wished, or where there is
        room that nobody who waits could use. What is placed counts as held for all who come after it, and the state is
        afterwards what it was before.
        """
        state.reach(now)
        if self._is_idle(state, now):
            self._seen, self._at = state.news.now, now
            return []
        self._due = None
        candidates, grown = self._candidates(state, now)
        unsized = self._growing.candidates(state, now)
        decisions: list[Effect] = []
        begins_round = self._begins_round(state)
        if candidates or grown or unsized or begins_round:
            with Trial(state.ledger) as trial:
                keeping = Keeping(state, self.promises, trial.apply, now)
                is_on = self.rules.scope is not Scope.OFF
                evicting = (
                    Evicting(state, self.rules, self._attempts, keeping=keeping, apply=trial.apply, now=now)
                    if is_on
                    else None
                )
                cycle = Cycle(state, trial.apply, now)
                contest = Contest(state, cycle, self._sleepers, keeping, evicting)
                decisions += contest.decide(candidates, grown)
                if evicting is not None and begins_round:
                    decisions += evicting.move_on()
                given = {each.attempt for each in decisions if isinstance(each, Evicted | Resized)}
                unsized = [live for live in unsized if live.attempt not in given]
                decisions += self._growing.decide(state, unsized, trial.apply, cycle.numbers)
            self.asked += contest.asked
        stopped = {each.attempt for each in decisions if isinstance(each, Evicted)}
        decisions += self._overtakers.up(state, self.promises.standing, now, stopped)
        self._state, self._seen, self._at = state, state.news.now, now
        self._edge = _edge(state)
        self._sweep(state)
        return decisions

    def next_due(self, state: SchedulerState, now: datetime) -> datetime | None:
        """Return when something is to be looked at again though nothing changes; None where nothing is."""
        if self._due is None or not self._is_idle(state, now):
            rounds = state.order.rounds
            edge = None if rounds is None else rounds.next_edge(state)
            due = (state.waiters.next_due(now), self.promises.next_due(now))
            later = (self._attempts.next_due(), self._growing.next_due(state, now), edge)
            self._due = (_first(*due, *later),)
        return _first(*self._due, self._overtakers.next_due(state))

    def _is_idle(self, state: SchedulerState, now: datetime) -> bool:
        """Say whether a pass would find nobody to ask, by a look that costs nothing: most changes concern nobody."""
        if state is not self._state or self._due is None or state.news.stirred > self._seen:
            return False
        due = _first(*self._due, self._overtakers.next_due(state))
        is_early = (due is None or now < due) and not self._begins_round(state)
        return is_early and not state.sizes.unsized and not self.promises.are_stirred

    def take_back(self, decisions: Iterable[Effect]) -> None:
        """Look again at what was decided and not done, and at those who may have what would have been held for it."""
        state, undone = self._state, tuple(decisions)
        if state is None or not undone:
            return
        # what is noted below is news of the latest change; what came before it may not have been looked at either
        state.news.stirred = state.news.now
        self._seen = min(self._seen, state.news.now - 1)
        for decision in undone:
            if isinstance(decision, Evicted | Resized):
                self._goes_on(state, decision)
                continue
            group = state.groups.get(decision.group)
            if group is None:
                continue
            state.news.hopeful(state.waiters.classes.of(group.id))
            if isinstance(decision, Placed):
                job = state.jobs[group.job_id]
                state.news.freed(job, state.sharing.book.path(job.queue))
                for node in sorted({allocation.node for allocation in decision.allocations}):
                    if state.ledger.has_node(node):
                        state.news.roomier(state.ledger.kind_of(node))

    def _goes_on(self, state: SchedulerState, decision: Evicted | Resized) -> None:
        """Let nobody count on what an attempt does not give back after all."""
        gone = decision.attempt
        if decision.group in self.promises.claims.expected():
            self.promises.claims.arrive(decision.group, None)
        if isinstance(decision, Resized):
            gone = going_of(decision.attempt)
            self._growing.refused(decision)
        for each in self.promises.claims.drop_awaiting(gone):
            state.news.hopeful(each)

    def _candidates(self, state: SchedulerState, now: datetime) -> tuple[dict[Class, None], list[PoolName]]:
        """Return who is to be asked anyway, and the pools in which some of those that sleep for room there have it."""
        news, at = state.news, self._at
        is_strange = state is not self._state or at is None or news.upheaval > self._seen
        if is_strange:
            self._sleepers, self.promises = Sleepers(), Promises.of(state, *self._limits)
            self._attempts = Attempts()
        fallen = self.promises.fallen(state, now)
        for each, why in fallen:
            self.promises.drop(each, why)
        if self._begins_round(state):
            self._attempts = Attempts()
        self._let_arrive(state)
        claimed = self.promises.claims.refresh(state.ledger, now)
        if is_strange or at is None or self._begins_round(state):
            return dict.fromkeys(state.waiters.classes.all.values()), []
        found: dict[Class, None] = {}
        grown = dict.fromkeys([*news.pools.since(self._seen), *self.promises.given_back()])
        numbers = Numbers(state)
        for pool in grown:
            if self.rules.scope is not Scope.OFF and (lent := lent_in(state, pool)):
                found |= self._with_room_beside(lent, pool, numbers)
            found |= dict.fromkeys(self._sleepers.lacking(LacksAnything(pool)))
        chips = {chip for _, chip in grown}
        found |= dict.fromkeys([*(each for each, _ in fallen), *self.promises.lost()])
        found |= dict.fromkeys([*claimed, *self._attempts.due(now)])
        found |= dict.fromkeys(each for each in self.promises if not chips.isdisjoint(each.asked[0].chips))
        for lack in self._lacked(state):
            found |= dict.fromkeys(self._sleepers.lacking(lack))
        if shrunk := set(news.shrunk.since(self._seen)):
            found |= dict.fromkeys(each for each in self._sleepers if not shrunk.isdisjoint(each.asked[0].chips))
        found |= dict.fromkeys(news.classes.since(self._seen))
        found |= dict.fromkeys(state.waiters.due(at, now))
        found |= dict.fromkeys(self.promises.hopes.due(now, self.promises.left))
        if self._keys_as_of != state.order.keys_as_of:
            self._keys_as_of = state.order.keys_as_of
            self._sleepers.sort()
        return found, [pool for pool in grown if self._sleepers.has_room_in(pool, numbers.room)]

    def _let_arrive(self, state: SchedulerState) -> None:
        """Let those who were moved have the room that is kept for them, once they wait; forget those who never will."""
        for name in self.promises.claims.expected():
            group = state.groups.get(name)
            if name in state.waiting:
                self.promises.claims.arrive(name, state.waiters.classes.of(name))
            elif group is None or group.state in FINAL:
                self.promises.claims.arrive(name, None)

    def _with_room_beside(self, lent: int, pool: PoolName, numbers: Numbers) -> dict[Class, None]:
        """Return those for whom there may be room in a pool once so many devices that are on loan are given back."""
        sleepers = self._sleepers
        found: dict[Class, None] = {}
        for lack in sleepers.beds_in(pool):
            fewest = sleepers.fewest(lack)
            if fewest is not None:
                room = lent + numbers.room(lack, fewest[1].asked[0])
                found |= dict.fromkeys(sleepers.wanting(lack, room))
        return found

    def _lacked(self, state: SchedulerState) -> Iterator[Lack]:
        """Yield what there is more of since the last pass, beside room."""
        news, seen = state.news, self._seen
        yield from (LacksQuota(queue) for queue in news.queues.since(seen))
        yield from (LacksDeparture(tenant) for tenant in news.tenants.since(seen))
        grown = {chip for _, chip in news.pools.since(seen)}
        for resource in state.sharing.book.kept_resources:
            if not grown.isdisjoint(state.sharing.book.worth(resource)):
                yield LacksKept(resource)
        yield from (LacksKept(resource) for resource in news.kept.since(seen))
        yield from (LacksTurn(array) for array in news.arrays.since(seen))

    def _begins_round(self, state: SchedulerState) -> bool:
        return _edge(state) != self._edge

    def _sweep(self, state: SchedulerState) -> None:
        if len(self._sleepers) > 2 * len(state.waiters.classes.all) + MOST_DEAD_SLEEPERS:
            for sleeper in [each for each in self._sleepers if not each.members]:
                self._sleepers.remove(sleeper)


def _first(*times: datetime | None) -> datetime | None:
    return min((each for each in times if each is not None), default=None)


def _edge(state: SchedulerState) -> datetime | None:
    """Return when the round began that goes on, None where the policy knows none."""
    return None if state.order.rounds is None else state.order.rounds.edge
