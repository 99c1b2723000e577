"""Reading jobs for an answer: within what the caller may see, and with why they wait."""

from collections.abc import Sequence

from api.context import ApiContext
from api.problems import Refusal
from api.web.failures import not_found
from scheduler.core.model.change import GroupMoved
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.job import Job
from scheduler.core.model.reason import Reason
from scheduler.core.model.tenant import Principal
from scheduler.ports.views import JobView
from scheduler.services.explain_job import explain_jobs

CHANGES_OF_A_REFUSAL = 20
"""A refused job was submitted and refused; more of its feed need not be read."""


def find_job(context: ApiContext, caller: Principal, job: JobId) -> JobView:
    """Return a job that the caller may see. Raises Refusal, the same whether it is another tenant's or nobody's."""
    view = context.views.job(job, tenant=caller.tenant)
    if view is None:
        raise Refusal(not_found("job"))
    return view


def just_submitted(job: Job) -> JobView:
    """Return a new job as it is at the moment its submission became durable, without reading it back."""
    return JobView(job=job, state=State.QUEUED, groups=(), attempts=(), progress=None, finished_at=None, refusal=None)


def keeps_checkpoints(context: ApiContext, view: JobView) -> bool | None:
    """Say whether the cluster of a job's latest attempt has a place for its checkpoints, or any that would run it.

    None where this server drives no such cluster.
    """
    spec = view.job.spec
    clusters = [cluster for cluster in context.clusters if cluster.name not in spec.objecting_clusters]
    if view.attempts and view.attempts[-1].allocations:
        node = view.attempts[-1].allocations[0].node
        clusters = [cluster for cluster in clusters if node.startswith(f"{cluster.name}/")]
    known = [answer for cluster in clusters if (answer := cluster.keeps_checkpoints(view.job)) is not None]
    return any(known) if known else None


def reasons_of(context: ApiContext, view: JobView) -> tuple[Reason, ...]:
    """Return why a job waits or was refused; nothing for any other."""
    return reasons_of_all(context, [view])[view.job.id]


def reasons_of_all(context: ApiContext, views: Sequence[JobView]) -> dict[JobId, tuple[Reason, ...]]:
    """Return why each job waits or was refused; nothing for any other. Those that wait are explained in one look."""
    waiting = {view.job.id for view in views if view.state is State.QUEUED}
    explained = explain_jobs(context.followed, context.clock, waiting) if waiting else {}
    reasons = {view.job.id: refusal_of(context, view) for view in views}
    for job, explanations in explained.items():
        reasons[job] = tuple(dict.fromkeys(reason for one in explanations for reason in one.reasons))
    return reasons


def refusal_of(context: ApiContext, view: JobView) -> tuple[Reason, ...]:
    """Return why a job was refused; nothing where it was not."""
    if view.state is not State.FAILED or view.attempts:
        return ()
    changes = context.views.changes_after(0, limit=CHANGES_OF_A_REFUSAL, job=view.job.id)
    found = (reason for change in changes if isinstance(change.body, GroupMoved) for reason in change.body.reasons)
    return tuple(dict.fromkeys(found))
