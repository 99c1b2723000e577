"""Stop a job because its user wants it."""

from scheduler.core.model.identifiers import JobId, TenantName
from scheduler.ports.clock import Clock
from scheduler.ports.journal import Journal, Outcome, WishStop


def cancel_job(journal: Journal, clock: Clock, *, job: JobId, tenant: TenantName | None, by: str) -> Outcome:
    """Write the wish to stop; `tenant` is the one the job must belong to, None for any.

    A queued job is cancelled when this returns; a running one is stopping, and cancelled once its workers are gone.
    """
    return journal.write([WishStop(job=job, tenant=tenant, by=by, at=clock.now())])[0]
