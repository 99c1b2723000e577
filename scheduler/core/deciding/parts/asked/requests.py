"""What jobs ask of placement, and what of it can never be had: each worked out once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.core.model.job import AnyOf
from scheduler.core.placement.reasons.never import reasons_why_never
from scheduler.core.placement.request import request_key, request_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.identifiers import ChipName, JobId
    from scheduler.core.model.job import Job
    from scheduler.core.model.reason import Reason
    from scheduler.core.placement.request import GangRequest, RequestKey

MOST_REQUESTS = 65_536


class Requests:
    """The requests of jobs, as many as are remembered; a forgotten one is worked out again."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._by_key: dict[RequestKey, GangRequest] = {}
        self._by_job: dict[JobId, GangRequest] = {}
        """Of the jobs that wait, once it was worked out."""
        self._never: dict[GangRequest, tuple[int, tuple[Reason, ...]]] = {}
        self._narrowed: Mapping[JobId, ChipName] = {}
        self._on_chip: dict[tuple[GangRequest, ChipName], GangRequest] = {}
        """Of requests that take several chip types, what is asked where one of them alone will do."""

    def of(self, job: Job) -> GangRequest:
        """Return what a job asks; jobs that ask for the same have the same one."""
        asked = self._by_job.get(job.id)
        if asked is not None:
            return asked
        request = self._keyed(job)
        chip = self._narrowed.get(job.id)
        if chip is not None:
            request = self._on(job, request, chip)
        self._by_job[job.id] = request
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
        key = request_key(job)
        request = self._by_key.get(key)
        if request is None:
            if len(self._by_key) >= MOST_REQUESTS:
                self._by_key.clear()
            request = self._by_key[key] = request_of(job)
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
