"""Who shares with whom, and what each queue is due and may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.change import (
    ChipGroupRemoved,
    ChipGroupSet,
    QueueQuotaLifted,
    QueueQuotaSet,
    QueueRemoved,
    QueueSet,
)
from scheduler.core.model.reason import QueueIsFull
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import COMPUTE, Queue, Shares
from scheduler.core.queueing.quota import QuotaBook, over_quota
from scheduler.core.queueing.tree import QueueTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scheduler.core.deciding.parts.news import News
    from scheduler.core.deciding.parts.tally import Tally
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.model.job import Job
    from scheduler.core.model.reason import QuotaExceeded
    from scheduler.core.model.sharing.queue import ChipGroup, QueueCaps, QueueName, QueueQuota, ResourceName
    from scheduler.core.queueing.quota import Asked

SharingChange = QueueSet | QueueRemoved | QueueQuotaSet | QueueQuotaLifted | ChipGroupSet | ChipGroupRemoved


class Sharing:
    """The queues with their quotas, and the groups of chip types that these count."""

    def __init__(self, ledger: Ledger, tally: Tally, news: News) -> None:
        self._ledger = ledger
        self._tally = tally
        self._news = news
        self._queues: dict[QueueName, Queue] = {}
        self._assumed: dict[QueueName, Queue] = {}
        """Queues of jobs that nobody told of: in a database there are none such."""
        self._quotas: dict[tuple[QueueName, ResourceName], QueueQuota] = {}
        self._groups: dict[str, ChipGroup] = {}
        self._rates: Mapping[ChipName, int] = {}
        self._book = QuotaBook()
        self._limiting_running: frozenset[QueueName] = frozenset()
        self._free: dict[ChipName, tuple[tuple[int, int], int]] = {}
        """What is free of each chip type, with the versions of the ledger that it was read at."""

    @property
    def tree(self) -> QueueTree:
        """All queues."""
        return self._book.tree

    @property
    def book(self) -> QuotaBook:
        """All quotas, by whom they concern."""
        return self._book

    @property
    def queues(self) -> Mapping[QueueName, Queue]:
        """The queues that there are."""
        return self._queues

    @property
    def quotas(self) -> Mapping[tuple[QueueName, ResourceName], QueueQuota]:
        """What queues are due and may have of each resource."""
        return self._quotas

    @property
    def groups(self) -> Mapping[str, ChipGroup]:
        """The groups of chip types by name."""
        return self._groups

    def begin(self, shares: Shares, jobs: Iterable[Job]) -> None:
        """Take in what there is when a state is made. Raises BadTree."""
        self._queues = {queue.name: queue for queue in shares.queues}
        self._quotas = {(quota.queue, quota.resource): quota for quota in shares.quotas}
        self._groups = {group.name: group for group in shares.chip_groups}
        for job in jobs:
            if job.queue not in self._queues and job.queue not in self._assumed:
                self._assumed[job.queue] = Queue(job.queue, tenant=job.tenant)
        self._plant()

    def know(self, job: Job) -> None:
        """Let a job's queue be known."""
        if job.queue not in self.tree.queues:
            self._assumed[job.queue] = Queue(job.queue, tenant=job.tenant)
            self._plant()

    def value(self, rates: Mapping[ChipName, int]) -> None:
        """Take over how many units of COMPUTE devices of each chip type are worth."""
        if rates is self._rates:
            return
        self._rates = rates
        self._write_book()
        if any(resource == COMPUTE for _, resource in self._quotas):
            self._news.upheaval = self._news.now

    def see(self, said: SharingChange) -> bool:
        """Follow a change; say whether for some queue it is another question now whether users are limited."""
        before = {name for name in self.tree.queues if self.limits_users(name)}
        match said:
            case QueueSet(queue):
                self._set_queue(queue)
            case QueueRemoved(name):
                del self._queues[name]
                for key in [key for key in self._quotas if key[0] == name]:
                    del self._quotas[key]
                self._plant()
                self._news.upheaval = self._news.now
            case QueueQuotaSet(quota):
                self._set_quota(quota.queue, quota.resource, quota)
            case QueueQuotaLifted(name, resource):
                self._set_quota(name, resource, None)
            case ChipGroupSet(group):
                self._groups[group.name] = group
                self._change_groups()
            case ChipGroupRemoved(name):
                self._groups.pop(name, None)
                self._change_groups()
        return before != {name for name in self.tree.queues if self.limits_users(name)}

    def suppose(self, shares: Shares) -> Shares:
        """Let all that is said of who shares what be this, and return what it was, which takes it back.

        Nobody is told, so it is to be taken back before anything else is. Raises BadTree, and is then as before.
        """
        before = Shares(tuple(self._queues.values()), tuple(self._quotas.values()), tuple(self._groups.values()))
        queues = {queue.name: queue for queue in shares.queues}
        QueueTree([*self._assumed.values(), *queues.values()])
        self._queues = queues
        self._quotas = {(quota.queue, quota.resource): quota for quota in shares.quotas}
        self._groups = {group.name: group for group in shares.chip_groups}
        self._plant()
        return before

    def over_quota(self, queue: QueueName, devices_milli: Asked) -> tuple[QuotaExceeded, ...]:
        """Return why a queue may not hold so much more now, one reason for each quota that says so."""
        return over_quota(
            self._book, self._ledger.uses, queue=queue, devices_milli=devices_milli, free=self._free_milli
        )

    @property
    def limits_running(self) -> bool:
        """Whether some queue lets only so many jobs run at a time."""
        return bool(self._limiting_running)

    def caps_on_running(self) -> dict[QueueName, QueueCaps]:
        """Return the caps of the queues that let only so many jobs run at a time."""
        return {name: self.tree.queues[name].caps for name in sorted(self._limiting_running)}

    def why_full(self, job: Job) -> QueueIsFull | None:
        """Return why no other job of its queue, or of its user there, may hold something; None where one may."""
        for name in self._book.path(job.queue) if self._limiting_running else ():
            if name in self._limiting_running:
                caps, uses = self.tree.queues[name].caps, self._ledger.uses
                if caps.most_running is not None and uses.holdings(name) >= caps.most_running:
                    return QueueIsFull(name, caps.most_running)
                most = caps.most_running_per_user
                if most is not None and uses.holdings(name, job.submitted_by) >= most:
                    return QueueIsFull(name, most, job.submitted_by)
        return None

    def too_urgent(self, queue: QueueName, priority: int) -> Queue | None:
        """Return the queue that takes no job of a priority, of one and those that it is in; None where all take it."""
        above = (self.tree.queues[name] for name in self._book.path(queue) if name in self.tree.queues)
        return next(
            (one for one in above if one.caps.highest_priority is not None and priority > one.caps.highest_priority),
            None,
        )

    def limits_users(self, queue: QueueName) -> bool:
        """Say whether a queue, or one that it is in, lets only so many jobs of each user run."""
        queues = self.tree.queues
        return bool(self._limiting_running) and any(
            queues[name].caps.most_running_per_user is not None for name in self._book.path(queue) if name in queues
        )

    def content(self) -> Iterator[object]:
        """Yield all of it in a fixed order."""
        yield from (self._queues[name] for name in sorted(self._queues))
        yield from (self._quotas[key] for key in sorted(self._quotas))
        yield from (self._groups[name] for name in sorted(self._groups))

    def _set_queue(self, queue: Queue) -> None:
        before = self._queues.get(queue.name)
        self._queues[queue.name] = queue
        self._plant()
        if before is not None and before.parent != queue.parent:
            self._news.upheaval = self._news.now
        self._news.queues.note(queue.name, self._news.now)

    def _set_quota(self, queue: QueueName, resource: ResourceName, quota: QueueQuota | None) -> None:
        if quota is None:
            self._quotas.pop((queue, resource), None)
        else:
            self._quotas[queue, resource] = quota
        self._write_book()
        self._news.queues.note(queue, self._news.now)
        self._news.kept.note(resource, self._news.now)

    def _change_groups(self) -> None:
        self._write_book()
        self._news.upheaval = self._news.now

    def _plant(self) -> None:
        """Make the tree anew, and count what is held by it."""
        tree = QueueTree([*self._assumed.values(), *self._queues.values()])
        if tree.paths != self.tree.paths:
            self._ledger.regroup(tree.paths)
        self._write_book(tree)
        self._limiting_running = frozenset(
            name
            for name, queue in tree.queues.items()
            if queue.caps.most_running is not None or queue.caps.most_running_per_user is not None
        )

    def _write_book(self, tree: QueueTree | None = None) -> None:
        tree = self.tree if tree is None else tree
        self._book = QuotaBook(tree, self._quotas.values(), self._groups.values(), self._rates)

    def _free_milli(self, chip: ChipName) -> int:
        """Return what nobody holds on nodes that take work; what is promised to somebody is not held.

        Of COMPUTE, what all such devices are worth by the catalogue.
        """
        if chip == COMPUTE:
            return sum(self._free_milli(name) * rate for name, rate in self._rates.items())
        ledger = self._ledger
        at = (ledger.uses.version, ledger.inventory.changes)
        known = self._free.get(chip)
        if known is None or known[0] != at:
            held = ledger.uses.total_milli(chip) - ledger.inventory.held_aside_milli(chip)
            known = self._free[chip] = (at, self._tally.usable(chip) * WHOLE_DEVICE_MILLI - held)
        return known[1]
