"""What has to come before it is worth asking again for a gang that found no place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from scheduler.core.model.sharing.queue import QuotaCause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scheduler.core.deciding.parts.asked.requests import Wants
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.identifiers import ChipName, ClusterName, JobId, TenantName
    from scheduler.core.model.reason import QuotaExceeded
    from scheduler.core.model.sharing.queue import QueueName, ResourceName
    from scheduler.core.placement.request import GangRequest, OptionRequest

RoomFor = Callable[["LacksRoom", "GangRequest"], int]
"""How many workers fit of what a gang that asks something lacks."""
PoolName = tuple["ClusterName", "ChipName | None"]
"""The nodes of a cluster with a chip type; None: all of its nodes."""


@dataclass(frozen=True, slots=True, eq=False)
class LacksRoom:
    """Room for so many workers of one demand in a pool, as far as a tenant may use its nodes.

    There is one object for each, made by `room_of`.
    """

    pool: PoolName
    demand: Demand
    owner: TenantName | None
    """The tenant, where it has such nodes of its own."""


@dataclass(frozen=True, slots=True)
class LacksAnything:
    """Room in a pool: what is there would be enough, and lies wrong."""

    pool: PoolName


@dataclass(frozen=True, slots=True)
class LacksQuota:
    """Less use by a queue that its own is in, or a higher limit there."""

    queue: QueueName


@dataclass(frozen=True, slots=True)
class LacksKept:
    """More of a resource, of which others keep back what there is, or that they keep less of it."""

    resource: ResourceName


@dataclass(frozen=True, slots=True)
class LacksDeparture:
    """That something of its tenant ends, which may be what it keeps apart from."""

    tenant: TenantName


@dataclass(frozen=True, slots=True)
class LacksTurn:
    """That another job of its array holds nothing any more."""

    array: JobId


Lack = LacksRoom | LacksAnything | LacksQuota | LacksKept | LacksDeparture | LacksTurn


@lru_cache(maxsize=65_536)
def room_of(pool: PoolName, demand: Demand, owner: TenantName | None) -> LacksRoom:
    """Return the one object for such a lack."""
    return LacksRoom(pool, demand, owner)


def pools_of(entries: Iterable[NodeEntry]) -> dict[PoolName, None]:
    """Return the pools that nodes belong to, each once."""
    pools: dict[PoolName, None] = {}
    for kind in dict.fromkeys([entry.leftover.kind for entry in entries]):
        pools.update(kind.pool_names)
    return pools


class Numbers:
    """Whether the numbers alone allow gangs a place; of each thing that is lacked they are read once."""

    def __init__(self, state: SchedulerState) -> None:
        self._state = state
        self._rooms: dict[LacksRoom, int] = {}
        self._read: dict[PoolName, list[LacksRoom]] = {}
        """Those that were read, by pool."""

    def forget(self, pools: Iterable[PoolName] | None = None) -> None:
        """Read everything anew, for the ledger has changed: in these pools, or anywhere."""
        if pools is None:
            self._rooms.clear()
            self._read.clear()
            return
        for pool in pools:
            for lack in self._read.pop(pool, ()):
                del self._rooms[lack]

    def allow(self, request: GangRequest, room_for: RoomFor | None = None) -> bool:
        """Say whether of some option each part has room enough somewhere, by itself, and the quota is enough.

        `room_for` says how much room there is, where it is not what is free now.
        """
        room_for = room_for or self.room
        for option, clusters in self._state.requests.wants(request):
            for _, wants in clusters:
                for lack, workers in wants:
                    if room_for(lack, request) < workers:
                        break
                else:
                    if self._over_quota(request, option):
                        break
                    return True
        return False

    def leave_open(self, request: GangRequest) -> bool:
        """Say whether what was read so far leaves a gang some option: what was not read may be enough.

        To look for a place costs no more than to read what it lacks, and finds it.
        """
        known = self._rooms
        if not known:
            return True
        for _, clusters in self._state.requests.wants(request):
            for _, wants in clusters:
                if all(known.get(lack, workers) >= workers for lack, workers in wants):
                    return True
        return False

    def lacks(self, request: GangRequest) -> Iterator[tuple[Lack, int]]:
        """Yield what a gang without a place waits for, each with how many workers must fit; 0 where it is not counted.

        While none of it comes, the gang has no place: of every option of which one has to fit, at least
        one thing is named in every cluster.
        """
        if request.apart is not None:
            yield LacksDeparture(request.tenant), 0
        for option, clusters in self._state.requests.wants(request):
            if option not in request.least:
                continue
            if over := self._over_quota(request, option):
                yield from ((lack, 0) for lack in self._quota_lacked(request, over))
                continue
            for is_offered, wants in clusters:
                if is_offered:
                    yield from self._in_cluster(wants, request)

    def room(self, lack: LacksRoom, request: GangRequest) -> int:
        """Return how many workers fit now of what a gang that asks this lacks, wherever they stand."""
        room = self._rooms.get(lack)
        if room is None:
            view = self._state.placer.lookout(*lack.pool, lack.demand, request.tenant).widest()
            room = self._rooms[lack] = 0 if view is None else view.total
            self._read.setdefault(lack.pool, []).append(lack)
        return room

    def _over_quota(self, request: GangRequest, option: OptionRequest) -> tuple[QuotaExceeded, ...]:
        return self._state.sharing.over_quota(request.queue, option.charge_milli)

    def _quota_lacked(self, request: GangRequest, over: Iterable[QuotaExceeded]) -> Iterator[Lack]:
        """Yield what lets a queue have more: of what others keep back, also what it may call its own."""
        for exceeded in over:
            if exceeded.cause is QuotaCause.KEPT_BACK:
                yield LacksKept(exceeded.resource)
                yield from map(LacksQuota, self._state.sharing.book.path(request.queue))
            else:
                yield LacksQuota(exceeded.queue)

    def _in_cluster(self, wants: Wants, request: GangRequest) -> Iterator[tuple[Lack, int]]:
        """Name the part that is shortest of room; where each part has enough of it, any change may help."""
        for lack, workers in wants:
            if self.room(lack, request) < workers:
                yield lack, workers
                return
        for lack, _ in wants:
            yield LacksAnything(lack.pool), 0
