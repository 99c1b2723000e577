"""What each queue is due, holds and held lately, from the state in memory."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from scheduler.core.deciding.ordering.shares import ShareMade
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import COMPUTE, Queue, QueueName, QueueQuota
from scheduler.core.queueing.dues.shares import shares_due
from scheduler.core.queueing.quota import used_milli
from scheduler.services.follow_changes import FollowedState


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """A quota, and what is held of it, in thousandths."""

    quota: QueueQuota
    held_milli: int

    @property
    def borrowed_milli(self) -> int:
        """What is held above the guaranteed share."""
        return max(0, self.held_milli - self.quota.guaranteed * WHOLE_DEVICE_MILLI)


@dataclass(frozen=True, slots=True)
class QueueStanding:
    """By what the order compares a queue with its siblings."""

    made: ShareMade
    against_due: float
    """Its share by what it is due: 1 is as much as that, and of siblings that of the least comes first.

    Among siblings what is due goes by weight, so this is what they are ordered by (share / weight), in other units.
    """
    half_life_s: float
    """After so long what was held counts half; 0: only what is held now counts."""


@dataclass(frozen=True, slots=True)
class QueueShare:
    """What a queue is due with all that is in it, and what it holds."""

    queue: Queue
    due: float
    """Its part of all there is, 0 to 1."""
    compute_held_milli: int
    """As it was charged: by the measured speed of jobs' families where that was known."""
    compute_by_catalogue_milli: int
    """What the devices that it holds are by the catalogue now."""
    compute_milli: int
    """What there is in all on nodes that take work, in thousandths of units."""
    chips: tuple[tuple[ChipName, int], ...]
    """Thousandths of devices held, by chip type."""
    running: int
    waiting: int
    quotas: tuple[QuotaUse, ...]
    standing: QueueStanding | None
    """None where the order is one in which queues do not come before gangs."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Of all queues by name, as of a change number."""

    items: tuple[QueueShare, ...]
    change: int
    age_s: float


def show_shares(followed: FollowedState, now: datetime) -> Shares:
    """Return what each queue is due, holds and held lately. Raises StorageUnavailable."""
    followed.follow()
    with followed.hold() as state:
        return Shares(tuple(_shares(state, now)), followed.change, followed.age_s)


def _shares(state: SchedulerState, now: datetime) -> list[QueueShare]:
    sharing, uses = state.sharing, state.ledger.uses
    rates = sharing.book.worth(COMPUTE)
    due, waiting = shares_due(sharing.tree), _waiting(state)
    standings = _standings(state, due, now)
    capacity = sum(state.tally.usable(chip) * rate for chip, rate in rates.items()) * WHOLE_DEVICE_MILLI
    return [
        QueueShare(
            queue=queue,
            due=due[name],
            compute_held_milli=uses.held_by(name).get(COMPUTE, 0),
            compute_by_catalogue_milli=used_milli(uses, name, rates),
            compute_milli=capacity,
            chips=tuple(sorted((chip, milli) for chip, milli in uses.held_by(name).items() if chip != COMPUTE)),
            running=uses.holdings(name),
            waiting=waiting[name],
            quotas=tuple(
                QuotaUse(rule.quota, used_milli(uses, name, rule.weights)) for rule in sharing.book.rules_of(name)
            ),
            standing=standings.get(name),
        )
        for name, queue in sorted(sharing.tree.queues.items())
    ]


def _standings(
    state: SchedulerState, due: Mapping[QueueName, float], now: datetime
) -> Mapping[QueueName, QueueStanding]:
    """Return what the decider would compare queues by at a moment."""
    if not state.order.ordering.has_shares:
        return {}
    shares = state.order.shares
    there = shares.capacity(state.tally)
    made = {name: shares.made_of(name, there, now) for name in due}
    return {
        name: QueueStanding(each, each.share / due[name], shares.half_life_s) for name, each in sorted(made.items())
    }


def _waiting(state: SchedulerState) -> Counter[QueueName]:
    """Return how many gangs wait in each queue with all that is in it."""
    waiting: Counter[QueueName] = Counter()
    for each in state.waiters.classes.all.values():
        for name in state.sharing.book.path(each.asked.request.queue):
            waiting[name] += len(each.members)
    return waiting
