"""Stop many jobs: all that are named, or all that meet a filter."""

from collections.abc import Sequence

from scheduler.core.model.identifiers import JobId, TenantName
from scheduler.ports.clock import Clock
from scheduler.ports.journal import Journal, Outcome, WishStop

CANCELS_PER_COMMIT = 100
"""So many in one transaction: whoever else writes waits no longer than that takes."""


def cancel_jobs(
    journal: Journal, clock: Clock, *, jobs: Sequence[JobId], tenant: TenantName | None, by: str
) -> list[Outcome]:
    """Write the wish to stop for each job; one outcome per job, in order. What was written stays if a later one fails.

    `tenant` is the one they must belong to, None for any. Raises StorageUnavailable; asking again does the rest.
    """
    outcomes: list[Outcome] = []
    for first in range(0, len(jobs), CANCELS_PER_COMMIT):
        some = jobs[first : first + CANCELS_PER_COMMIT]
        outcomes += journal.write([WishStop(job=job, tenant=tenant, by=by, at=clock.now()) for job in some])
    return outcomes
