"""Reading jobs for an answer: within what the caller may see, and with why they wait."""

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
from scheduler.services.explain_job import explain_job

MOST_EXPLAINED = 20
"""How many waiting jobs of one page are explained: each costs a look at the whole queue."""
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


def reasons_of(context: ApiContext, view: JobView) -> tuple[Reason, ...]:
    """Return why a job waits or was refused; nothing for any other."""
    if view.state is not State.QUEUED:
        return refusal_of(context, view)
    explained = explain_job(context.followed, context.clock, view.job.id)
    return tuple(dict.fromkeys(reason for one in explained.explanations for reason in one.reasons))


def refusal_of(context: ApiContext, view: JobView) -> tuple[Reason, ...]:
    """Return why a job was refused; nothing where it was not."""
    if view.state is not State.FAILED or view.attempts:
        return ()
    changes = context.views.changes_after(0, limit=CHANGES_OF_A_REFUSAL, job=view.job.id)
    found = (reason for change in changes if isinstance(change.body, GroupMoved) for reason in change.body.reasons)
    return tuple(dict.fromkeys(found))
