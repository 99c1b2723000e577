"""What jobs ask of placement, and what of it can never be had: each worked out once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.placement.reasons.never import reasons_why_never
from scheduler.core.placement.request import request_key

if TYPE_CHECKING:
    from scheduler.core.deciding.parts.asked.speeds import Speeds
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.identifiers import JobId
    from scheduler.core.model.job import Job
    from scheduler.core.model.reason import Reason
    from scheduler.core.placement.request import GangRequest, RequestKey

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

    def of(self, job: Job) -> GangRequest:
        """Return what a job asks; jobs that ask for the same have the same one."""
        asked, speeds = self._by_job.get(job.id), self._speeds
        if asked is not None and asked[0] == speeds.version:
            return asked[1]
        key = (*request_key(job), speeds.key_of(job))
        request = self._by_key.get(key)
        if request is None:
            if len(self._by_key) >= MOST_REQUESTS:
                self._by_key.clear()
            request = self._by_key[key] = speeds.asked_by(job)
        self._by_job[job.id] = speeds.version, request
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
