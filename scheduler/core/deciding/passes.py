"""Decisions as things change: each pass looks at those alone that may have a place since the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.hopes import RESERVE_AFTER_S
from scheduler.core.deciding.backfilling.promises import MOST_PROMISES, Keeping, Promises
from scheduler.core.deciding.contest import Contest
from scheduler.core.deciding.cycle import Cycle
from scheduler.core.deciding.elastic.growing import Growing
from scheduler.core.deciding.lacks import LacksAnything, LacksDeparture, LacksKept, LacksQuota, LacksTurn, Numbers
from scheduler.core.deciding.preempting.evicting import Evicting
from scheduler.core.deciding.preempting.memory import Attempts
from scheduler.core.deciding.preempting.rules import NO_PREEMPTION, Scope
from scheduler.core.deciding.sleepers import Sleepers
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.decision import Effect, Evicted, Placed, Resized

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from scheduler.core.deciding.lacks import Lack
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.deciding.preempting.rules import Rules
    from scheduler.core.deciding.sleepers import Wanted
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
        self._sleepers = Sleepers()
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
        candidates = self._candidates(state, now)
        unsized = self._growing.candidates(state, now)
        decisions: list[Effect] = []
        if candidates or unsized:
            with Trial(state.ledger) as trial:
                keeping = Keeping(state, self.promises, trial.apply, now)
                is_on = self.rules.scope is not Scope.OFF
                evicting = Evicting(state, self.rules, self._attempts, keeping=keeping, now=now) if is_on else None
                cycle = Cycle(state, trial.apply, now)
                contest = Contest(state, cycle, self._sleepers, keeping, evicting)
                decisions += contest.decide(candidates)
                decisions += self._growing.decide(state, unsized, trial.apply, cycle.numbers)
            self.asked += contest.asked
        self._state, self._seen, self._at = state, state.news.now, now
        self._sweep(state)
        return decisions

    def next_due(self, state: SchedulerState, now: datetime) -> datetime | None:
        """Return when something is to be looked at again though nothing changes; None where nothing is."""
        due = (state.waiters.next_due(now), self.promises.next_due(now))
        later = (self._attempts.next_due(), self._growing.next_due(state, now))
        return min((each for each in (*due, *later) if each is not None), default=None)

    def take_back(self, decisions: Iterable[Effect]) -> None:
        """Look again at what was decided and not done, and at those who may have what would have been held for it."""
        state, undone = self._state, tuple(decisions)
        if state is None or not undone:
            return
        # what is noted below is news of the latest change; what came before it may not have been looked at either
        self._seen = min(self._seen, state.news.now - 1)
        for decision in undone:
            if isinstance(decision, Evicted):
                for each in self.promises.claims.drop_awaiting(decision.attempt):
                    state.news.hopeful(each)
                continue
            group = state.groups.get(decision.group)
            if isinstance(decision, Resized):
                self._growing.refused(decision)
            if group is None or isinstance(decision, Resized):
                continue
            state.news.hopeful(state.waiters.classes.of(group.id))
            if isinstance(decision, Placed):
                job = state.jobs[group.job_id]
                state.news.freed(job, state.sharing.book.path(job.queue))
                for node in sorted({allocation.node for allocation in decision.allocations}):
                    if state.ledger.has_node(node):
                        state.news.roomier(state.ledger.kind_of(node))

    def _candidates(self, state: SchedulerState, now: datetime) -> dict[Class, Wanted | None]:
        """Return who may have a place now, with what it lacked that there is enough of; None: it is asked anyway."""
        news, at = state.news, self._at
        is_strange = state is not self._state or at is None or news.upheaval > self._seen
        if is_strange:
            self._sleepers, self.promises = Sleepers(), Promises.of(state, *self._limits)
            self._attempts = Attempts()
        fallen = self.promises.fallen(state, now)
        for each, why in fallen:
            self.promises.drop(each, why)
        if is_strange or at is None:
            return dict.fromkeys(state.waiters.classes.all.values())
        found: dict[Class, Wanted | None] = {}
        grown = dict.fromkeys([*news.pools.since(self._seen), *self.promises.given_back()])
        numbers = Numbers(state)
        for pool in grown:
            found |= self._sleepers.with_room_in(pool, lambda lack, asker: numbers.room(lack, asker.asked[0]))
        for pool in grown:
            found |= dict.fromkeys(self._sleepers.lacking(LacksAnything(pool)))
        chips = {chip for _, chip in grown}
        found |= dict.fromkeys([*(each for each, _ in fallen), *self.promises.lost()])
        found |= dict.fromkeys([*self.promises.claims.refresh(state.ledger, now), *self._attempts.due(now)])
        found |= dict.fromkeys(each for each in self.promises if not chips.isdisjoint(each.asked[0].chips))
        for lack in self._lacked(state):
            found |= dict.fromkeys(self._sleepers.lacking(lack))
        if shrunk := set(news.shrunk.since(self._seen)):
            found |= dict.fromkeys(each for each in self._sleepers if not shrunk.isdisjoint(each.asked[0].chips))
        found |= dict.fromkeys(news.classes.since(self._seen))
        found |= dict.fromkeys(state.waiters.due(at, now))
        found |= dict.fromkeys(self.promises.hopes.due(now, self.promises.left))
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

    def _sweep(self, state: SchedulerState) -> None:
        if len(self._sleepers) > 2 * len(state.waiters.classes.all) + MOST_DEAD_SLEEPERS:
            for sleeper in [each for each in self._sleepers if not each.members]:
                self._sleepers.remove(sleeper)
