"""What a forecast has to know of a state: read at once and cheaply, so that the state is held for milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.beside import Beside
from scheduler.core.deciding.parts.tally import asked_devices_milli
from scheduler.core.forecasting.run_lengths import run_length
from scheduler.core.model.job import Wish
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.queueing.quota import used_milli

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from scheduler.core.deciding.backfilling.reservations import Reservation
    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.forecasting.run_lengths import RunLength
    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.group import Group
    from scheduler.core.model.identifiers import AttemptId, ClusterName, JobId, NodeId, TenantName
    from scheduler.core.model.job import Job
    from scheduler.core.model.sharing.queue import QueueCaps, QueueName
    from scheduler.core.placement.request import GangRequest, OptionRequest
    from scheduler.core.queueing.arrays import ArraysLeft
    from scheduler.core.queueing.classes import Place
    from scheduler.core.queueing.quota import QuotaBook
    from scheduler.core.queueing.run_times import RunTimes

MOST_DEMANDS = 4_096
"""Of so many different demands it is read how many workers fit now; the others are taken to find no gaps."""
_turn_and_place = itemgetter(0, 1)
Room = tuple["PoolName", "Demand"]
Take = tuple["PoolName", int, int]
"""How many thousandths of devices of a pool, and how many of those that are free now are of no use."""
Owned = tuple[int, int]
"""How many thousandths of devices there are, and how many of them are free."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """One gang that waits."""

    group: Group
    job: Job
    request: GangRequest


@dataclass(frozen=True, slots=True)
class KeptRoom:
    """A promise by counts: in thousandths of devices by pool."""

    kept: Reservation
    now: Mapping[PoolName, int]
    """What it keeps now."""
    needs: Mapping[PoolName, int]
    awaited: Mapping[AttemptId, Mapping[PoolName, int]]


@dataclass(slots=True)
class Scene:
    """A state at one moment: what is large of it is told by `line_up` and `look_for_rooms`."""

    now: datetime
    live: tuple[LiveAttempt, ...]
    free: dict[PoolName, int]
    """Thousandths of devices that nobody holds on nodes that take work; what is kept for somebody is among them."""
    kept: tuple[KeptRoom, ...]
    places: tuple[tuple[float, int, tuple[Place, ...]], ...]
    """Of each queue what share it has, its weight, and who waits in it; of one queue alone in its order."""
    capacity_milli: int
    """Of all chip types, in thousandths of devices."""
    book: QuotaBook
    used: Mapping[tuple[str, str], int]
    """What queues hold of each resource on which they have a quota, in thousandths."""
    arrays: ArraysLeft
    holding: Mapping[JobId, int]
    """How many jobs hold something, of arrays that limit it."""
    run_times: RunTimes
    caps: Mapping[QueueName, QueueCaps] = field(default_factory=dict)
    """Of the queues that let only so many jobs run at a time, or so many of each user."""
    owned: Mapping[PoolName, Mapping[TenantName, Owned]] = field(default_factory=dict)
    """What stands on nodes that take work, but of one tenant alone."""
    closed: frozenset[NodeId] = frozenset()
    """Nodes that take no work: what comes back there is for nobody."""
    waiters: tuple[Waiter, ...] = ()
    """In the order in which they are expected to be asked."""
    rooms: dict[Room, int] = field(default_factory=dict)
    """How many workers of a demand fit into a pool now."""
    _lengths: dict[object, RunLength] = field(default_factory=dict)
    _live_lengths: dict[tuple[AttemptId, JobId], RunLength] = field(default_factory=dict)
    _takes: dict[GangRequest, list[tuple[OptionRequest, list[Take]]]] = field(default_factory=dict)

    @property
    def clusters(self) -> list[ClusterName]:
        """Those with devices, by name."""
        return sorted({cluster for cluster, _ in self.free})

    def length(self, job: Job) -> RunLength:
        """Return how long a job that waits will run."""
        spec = job.spec
        key = (job.tenant, job.submitted_by, spec.name, spec.time_limit_s, spec.workers, spec.shape)
        found = self._lengths.get(key)
        if found is None:
            found = self._lengths[key] = run_length(job, self.run_times)
        return found

    def length_of(self, live: LiveAttempt, ran_s: float) -> RunLength:
        """Return how long an attempt runs in all that has run for so long at the scene's moment."""
        key = (live.attempt, live.job.id)
        found = self._live_lengths.get(key)
        if found is None:
            found = self._live_lengths[key] = run_length(live.job, self.run_times, ran_s=ran_s)
        return found

    def beyond(self, pool: PoolName, tenant: TenantName) -> Owned:
        """Return what a tenant cannot have of a pool, for its nodes are others' alone."""
        owned_by = self.owned.get(pool)
        if owned_by is None:
            return 0, 0
        others = [owned for owner, owned in owned_by.items() if owner != tenant]
        return sum(devices for devices, _ in others), sum(free for _, free in others)

    def share_lengths(self, other: Scene) -> None:
        """Take over what another scene of the same moment works out of how long jobs run, and the other way round."""
        self._lengths, self._live_lengths = other._lengths, other._live_lengths

    def takes(self, request: GangRequest) -> list[tuple[OptionRequest, list[Take]]]:
        """Return what a gang takes of the pools of one cluster, once for each option and cluster that has them all.

        An option without devices is not among them: nothing is counted of what else workers need.
        """
        found = self._takes.get(request)
        if found is None:
            clusters = [cluster for cluster in self.clusters if cluster not in request.without]
            every = ((option, self._take(cluster, option)) for option in request.options for cluster in clusters)
            found = self._takes[request] = [(option, takes) for option, takes in every if takes]
        return found

    def _take(self, cluster: ClusterName, option: OptionRequest) -> list[Take]:
        if any((cluster, chip) not in self.free for chip, _ in option.devices_milli):
            return []
        scattered: dict[PoolName, int] = {}
        for part in option.parts:
            pool: PoolName = (cluster, part.part.chip)
            if (room := self.rooms.get((pool, part.demand))) is not None:
                useful = room * part.part.shape.devices_milli
                scattered[pool] = max(scattered.get(pool, 0), self.free[pool] - useful, 0)
        return [((cluster, chip), milli, scattered.get((cluster, chip), 0)) for chip, milli in option.devices_milli]


def take_scene(state: SchedulerState, now: datetime) -> Scene:
    """Read what may change of a state: some tens of nanoseconds for each gang that waits or runs.

    The state is left as it was.
    """
    held = pool_milli(((cluster, chip), milli) for cluster, chip, _, milli in state.ledger.all_held())
    counts = sorted(state.tally.capacity(), key=lambda count: (count.cluster, count.chip))
    usable = pool_milli(((count.cluster, count.chip), count.usable * WHOLE_DEVICE_MILLI) for count in counts)
    return Scene(
        now=now,
        live=tuple(state.live.values()),
        free={pool: max(0, milli - held.get(pool, 0)) for pool, milli in usable.items()},
        kept=_kept(state, now),
        places=_places(state, now),
        capacity_milli=max(sum(usable.values()), WHOLE_DEVICE_MILLI),
        book=state.sharing.book,
        used={
            (queue, resource): used_milli(state.ledger.uses, queue, state.sharing.book.weights(resource))
            for queue, resource in state.sharing.quotas
        },
        arrays=state.dependents.arrays,
        holding=state.members_holding.counts(),
        run_times=state.run_times,
        caps=state.sharing.caps_on_running(),
        owned=_owned(state),
        closed=_closed(state) if any(count.unusable for count in counts) else frozenset(),
    )


def line_up(scene: Scene, state: SchedulerState) -> None:
    """Say who waits, in the order in which they are expected to be asked: queues take turns by what they have.

    The state may have gone on meanwhile, and go on: who is not there any more is left out.
    """
    rows = [row for queue in scene.places for row in _rows(scene, state, *queue)]
    if len(scene.places) > 1:
        rows.sort(key=_turn_and_place)
    scene.waiters = tuple(waiter for _, _, waiter in rows)


def line_up_first(scene: Scene, state: SchedulerState, most: int) -> None:
    """Say the same of so many alone who are the first; the others are not looked at."""
    rows = merge(*(_rows(scene, state, *queue) for queue in scene.places), key=_turn_and_place)
    scene.waiters = tuple(waiter for _, _, waiter in islice(rows, most))


def demands_of(scene: Scene) -> Iterable[tuple[Room, TenantName]]:
    """Return what those who wait ask of each pool, each once with one who does, at most MOST_DEMANDS."""
    found: dict[Room, TenantName] = {}
    seen: set[GangRequest] = set()
    clusters = scene.clusters
    for waiter in scene.waiters:
        if waiter.request in seen or len(found) >= MOST_DEMANDS:
            continue
        seen.add(waiter.request)
        for option in waiter.request.options:
            for part in option.parts:
                if part.part.chip is not None:
                    for cluster in clusters:
                        found.setdefault(((cluster, part.part.chip), part.demand), waiter.job.tenant)
    return found.items()


def look_for_rooms(scene: Scene, state: SchedulerState, demands: Iterable[tuple[Room, TenantName]]) -> None:
    """Read how many workers of some demands fit into their pools now."""
    for (pool, demand), tenant in demands:
        if pool in scene.free:
            view = state.placer.lookout(*pool, demand, tenant).widest()
            scene.rooms[pool, demand] = 0 if view is None else view.total


def _places(state: SchedulerState, now: datetime) -> tuple[tuple[float, int, tuple[Place, ...]], ...]:
    queues = state.waiters.queued.queues
    if not state.order.ordering.has_shares:
        merged = sorted(place for queue in queues.values() for place in queue.places)
        return ((0.0, 1, tuple(merged)),)
    turns, tree = state.order.turns(state.waiters, now), state.order.shares.queues
    return tuple((turns.share(name), tree.weight(name), tuple(queues[name].places)) for name in sorted(queues))


def _rows(
    scene: Scene, state: SchedulerState, share: float, weight: int, places: Iterable[Place]
) -> Iterator[tuple[float, Place, Waiter]]:
    """Yield those who wait in one queue, first in it first, with the share that it has by then."""
    turn = share / weight
    for place in places:
        group = state.waiting.get(place[1])
        found = state.waiters.classes.of(place[1])
        job = None if group is None else state.jobs.get(group.job_id)
        if group is not None and found is not None and job is not None and job.wish is Wish.RUN:
            yield turn, place, Waiter(group, job, found.asked.request)
            if weight > 0 and len(scene.places) > 1:
                turn += asked_devices_milli(job.spec) / scene.capacity_milli / weight


def _closed(state: SchedulerState) -> frozenset[NodeId]:
    entries = state.ledger.inventory.entries.values()
    return frozenset(entry.id for entry in entries if not entry.leftover.kind.takes_work)


def _owned(state: SchedulerState) -> dict[PoolName, dict[TenantName, Owned]]:
    found: dict[PoolName, dict[TenantName, Owned]] = {}
    for (cluster, chip), tiers in state.ledger.inventory.pools.items():
        for (tenant, _), pool in tiers.items():
            if chip is not None and tenant is not None and pool.kinds:
                there = found.setdefault((cluster, chip), {})
                devices, free = there.get(tenant, (0, 0))
                more, more_free = pool.devices(chip), pool.devices_free(chip, takes_work=True)
                there[tenant] = (devices + more * WHOLE_DEVICE_MILLI, free + more_free * WHOLE_DEVICE_MILLI)
    return found


def _kept(state: SchedulerState, now: datetime) -> tuple[KeptRoom, ...]:
    return tuple(
        KeptRoom(
            kept,
            pool_milli(
                ((entry.leftover.kind.cluster, amounts.chip), amounts.devices_milli)
                for entry, amounts in aside.amounts
                if amounts.chip is not None
            ),
            pool_milli(row for entry, sums in kept.needs.items() for row in _devices(entry, sums)),
            {
                name: pool_milli(
                    row for entry, gives in kept.awaited.items() for row in _devices(entry, gives.get(name, {}))
                )
                for name in kept.expected
            },
        )
        for kept, aside in Beside(state, now).set_aside()
    )


def _devices(entry: NodeEntry, sums: Mapping[str, int]) -> Iterator[tuple[PoolName, int]]:
    kind = entry.leftover.kind
    for chip in kind.group_of:
        if devices := sums.get(chip, 0):
            yield (kind.cluster, chip), devices * WHOLE_DEVICE_MILLI


def pool_milli(sums: Iterable[tuple[PoolName, int]]) -> dict[PoolName, int]:
    """Return sums by pool, of thousandths of devices."""
    found: dict[PoolName, int] = {}
    for pool, milli in sums:
        found[pool] = found.get(pool, 0) + milli
    return found
