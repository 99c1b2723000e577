"""Change how many replicas of a server there are to be."""

from scheduler.core.model.identifiers import JobId, TenantName
from scheduler.ports.clock import Clock
from scheduler.ports.journal import Journal, Outcome, ScaleJob
from scheduler.services.submit_job import MOST_LIVE_JOBS


def scale_job(
    journal: Journal, clock: Clock, *, job: JobId, tenant: TenantName | None, by: str, replicas: int
) -> Outcome:
    """Write the wish for so many replicas; `tenant` is the one the job must belong to, None for any.

    New replicas wait for devices when this returns; those that are not wanted any more are stopping. A replica that had
    failed for good is tried again.
    """
    item = ScaleJob(job, tenant, replicas, MOST_LIVE_JOBS, by, clock.now())
    return journal.write([item])[0]
