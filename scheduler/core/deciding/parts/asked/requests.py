"""What jobs ask of placement, and what of it can never be had: each worked out once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.core.deciding.lacks import room_of
from scheduler.core.model.job import AnyOf
from scheduler.core.placement.reasons.never import reasons_why_never
from scheduler.core.placement.request import request_key
from scheduler.core.placement.room.offers import offers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.core.deciding.lacks import LacksRoom
    from scheduler.core.deciding.parts.asked.speeds import Speeds
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.identifiers import ChipName, ClusterName, JobId
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

    def __init__(self, ledger: Ledger, speeds: Speeds) -> None:
        self._ledger = ledger
        self._speeds = speeds
        self._by_key: dict[RequestKey, GangRequest] = {}
        self._by_job: dict[JobId, tuple[int, GangRequest]] = {}
        """Of the jobs that wait, once it was worked out, with the version of what devices are worth."""
        self._never: dict[GangRequest, tuple[int, tuple[Reason, ...]]] = {}
        self._wants: dict[GangRequest, tuple[OptionWants, ...]] = {}
        """As of the latest change of nodes and clusters that was seen."""
        self._wants_at = -1
        self._narrowed: Mapping[JobId, ChipName] = {}
        self._on_chip: dict[tuple[GangRequest, ChipName], GangRequest] = {}
        """Of requests that take several chip types, what is asked where one of them alone will do."""

    def of(self, job: Job) -> GangRequest:
        """Return what a job asks; jobs that ask for the same have the same one."""
        asked, version = self._by_job.get(job.id), self._speeds.version
        if asked is not None and asked[0] == version:
            return asked[1]
        request = self._keyed(job)
        chip = self._narrowed.get(job.id)
        if chip is not None:
            request = self._on(job, request, chip)
        self._by_job[job.id] = version, request
        return request

    def narrow(self, chips: Mapping[JobId, ChipName]) -> set[JobId]:
        """Let some jobs ask for one chip type alone, and all others for what they do; return who asks otherwise."""
        before, self._narrowed = self._narrowed, chips
        changed = {job for job in (*before, *chips) if before.get(job) != chips.get(job)}
        for job in changed:
            self.forget(job)
        return changed

    def why_never_on(self, job: Job, chip: ChipName) -> tuple[Reason, ...]:
        """Return why a job would fit nowhere on one of its chip types, if nothing ran; none where it would."""
        return self.reasons_why_never(self._on(job, self._keyed(job), chip))

    def is_narrowed(self, job: JobId) -> bool:
        """Say whether a job asks for one chip type alone for now, whatever others it takes."""
        return job in self._narrowed

    def _keyed(self, job: Job) -> GangRequest:
        key = (*request_key(job), self._speeds.key_of(job))
        request = self._by_key.get(key)
        if request is None:
            if len(self._by_key) >= MOST_REQUESTS:
                self._by_key.clear()
            request = self._by_key[key] = self._speeds.asked_by(job)
        return request

    def _on(self, job: Job, wide: GangRequest, chip: ChipName) -> GangRequest:
        if wide.chips == {chip}:
            return wide
        found = self._on_chip.get((wide, chip))
        if found is None:
            if len(self._on_chip) >= MOST_REQUESTS:
                self._on_chip.clear()
            found = self._keyed(replace(job, spec=replace(job.spec, chips=AnyOf((chip,)))))
            self._on_chip[wide, chip] = found
        return found

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
