"""Change how many replicas of a server there are to be."""

from scheduler.core.model.identifiers import JobId, TenantName
from scheduler.ports.clock import Clock
from scheduler.ports.journal import Guard, Journal, Outcome, ScaleJob, unguarded
from scheduler.services.submit_job import MOST_LIVE_JOBS


def scale_job(
    journal: Journal,
    clock: Clock,
    *,
    job: JobId,
    tenant: TenantName | None,
    by: str,
    replicas: int,
    guard: Guard = unguarded,
) -> Outcome:
    """Write the wish for so many replicas, unless the guard stops it; `tenant` must be the job's, None is any.

    New replicas wait for devices when this returns; those that are not wanted any more are stopping. A replica that had
    failed for good is tried again.
    """
    item = ScaleJob(job, tenant, replicas, MOST_LIVE_JOBS, by, clock.now())
    return journal.change(item, guard)
