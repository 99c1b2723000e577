"""What jobs ask of placement, and what of it can never be had: each worked out once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.deciding.lacks import room_of
from scheduler.core.placement.reasons.never import reasons_why_never
from scheduler.core.placement.request import request_key, request_of
from scheduler.core.placement.room.offers import offers

if TYPE_CHECKING:
    from scheduler.core.deciding.lacks import LacksRoom
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.identifiers import ClusterName, JobId
    from scheduler.core.model.job import Job
    from scheduler.core.model.reason import Reason
    from scheduler.core.placement.request import GangRequest, OptionRequest, RequestKey

    Wants = tuple[tuple[LacksRoom, int], ...]
    """The room that each part of an option needs in a cluster, with how many workers."""
    OptionWants = tuple[OptionRequest, tuple[tuple[bool, Wants], ...]]
    """What an option needs in each cluster that may be used, and whether that offers such devices at all."""

MOST_REQUESTS = 65_536


class Requests:
    """The requests of jobs, as many as are remembered; a forgotten one is worked out again."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._by_key: dict[RequestKey, GangRequest] = {}
        self._by_job: dict[JobId, GangRequest] = {}
        """Of the jobs that wait, once it was worked out."""
        self._never: dict[GangRequest, tuple[int, tuple[Reason, ...]]] = {}
        self._wants: dict[GangRequest, tuple[OptionWants, ...]] = {}
        """As of the latest change of nodes and clusters that was seen."""
        self._wants_at = -1

    def of(self, job: Job) -> GangRequest:
        """Return what a job asks; jobs that ask for the same have the same one."""
        asked = self._by_job.get(job.id)
        if asked is not None:
            return asked
        key = request_key(job)
        request = self._by_key.get(key)
        if request is None:
            if len(self._by_key) >= MOST_REQUESTS:
                self._by_key.clear()
            request = self._by_key[key] = request_of(job)
        self._by_job[job.id] = request
        return request

    def forget(self, job: JobId) -> None:
        """Forget a job that waits no longer."""
        self._by_job.pop(job, None)

    def reasons_why_never(self, request: GangRequest) -> tuple[Reason, ...]:
        """Return why no option would fit anywhere, if nothing ran and no node refused work; none where one would."""
        changes = self._ledger.inventory.changes
        known = self._never.get(request)
        if known is None or known[0] != changes:
            if len(self._never) >= MOST_REQUESTS:
                self._never.clear()
            known = self._never[request] = (changes, reasons_why_never(self._ledger, request))
        return known[1]

    def wants(self, request: GangRequest) -> tuple[OptionWants, ...]:
        """Return the room that each option needs, cluster by cluster."""
        changes = self._ledger.inventory.changes
        if self._wants_at != changes or len(self._wants) >= MOST_REQUESTS:
            self._wants.clear()
            self._wants_at = changes
        known = self._wants.get(request)
        if known is None:
            known = self._wants[request] = tuple(self._wants_of(request, option) for option in request.options)
        return known

    def _wants_of(self, request: GangRequest, option: OptionRequest) -> OptionWants:
        clusters = [name for name in self._ledger.clusters() if name not in request.without]
        return option, tuple((offers(self._ledger, name, option), self._in(name, request, option)) for name in clusters)

    def _in(self, cluster: ClusterName, request: GangRequest, option: OptionRequest) -> Wants:
        has_nodes, wants = self._ledger.inventory.has_nodes_of, []
        for one in option.parts:
            owner = request.tenant if has_nodes(cluster, one.part.chip, request.tenant) else None
            wants.append((room_of((cluster, one.part.chip), one.demand, owner), one.part.workers))
        return tuple(wants)
