"""Jobs that are there: another priority, a copy, the end of many; and many new ones together."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.answers.jobs import job_answer
from api.answers.specs import spec_answer
from api.cloning import clone_of
from api.context import ApiContext
from api.job_reading import find_job, just_submitted, keeps_checkpoints, reasons_of
from api.metering import spend_for_jobs
from api.problems import Code, FieldError, refuse
from api.routes.jobs.jobs import KeyHeader, accept, filter_of
from api.schemas.editing.jobs import (
    CancelAnswer,
    CancelledJobAnswer,
    CancelRequest,
    CloneRequest,
    JobPatch,
    JobsRequest,
    SubmittedJobAnswer,
    SubmittedJobsAnswer,
)
from api.schemas.job import JobAnswer
from api.web.cursors import JOB_KEY, cut_page, decode_cursor
from api.web.dependencies import Caller, Context, JobPath
from api.web.etags import IfMatch, etag_of, guarded_by
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT, HAS_CHANGED
from api.web.outcomes import refuse_arrays, refuse_job_write, refuse_together
from scheduler.core.model.group import FINAL
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.tenant import Principal
from scheduler.ports.journal import ChangePriority, IdempotencyKey, Outcome, Rejected, Unchanged, WishWorkers
from scheduler.services.jobs.cancel_jobs import cancel_jobs as stop_jobs
from scheduler.services.jobs.submit_jobs import NotTogether, key_of_part
from scheduler.services.jobs.submit_jobs import submit_jobs as accept_jobs
from scheduler.services.submit_job import Submission

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=GuardedRoute)


@router.post("/bulk", operation_id="submit_jobs", status_code=201, responses=CONFLICT)
def submit_jobs(
    body: JobsRequest, context: Context, caller: Caller, request: Request, response: Response, *, key: KeyHeader = None
) -> SubmittedJobsAnswer:
    """Submit up to 500 jobs together: all of them are durable when the answer comes, or none is where one is refused.

    The same idempotency key with the same jobs names the same jobs. Costs one unit for every 20 jobs.
    """
    spend_for_jobs(request, context, caller, len(body.jobs))
    refuse_arrays(body.jobs)
    if caller.tenant is None:
        raise TypeError("a principal who may submit has a tenant")
    keys = _keys(body, key)
    submissions = [
        Submission(caller.tenant, caller.name, job.to_spec(), one) for job, one in zip(body.jobs, keys, strict=True)
    ]
    done = accept_jobs(context.journal, context.clock, context.identifiers, submissions, clusters=context.clusters)
    if isinstance(done, NotTogether):
        raise refuse_together(done.why, done.index, body.jobs[done.index], context.directory)
    if all(isinstance(outcome, Unchanged) for outcome in done.outcomes):
        response.headers["Idempotency-Replayed"] = "true"
    items = (
        SubmittedJobAnswer(id=outcome.job, name=job.name, state=outcome.state)
        for outcome, job in zip(done.outcomes, body.jobs, strict=True)
    )
    return SubmittedJobsAnswer(items=tuple(items))


def _keys(body: JobsRequest, key: str | None) -> list[IdempotencyKey | None]:
    if key is None:
        return [None] * len(body.jobs)
    whole = IdempotencyKey(key, body.body_sha256())
    return [key_of_part(whole, index) for index in range(len(body.jobs))]


@router.post("/cancel", operation_id="cancel_jobs")
def cancel_jobs(body: CancelRequest, context: Context, caller: Caller, request: Request) -> CancelAnswer:
    """Ask many jobs to stop, at most 1,000 by one request: those that are named, or those that meet a filter.

    With a filter the answer's `next` says where to go on; jobs that are submitted meanwhile are left alone. What an
    answer says is durable; a request that failed may be repeated. Costs one unit for every 20 jobs.
    """
    jobs, following = _to_cancel(body, context, caller)
    spend_for_jobs(request, context, caller, len(jobs))
    outcomes = stop_jobs(context.journal, context.clock, jobs=jobs, tenant=caller.tenant, by=caller.name)
    items = tuple(_cancelled(job, outcome) for job, outcome in zip(jobs, outcomes, strict=True))
    return CancelAnswer(items=items, next=following)


def _to_cancel(body: CancelRequest, context: ApiContext, caller: Principal) -> tuple[Sequence[JobId], str | None]:
    if body.filter is None:
        return list(dict.fromkeys(body.jobs or ())), None
    before = decode_cursor(body.cursor, JOB_KEY)
    where = filter_of(body.filter, caller)
    if where.tenant is None:
        error = FieldError("/filter/tenant", "is needed: your role sees every tenant's jobs")
        raise refuse(Code.INVALID_REQUEST, "Whose jobs?", "name the tenant, or the jobs", error)
    if body.filter.tenant is not None and not caller.may_see(body.filter.tenant):
        return [], None
    found = context.views.live_jobs(where, before=before, limit=body.limit + 1)
    return cut_page(found, body.limit, lambda job: job)


def _cancelled(job: JobId, outcome: Outcome) -> CancelledJobAnswer:
    if isinstance(outcome, Rejected):
        return CancelledJobAnswer(id=job, outcome="not-found")
    if isinstance(outcome, Unchanged):
        return CancelledJobAnswer(id=job, outcome="unchanged")
    return CancelledJobAnswer(id=job, outcome="cancelled" if outcome.state in FINAL else "stopping")


@router.patch("/{job}", operation_id="change_job", responses={**CONFLICT, **HAS_CHANGED})
def change_job(
    job: JobPath, body: JobPatch, context: Context, caller: Caller, response: Response, *, if_match: IfMatch = None
) -> JobAnswer:
    """Give a job that is not over another priority, or an elastic one more or fewer workers.

    Waiting jobs are decided on in the new order at once. A gang that runs is given its new size by the next decision
    that finds room; with fewer workers, the rest leaves after a checkpoint.
    """
    now = context.clock.now()
    if body.workers is not None:
        outcome = context.journal.change(
            WishWorkers(job, caller.tenant, body.workers, caller.name, now), guarded_by(if_match)
        )
    else:
        item = ChangePriority(job, caller.tenant, body.priority or 0, caller.name, now)
        outcome = context.journal.change(item, guarded_by(if_match))
    if isinstance(outcome, Rejected):
        raise refuse_job_write(outcome)
    view = find_job(context, caller, job)
    response.headers["ETag"] = etag_of(view.job.edited)
    keeps = keeps_checkpoints(context, view)
    return job_answer(view, reasons_of(context, view), caller.tenant, keeps_checkpoints=keeps)


@router.post("/{job}/clone", operation_id="clone_job", status_code=201, responses=CONFLICT)
def clone_job(
    job: JobPath,
    body: CloneRequest,
    context: Context,
    caller: Caller,
    *,
    request: Request,
    response: Response,
    key: KeyHeader = None,
) -> JobAnswer:
    """Submit a job again as it was submitted, with some fields otherwise. It is a new job; nothing ties the two."""
    view = find_job(context, caller, job)
    cloned = clone_of(spec_answer(view.job.spec).model_dump(mode="json"), body.overrides)
    spend_for_jobs(request, context, caller, cloned.jobs)
    accepted = accept(context, caller, cloned, key)
    made = accepted.outcome.job
    response.headers["Location"] = f"/v1/jobs/{made}"
    if isinstance(accepted.outcome, Unchanged):
        response.headers["Idempotency-Replayed"] = "true"
        shown = find_job(context, caller, made)
    else:
        shown = just_submitted(accepted.job)
    keeps = keeps_checkpoints(context, shown)
    return job_answer(shown, reasons_of(context, shown), caller.tenant, keeps_checkpoints=keeps)
