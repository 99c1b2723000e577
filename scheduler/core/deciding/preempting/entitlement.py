"""By which right a gang may have others stopped: a higher priority, or a guaranteed share that others use."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.core.deciding.parts.losses import charged_milli
from scheduler.core.deciding.preempting.candidates import Claimant
from scheduler.core.deciding.preempting.rules import Scope
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.queueing.quota import used_milli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.preempting.candidates import Allows
    from scheduler.core.deciding.preempting.rules import Rules
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import AttemptId, ChipName, TenantName
    from scheduler.core.model.job import Job
    from scheduler.core.model.sharing.queue import QueueName
    from scheduler.core.placement.request import GangRequest, OptionRequest
    from scheduler.core.queueing.quota import Rule

    MayStop = Callable[[LiveAttempt, EvictionCause], bool]
    """Whether an attempt may be stopped by a right, for all that this does not say itself."""


class Entitlement:
    """The rights of gangs, on one state at one time."""

    def __init__(self, state: SchedulerState, rules: Rules, is_gone: Callable[[AttemptId], bool]) -> None:
        """`is_gone` says who was decided on before."""
        self._state = state
        self._is_gone = is_gone
        self._rules = rules
        self._lowest: dict[TenantName | None, int | None] = {}
        self._guaranteed: dict[QueueName, tuple[Rule, ...]] = {}
        """The rules on the way of a queue that guarantee it something."""
        self._going: dict[QueueName, Counter[ChipName]] | None = None
        """What queues hold of workers that do not run on, in thousandths; worked out when first asked for."""

    def has_right(self, job: Job) -> bool:
        """Say whether anybody might be stopped for a job, by a look that costs nothing."""
        if self._rules.scope is Scope.OFF:
            return False
        if self._has_turn(job) or self._has_priority(job):
            return True
        return bool(self._guarantees(job.queue) or self._state.sizes.lending or self._state.sizes.movable)

    def claimants(self, request: GangRequest, job: Job, may_stop: MayStop, may_yield: Allows) -> Iterator[Claimant]:
        """Yield the rights that a gang has now, those first that need no higher priority.

        `may_yield` says of whom it may be stopped for another one's turn.
        """
        within = self._below_guarantee(request)
        if within is not None:
            yield from self._by_guarantee(within, lambda live: may_stop(live, EvictionCause.RECLAIM))
        if self._has_turn(job):
            yield self._by_turn(job, may_yield)
        if self._has_priority(job):
            yield self._by_priority(job, lambda live: may_stop(live, EvictionCause.PRIORITY))

    def outranks(self, request: GangRequest, other: GangRequest) -> bool:
        """Say whether a gang has a right to a guaranteed share that comes before the turn of another gang.

        Not where that one has the same share before it, or has a right to one of its own.
        """
        within = self._below_guarantee(request)
        if within is None or within in self._state.sharing.book.path(other.queue):
            return False
        return self._below_guarantee(other) is None

    def may_have_back(self, live: LiveAttempt, lent: Sequence[Allocation], job: Job) -> bool:
        """Say whether a job that waits may have what an elastic one got by growing, as far as that is on loan.

        It is not for jobs of less priority, and what is guaranteed to a queue is not lent to it.
        """
        if self._rules.realm(job) in (None, live.job.tenant) and job.spec.priority < live.job.spec.priority:
            return False
        return self._leaves_the_guaranteed(live, lent, self._state.sharing.book.path(job.queue))

    def is_short(self, live: LiveAttempt, request: GangRequest) -> bool:
        """Say whether a queue of an attempt holds less than is guaranteed to it now, once all are gone that stop.

        Those do not count in which the gang's own share is that asks.
        """
        path = self._state.sharing.book.path(self._below_guarantee(request) or request.queue)
        return any(self._beyond(rule) < 0 for rule in self._guarantees(live.job.queue) if rule.quota.queue not in path)

    def goes(self, live: LiveAttempt, held: Sequence[Allocation]) -> None:
        """Take note that an attempt, or some of its workers, are stopped that hold this."""
        if self._going is not None:
            self._leave(live, held, self._going)

    def _has_turn(self, job: Job) -> bool:
        rounds = self._state.order.rounds
        return rounds is not None and job.id in rounds.turns

    def _has_priority(self, job: Job) -> bool:
        if self._state.order.rounds is not None:
            return False  # it counts for turns; or each round would take back what the priority took
        realm = self._rules.realm(job)
        if realm not in self._lowest:
            self._lowest[realm] = self._state.losses.lowest_priority(realm)
        lowest = self._lowest[realm]
        return lowest is not None and lowest < job.spec.priority

    def _by_priority(self, job: Job, may_stop: Allows) -> Claimant:
        priority, realm, path = job.spec.priority, self._rules.realm(job), self._state.sharing.book.path(job.queue)
        return Claimant(
            EvictionCause.PRIORITY,
            lambda alike: alike.priority < priority and realm in (None, alike.tenant),
            self._unless_guaranteed(may_stop, path),
            self._is_gone,
            lambda live, held: (
                live.job.spec.priority < priority
                and realm in (None, live.job.tenant)
                and self._leaves_the_guaranteed(live, held, path)
            ),
        )

    def _by_turn(self, job: Job, may_yield: Allows) -> Claimant:
        path = self._state.sharing.book.path(job.queue)
        return Claimant(
            EvictionCause.ROUND,
            lambda _: True,
            self._unless_guaranteed(may_yield, path),
            self._is_gone,
        )

    def _by_guarantee(self, within: QueueName, may_stop: Allows) -> Iterator[Claimant]:
        """Yield the right to what others hold beyond their shares, then to gangs that are in part beyond them."""
        book = self._state.sharing.book
        path = book.path(within)
        yield self._taking_back(within, self._unless_guaranteed(may_stop, path))
        beyond = self._taking_back(within, lambda live: may_stop(live) and self._is_beyond(live, path))
        yield replace(beyond, leaves_short=True)

    def _taking_back(self, within: QueueName, may_stop: Allows) -> Claimant:
        book = self._state.sharing.book
        path = book.path(within)
        return Claimant(
            EvictionCause.RECLAIM,
            lambda alike: within not in book.path(alike.queue),
            lambda live: not live.job.spec.serves and may_stop(live),
            self._is_gone,
            lambda live, held: (
                within not in book.path(live.job.queue) and self._leaves_the_guaranteed(live, held, path)
            ),
        )

    def _unless_guaranteed(self, may_stop: Allows, path: tuple[QueueName, ...]) -> Allows:
        """Return `may_stop`, less those without whom a queue off a path has less than is guaranteed to it."""
        if not self._state.sharing.book.has_guarantees:
            return may_stop
        return lambda live: may_stop(live) and self._leaves_the_guaranteed(live, live.allocations, path)

    def _guarantees(self, queue: QueueName) -> tuple[Rule, ...]:
        found = self._guaranteed.get(queue)
        if found is None:
            rules = self._state.sharing.book.rules_on_path(queue)
            found = self._guaranteed[queue] = tuple(rule for rule in rules if rule.quota.guaranteed)
        return found

    def _below_guarantee(self, request: GangRequest) -> QueueName | None:
        """Return the queue on the way of which the guaranteed share is enough for a gang too, None where none is."""
        uses = self._state.ledger.uses
        for rule in self._guarantees(request.queue):
            name = rule.quota.queue
            asked = max((_amount(option, rule) for option in request.options), default=0)
            if asked and used_milli(uses, name, rule.weights) + asked <= rule.quota.guaranteed * WHOLE_DEVICE_MILLI:
                return name
        return None

    def _leaves_the_guaranteed(
        self, live: LiveAttempt, held: Sequence[Allocation], path: tuple[QueueName, ...]
    ) -> bool:
        """Say whether no queue of an attempt, but those on a path, has less than its guaranteed share without this."""
        amounts: Counter[ChipName] | None = None
        for rule in self._guarantees(live.job.queue):
            if rule.quota.queue in path:
                continue
            if amounts is None:
                amounts = charged_milli(held)
            if self._beyond(rule) < _weighed(amounts, rule):
                return False
        return True

    def _is_beyond(self, live: LiveAttempt, path: tuple[QueueName, ...]) -> bool:
        """Say whether each queue of an attempt, but those on a path, has more than its guaranteed share with it."""
        return all(self._beyond(rule) > 0 for rule in self._guarantees(live.job.queue) if rule.quota.queue not in path)

    def _beyond(self, rule: Rule) -> int:
        """Return by how much a queue exceeds its guaranteed share once all are gone that stop, in thousandths."""
        going = self._gone().get(rule.quota.queue)
        used = used_milli(self._state.ledger.uses, rule.quota.queue, rule.weights)
        less = 0 if going is None else _weighed(going, rule)
        return used - less - rule.quota.guaranteed * WHOLE_DEVICE_MILLI

    def _gone(self) -> dict[QueueName, Counter[ChipName]]:
        if self._going is None:
            self._going = {}
            lives = self._state.live
            for live in map(lives.__getitem__, self._state.losses.stopping):
                self._leave(live, live.allocations, self._going)
            for live in map(lives.__getitem__, self._state.sizes.leaving):
                self._leave(live, live.resizing.surplus, self._going)
        return self._going

    def _leave(self, live: LiveAttempt, held: Sequence[Allocation], going: dict[QueueName, Counter[ChipName]]) -> None:
        amounts = charged_milli(held)
        for name in self._state.sharing.book.path(live.job.queue):
            going.setdefault(name, Counter()).update(amounts)


def _weighed(amounts: Counter[ChipName], rule: Rule) -> int:
    return sum(amounts[chip] * weight for chip, weight in rule.weights.items())


def _amount(option: OptionRequest, rule: Rule) -> int:
    return sum(milli * rule.weights.get(chip, 0) for chip, milli in option.charge_milli)
