"""What has to come before it is worth asking again for a gang that found no place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from scheduler.core.model.sharing.queue import QuotaCause
from scheduler.core.placement.room.offers import offers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.model.identifiers import ChipName, ClusterName, JobId, TenantName
    from scheduler.core.model.reason import QuotaExceeded
    from scheduler.core.model.sharing.queue import QueueName, ResourceName
    from scheduler.core.placement.request import GangRequest, OptionRequest, PartRequest

RoomFor = Callable[["LacksRoom", "GangRequest"], int]
"""How many workers fit of what a gang that asks something lacks."""
PoolName = tuple["ClusterName", "ChipName | None"]
"""The nodes of a cluster with a chip type; None: all of its nodes."""


@dataclass(frozen=True, slots=True)
class LacksRoom:
    """Room for so many workers of one demand in a pool, as far as a tenant may use its nodes."""

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


class Numbers:
    """Whether the numbers alone allow gangs a place; of each thing that is lacked they are read once."""

    def __init__(self, state: SchedulerState) -> None:
        self._state = state
        self._rooms: dict[LacksRoom, int] = {}
        self._clusters = state.ledger.clusters()

    def forget(self) -> None:
        """Read everything anew, for the ledger has changed."""
        self._rooms.clear()

    def allow(self, request: GangRequest, room_for: RoomFor | None = None) -> bool:
        """Say whether of some option each part has room enough somewhere, by itself, and the quota is enough.

        `room_for` says how much room there is, where it is not what is free now.
        """
        room_for = room_for or self.room
        for option in request.options:
            if self._over_quota(request, option):
                continue
            for cluster in self._clusters:
                if cluster in request.without:
                    continue
                if all(room_for(lack, request) >= workers for lack, workers in self._wants(cluster, request, option)):
                    return True
        return False

    def lacks(self, request: GangRequest) -> Iterator[tuple[Lack, int]]:
        """Yield what a gang without a place waits for, each with how many workers must fit; 0 where it is not counted.

        While none of it comes, the gang has no place: of every option of which one has to fit, at least
        one thing is named in every cluster.
        """
        if request.apart is not None:
            yield LacksDeparture(request.tenant), 0
        for option in request.least:
            if over := self._over_quota(request, option):
                yield from ((lack, 0) for lack in self._quota_lacked(request, over))
                continue
            for cluster in self._clusters:
                if cluster not in request.without and offers(self._state.ledger, cluster, option):
                    yield from self._in_cluster(cluster, request, option)

    def room(self, lack: LacksRoom, request: GangRequest) -> int:
        """Return how many workers fit now of what a gang that asks this lacks, wherever they stand."""
        room = self._rooms.get(lack)
        if room is None:
            view = self._state.placer.lookout(*lack.pool, lack.demand, request.tenant).widest()
            room = self._rooms[lack] = 0 if view is None else view.total
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

    def _in_cluster(
        self, cluster: ClusterName, request: GangRequest, option: OptionRequest
    ) -> Iterator[tuple[Lack, int]]:
        """Name the part that is shortest of room; where each part has enough of it, any change may help."""
        wants = self._wants(cluster, request, option)
        for lack, workers in wants:
            if self.room(lack, request) < workers:
                yield lack, workers
                return
        for lack, _ in wants:
            yield LacksAnything(lack.pool), 0

    def _wants(self, cluster: ClusterName, request: GangRequest, option: OptionRequest) -> list[tuple[LacksRoom, int]]:
        """Return the room that each part of an option needs in a cluster, with how many workers."""
        has_nodes = self._state.ledger.inventory.has_nodes_of
        return [
            (
                _room_of(cluster, part, request.tenant if has_nodes(cluster, part.part.chip, request.tenant) else None),
                part.part.workers,
            )
            for part in option.parts
        ]


@lru_cache(maxsize=65_536)
def _room_of(cluster: ClusterName, part: PartRequest, owner: TenantName | None) -> LacksRoom:
    return LacksRoom((cluster, part.part.chip), part.demand, owner)
