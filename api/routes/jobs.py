"""Jobs: submit, list, show, cancel, explain."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers.explanations import settled_answer, waiting_answer
from api.answers.jobs import job_answer
from api.context import ApiContext
from api.job_reading import MOST_EXPLAINED, find_job, reasons_of, refusal_of
from api.schemas.job import JobAnswer, JobPage
from api.schemas.job_request import JobRequest
from api.schemas.reason import WhyAnswer
from api.schemas.text import Name, PersonName
from api.streaming.waiting import LONGEST_WAIT_S, wait_until
from api.web.cursors import JOB_KEY, cut_page, decode_cursor
from api.web.dependencies import DEFAULT_LIMIT, Caller, Context, CursorQuery, JobPath, LimitQuery
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT
from api.web.outcomes import refuse_job_write, refuse_submission
from scheduler.core.model.group import State
from scheduler.core.model.tenant import Principal
from scheduler.ports.journal import IdempotencyKey, Outcome, Rejected, Unchanged
from scheduler.ports.views import JobFilter, JobView
from scheduler.services.cancel_job import cancel_job as stop_job
from scheduler.services.explain_job import explain_job as explain
from scheduler.services.submit_job import Submission
from scheduler.services.submit_job import submit_job as accept_job

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=GuardedRoute)

LABEL_PATTERN = r"^[A-Za-z0-9._/-]{1,63}:[A-Za-z0-9._/-]{1,63}$"
KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]([ -~]{0,198}[!-~])?$",
        max_length=200,
        description="Your own name for this submission: sent again with the same body, it names the same job.",
    ),
]
WaitQuery = Annotated[
    Literal["placed"] | None,
    Query(description="Hold the answer until the job is decided on, at most `wait_s` seconds."),
]
WaitSecondsQuery = Annotated[float, Query(ge=0, le=LONGEST_WAIT_S, allow_inf_nan=False)]


@router.post("", operation_id="submit_job", status_code=201, responses=CONFLICT)
async def submit_job(
    request: JobRequest,
    context: Context,
    caller: Caller,
    response: Response,
    *,
    key: KeyHeader = None,
    wait: WaitQuery = None,
    wait_s: WaitSecondsQuery = 10.0,
) -> JobAnswer:
    """Submit a job. It is durable when the answer comes."""
    outcome = await run_in_threadpool(_accept, context, caller, request, key)
    if isinstance(outcome, Rejected):
        raise await run_in_threadpool(refuse_submission, outcome, request, context.directory)
    context.wake_up.notify()
    response.headers["Location"] = f"/v1/jobs/{outcome.job}"
    if isinstance(outcome, Unchanged):
        response.headers["Idempotency-Replayed"] = "true"
    look = partial(find_job, context, caller, outcome.job)
    if wait is None:
        return job_answer(await run_in_threadpool(look), (), caller.tenant)
    view = await wait_until(look, _is_decided, context.wake_up, wait_s=wait_s)
    reasons = await run_in_threadpool(reasons_of, context, view)
    return job_answer(view, reasons, caller.tenant)


def _accept(context: ApiContext, caller: Principal, request: JobRequest, key: str | None) -> Outcome:
    if caller.tenant is None:
        raise TypeError("a principal who may submit has a tenant")
    idempotency_key = None if key is None else IdempotencyKey(key, request.body_sha256())
    submission = Submission(caller.tenant, caller.name, request.to_spec(), idempotency_key)
    return accept_job(context.journal, context.clock, context.identifiers, submission)


def _is_decided(view: JobView) -> bool:
    return view.state is not State.QUEUED


@router.get("", operation_id="list_jobs")
def list_jobs(
    context: Context,
    caller: Caller,
    *,
    state: Annotated[list[State] | None, Query(max_length=len(State))] = None,
    name: Annotated[Name | None, Query()] = None,
    chip: Annotated[Name | None, Query(description="Jobs that accept this chip type.")] = None,
    submitted_by: Annotated[PersonName | None, Query()] = None,
    label: Annotated[str | None, Query(pattern=LABEL_PATTERN, examples=["team:vision"])] = None,
    tenant: Annotated[Name | None, Query(description="For roles that see more than one.")] = None,
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> JobPage:
    """List jobs, newest first."""
    before = decode_cursor(cursor, JOB_KEY)
    if tenant is not None and not caller.may_see(tenant):
        return JobPage(items=(), next=None)
    where = JobFilter(
        tenant=caller.tenant or tenant,
        states=None if state is None else frozenset(state),
        name=name,
        chip=chip,
        submitted_by=submitted_by,
        label=_label(label),
    )
    found = context.views.jobs(where, before=before, limit=limit + 1)
    page, following = cut_page(found, limit, lambda view: view.job.id)
    unexplained = {view.job.id for view in [view for view in page if view.state is State.QUEUED][MOST_EXPLAINED:]}
    items = (
        job_answer(view, () if view.job.id in unexplained else reasons_of(context, view), caller.tenant)
        for view in page
    )
    return JobPage(items=tuple(items), next=following)


def _label(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    key, _, value = text.partition(":")
    return key, value


@router.get("/{job}", operation_id="show_job")
def show_job(job: JobPath, context: Context, caller: Caller) -> JobAnswer:
    """Show a job with all its attempts."""
    view = find_job(context, caller, job)
    return job_answer(view, reasons_of(context, view), caller.tenant)


@router.post("/{job}/cancel", operation_id="cancel_job")
def cancel_job(job: JobPath, context: Context, caller: Caller) -> JobAnswer:
    """Ask a job to stop. A waiting one is cancelled at once, a running one when its workers are gone."""
    outcome = stop_job(context.journal, context.clock, job=job, tenant=caller.tenant, by=caller.name)
    if isinstance(outcome, Rejected):
        raise refuse_job_write(outcome)
    context.wake_up.notify()
    return job_answer(find_job(context, caller, job), (), caller.tenant)


@router.get("/{job}/why", operation_id="explain_job")
def explain_job(job: JobPath, context: Context, caller: Caller) -> WhyAnswer:
    """Say why a job is where it is: what it waits for, with numbers, and what would help."""
    explained = explain(context.followed, context.clock, job)
    view = find_job(context, caller, job)
    if view.state is State.QUEUED and explained.explanations:
        return waiting_answer(view, explained, caller.tenant)
    return settled_answer(view, refusal_of(context, view), explained, caller.tenant)
