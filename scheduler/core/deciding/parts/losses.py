"""What stopping attempts would lose: who holds what in each pool, those with the least loss per device first."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from scheduler.core.model.decision import Evicted
from scheduler.core.model.group import State
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.eviction import Eviction
from scheduler.core.model.sharing.queue import COMPUTE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import AttemptId, ChipName, GroupId, NodeId, TenantName
    from scheduler.core.model.job import Job
    from scheduler.core.model.sharing.eviction import EvictionCause
    from scheduler.core.model.sharing.queue import QueueName


class Alike(NamedTuple):
    """Attempts of a queue with the same priority and as many devices, which count as one at least."""

    tenant: TenantName
    queue: QueueName
    priority: int
    devices: int


Row = tuple[float, "AttemptId"]
"""When it had last saved itself, the latest first, hence negated, in seconds since 1970; and the attempt."""


class Losses:
    """The attempts that run on, by what is lost with them. Worked out when first asked for, and kept from then on."""

    def __init__(self, ledger: Ledger, live: Mapping[AttemptId, LiveAttempt]) -> None:
        self._ledger = ledger
        self._live = live
        self._levels: dict[TenantName, Counter[int]] = {}
        """How many attempts of which priority run on, by tenant."""
        self._pools: dict[PoolName, dict[Alike, list[Row]]] | None = None
        """None until somebody asks: most states never are."""
        self._nodes: dict[NodeId, dict[AttemptId, None]] = {}
        self._rows: dict[AttemptId, tuple[Alike, Row, tuple[PoolName, ...], tuple[NodeId, ...]]] = {}
        self.stopping: dict[AttemptId, None] = {}
        """Those that do not run on."""

    def lowest_priority(self, tenant: TenantName | None) -> int | None:
        """Return the lowest priority of what runs on, of a tenant or, None, of all; None where nothing does."""
        if tenant is not None:
            return min(self._levels.get(tenant, ()), default=None)
        return min((min(levels) for levels in self._levels.values()), default=None)

    def in_pool(self, pool: PoolName) -> Mapping[Alike, list[Row]]:
        """Return what runs on in a pool, not to be changed; an attempt is in each pool that it has a node of."""
        return self._known().get(pool, {})

    def on_node(self, node: NodeId) -> Collection[AttemptId]:
        """Return the attempts that run on and hold something of a node."""
        self._known()
        return self._nodes.get(node, ())

    def come(self, live: LiveAttempt) -> None:
        """Take in an attempt that holds something."""
        if live.group.state is State.STOPPING:
            self.stopping[live.attempt] = None
            return
        levels = self._levels.setdefault(live.job.tenant, Counter())
        levels[live.job.spec.priority] += 1
        if self._pools is not None:
            self._put(live, self._pools)

    def go(self, live: LiveAttempt) -> None:
        """Let an attempt go, as it was known until now."""
        if live.group.state is State.STOPPING:
            self.stopping.pop(live.attempt, None)
            return
        tenant, priority = live.job.tenant, live.job.spec.priority
        levels = self._levels[tenant]
        levels[priority] -= 1
        if not levels[priority]:
            del levels[priority]
            if not levels:
                del self._levels[tenant]
        if self._pools is not None:
            self._take(live, self._pools)

    def change(self, before: LiveAttempt, after: LiveAttempt) -> None:
        """Take over an attempt as it is now."""
        if _said(before) != _said(after):
            self.go(before)
            self.come(after)

    def _known(self) -> Mapping[PoolName, dict[Alike, list[Row]]]:
        if self._pools is None:
            self._pools = {}
            for live in self._live.values():
                if live.group.state is not State.STOPPING:
                    self._put(live, self._pools, sort=False)
            for rows in [rows for pool in self._pools.values() for rows in pool.values()]:
                rows.sort()
        return self._pools

    def _put(self, live: LiveAttempt, pools: dict[PoolName, dict[Alike, list[Row]]], *, sort: bool = True) -> None:
        nodes = dict.fromkeys(allocation.node for allocation in live.allocations)
        row = (-unsaved_since(live).timestamp(), live.attempt)
        alike = alike_of(live)
        names = tuple(dict.fromkeys(self._pools_of(nodes)))
        self._rows[live.attempt] = (alike, row, names, tuple(nodes))
        for pool in names:
            rows = pools.setdefault(pool, {}).setdefault(alike, [])
            if sort:
                insort(rows, row)
            else:
                rows.append(row)
        for node in nodes:
            self._nodes.setdefault(node, {})[live.attempt] = None

    def _take(self, live: LiveAttempt, pools: dict[PoolName, dict[Alike, list[Row]]]) -> None:
        alike, row, names, nodes = self._rows.pop(live.attempt)
        for pool in names:
            rows = pools[pool][alike]
            del rows[bisect_left(rows, row)]
            if not rows:
                del pools[pool][alike]
        for node in nodes:
            there = self._nodes[node]
            del there[live.attempt]
            if not there:
                del self._nodes[node]

    def _pools_of(self, nodes: Collection[NodeId]) -> Iterator[PoolName]:
        for kind in dict.fromkeys(map(self._ledger.kind_of, nodes)):
            yield from ((kind.cluster, chip) for chip in (None, *kind.group_of))


def unsaved_since(live: LiveAttempt) -> datetime:
    """Return since when an attempt has done what would be lost with it: its last checkpoint, or when it began."""
    return live.since if live.checkpoint is None else max(live.since, live.checkpoint.at)


def devices_of(live: LiveAttempt) -> int:
    """Return the devices that an attempt holds, shares rounded up; one for an attempt without any."""
    return max(1, -(-held_milli(live) // WHOLE_DEVICE_MILLI))


def held_milli(live: LiveAttempt) -> int:
    """Return the thousandths of devices that an attempt holds."""
    if len(live.allocations) == 1:  # as for most
        return live.allocations[0].devices_milli
    return sum(held.devices_milli for held in live.allocations)


def charged_milli(allocations: Iterable[Allocation]) -> Counter[ChipName]:
    """Return what counts for quotas of what some workers hold: thousandths of devices by chip type, and of COMPUTE."""
    amounts: Counter[ChipName] = Counter()
    for held in allocations:
        if held.chip is not None:
            amounts[held.chip] += held.devices_milli
        amounts[COMPUTE] += held.compute_milli
    return amounts


def _said(live: LiveAttempt) -> tuple[object, ...]:
    return live.group.state is State.STOPPING, live.job.spec.priority, unsaved_since(live), live.allocations


def alike_of(live: LiveAttempt) -> Alike:
    """Return among whom an attempt is."""
    return Alike(live.job.tenant, live.job.queue, live.job.spec.priority, devices_of(live))


def evicted_for(live: LiveAttempt, group: GroupId, job: Job, cause: EvictionCause, now: datetime) -> Evicted:
    """Return the decision that an attempt is stopped for a group of a job."""
    own_priority, unsaved = live.job.spec.priority, now - unsaved_since(live)
    figures = (own_priority, held_milli(live), max(0.0, unsaved.total_seconds()))
    eviction = Eviction(group, job.tenant, cause, job.spec.priority, *figures)
    return Evicted(live.group.id, live.group.version, live.attempt, eviction)
