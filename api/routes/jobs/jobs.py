"""Jobs: submit, list, show, cancel, explain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.answers.explanations import prospect_answer, settled_answer, waiting_answer
from api.answers.jobs import job_answer, job_row_answer
from api.answers.sparse import sparse, wants
from api.answers.waiting.standings import comparison_answer
from api.answers.waiting.starts import start_of_job, start_of_row
from api.context import ApiContext
from api.job_reading import (
    find_job,
    just_submitted,
    keeps_checkpoints,
    reasons_of,
    reasons_of_all,
    refusal_of,
    require_served_training,
)
from api.metering import spend_for_jobs
from api.schemas.job import DryRunAnswer, JobAnswer, JobPage, JobRowPage
from api.schemas.job_request import JobRequest
from api.schemas.queries import JobFilterQuery, JobQuery, JobRowQuery, SparsePage, SubmitQuery
from api.schemas.reason import WhyAnswer
from api.schemas.text import KEY_PATTERN
from api.schemas.waiting.standings import ComparisonAnswer
from api.streaming.waiting import wait_until
from api.web.cursors import JOB_KEY, cut_page, decode_cursor
from api.web.dependencies import Caller, Context, JobPath, OtherJob
from api.web.etags import etag_of
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT
from api.web.outcomes import refuse_job_write, refuse_large_array, refuse_not_offered, refuse_submission
from scheduler.core.model.group import State
from scheduler.core.model.job import Job
from scheduler.core.model.reason import Reason
from scheduler.core.model.tenant import Principal
from scheduler.ports.journal import IdempotencyKey, Rejected, Unchanged, Written
from scheduler.ports.views import JobFilter, JobView
from scheduler.services.cancel_job import cancel_job as stop_job
from scheduler.services.explain_job import explain_job as explain
from scheduler.services.jobs.submit_array import NoRoom, submit_array
from scheduler.services.questions.advise import advise
from scheduler.services.questions.compare_jobs import compare_jobs as compare
from scheduler.services.questions.try_job import try_job as prospect_of_job
from scheduler.services.submit_job import Accepted, NotOffered, Submission
from scheduler.services.submit_job import submit_job as accept_job

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=GuardedRoute)

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=KEY_PATTERN,
        max_length=200,
        description="Your own name for this submission: sent again with the same body, it names the same job.",
    ),
]


@router.post("", operation_id="submit_job", status_code=201, responses=CONFLICT)
async def submit_job(
    request: JobRequest,
    context: Context,
    caller: Caller,
    http: Request,
    response: Response,
    *,
    query: Annotated[SubmitQuery, Query()],
    key: KeyHeader = None,
) -> JobAnswer:
    """Submit a job. It is durable when the answer comes.

    One with `array` is that many jobs, all of them or none; the answer is the first one, whose `array` names the whole.
    It costs one unit for every 20 jobs.
    """
    accepted = await run_in_threadpool(_charge_and_accept, http, context, caller, request, key)
    job = accepted.outcome.job
    response.headers["Location"] = f"/v1/jobs/{job}"
    if isinstance(accepted.outcome, Unchanged):
        response.headers["Idempotency-Replayed"] = "true"
    elif query.wait is None:
        return _answer(context, just_submitted(accepted.job), (), caller)
    if query.wait is not None:
        await _decision(context, accepted.outcome, query.wait_s)
    view = await run_in_threadpool(find_job, context, caller, job)
    reasons = await run_in_threadpool(reasons_of, context, view)
    return _answer(context, view, reasons, caller)


def _charge_and_accept(
    http: Request, context: ApiContext, caller: Principal, request: JobRequest, key: str | None
) -> "Kept":
    spend_for_jobs(http, context, caller, request.jobs)
    return accept(context, caller, request, key)


def _answer(context: ApiContext, view: JobView, reasons: Sequence[Reason], caller: Principal) -> JobAnswer:
    return job_answer(view, reasons, caller.tenant, keeps_checkpoints=keeps_checkpoints(context, view))


def _answer_with_start(context: ApiContext, view: JobView, reasons: Sequence[Reason], caller: Principal) -> JobAnswer:
    keeps, starts = keeps_checkpoints(context, view), start_of_job(context.forecaster, view)
    return job_answer(view, reasons, caller.tenant, keeps_checkpoints=keeps, starts=starts)


@dataclass(frozen=True, slots=True)
class Kept:
    """A submission that is durable."""

    job: Job
    outcome: Written | Unchanged


def accept(context: ApiContext, caller: Principal, request: JobRequest, key: str | None) -> Kept:
    """Submit. Raises Refusal."""
    idempotency_key = None if key is None else IdempotencyKey(key, request.body_sha256())
    submission = _submission(context, caller, request, idempotency_key)
    sources = (context.journal, context.clock, context.identifiers)
    if request.array is None:
        accepted: Accepted | NotOffered | NoRoom = accept_job(*sources, submission, clusters=context.clusters)
    else:
        accepted = submit_array(*sources, submission, request.array.to_wish(), clusters=context.clusters)
    if isinstance(accepted, NotOffered):
        raise refuse_not_offered(accepted)
    if isinstance(accepted, NoRoom):
        raise refuse_large_array(accepted, request.jobs)
    if isinstance(accepted.outcome, Rejected):
        raise refuse_submission(accepted.outcome, request, context.directory)
    return Kept(accepted.job, accepted.outcome)


async def _decision(context: ApiContext, outcome: Written | Unchanged, wait_s: float) -> None:
    """Return once it was decided whether the job is placed, refused or to wait, or when the time is over."""
    change = outcome.change if isinstance(outcome, Written) else await run_in_threadpool(context.views.last_change)

    def is_decided() -> bool:
        if max(context.followed.decided_change, context.wake_up.decided) >= change:
            return True
        if context.followed.decided_change:
            return False
        # Another process decides, and what it says of that may be lost: a place, or a refusal, shows in the job.
        view = context.views.job(outcome.job, tenant=None)
        return view is None or view.state is not State.QUEUED

    await wait_until(is_decided, bool, context.wake_up, wait_s=wait_s)


def _submission(context: ApiContext, caller: Principal, request: JobRequest, key: IdempotencyKey | None) -> Submission:
    """Return what is handed in. Raises Refusal where it names a training to serve that is none of its tenant's."""
    if caller.tenant is None:
        raise TypeError("a principal who may submit has a tenant")
    spec = request.to_spec()
    require_served_training(context, spec, caller.tenant)
    return Submission(caller.tenant, caller.name, spec, key)


@router.post("/dry-run", operation_id="try_job", responses=CONFLICT)
def try_job(request: JobRequest, context: Context, caller: Caller) -> DryRunAnswer:
    """Say what would become of a job: whether it is accepted, where it would run now, or why not. Nothing is kept."""
    tried = prospect_of_job(
        context.followed,
        context.clock,
        context.identifiers,
        _submission(context, caller, request, None),
        views=context.views,
        clusters=context.clusters,
        array=None if request.array is None else request.array.to_wish(),
    )
    if isinstance(tried, NotOffered):
        raise refuse_not_offered(tried)
    if isinstance(tried, Rejected):
        raise refuse_submission(tried, request, context.directory)
    forecaster = context.forecaster
    estimate = None if forecaster is None else forecaster.estimate_new(tried.job, tried.prospect)
    return prospect_answer(tried, caller.tenant, estimate)


@router.get("", operation_id="list_jobs")
def list_jobs(context: Context, caller: Caller, query: Annotated[JobQuery, Query()]) -> JobPage | SparsePage:
    """List jobs, newest first."""
    before = decode_cursor(query.cursor, JOB_KEY)
    if query.tenant is not None and not caller.may_see(query.tenant):
        return JobPage(items=(), next=None)
    where = filter_of(query, caller)
    found = context.views.jobs(where, before=before, limit=query.limit + 1)
    page, following = cut_page(found, query.limit, lambda view: view.job.id)
    reasons = reasons_of_all(context, page) if wants(query.fields, "reasons") else {}
    items = tuple(_answer_with_start(context, view, reasons.get(view.job.id, ()), caller) for view in page)
    return sparse(JobPage(items=items, next=following), query.fields)


@router.get("/rows", operation_id="list_job_rows")
def list_job_rows(context: Context, caller: Caller, query: Annotated[JobRowQuery, Query()]) -> JobRowPage | SparsePage:
    """List jobs in short, newest first, in large pages: for tables of many jobs. Why they wait is not in it."""
    before = decode_cursor(query.cursor, JOB_KEY)
    if query.tenant is not None and not caller.may_see(query.tenant):
        return JobRowPage(items=(), next=None)
    found = context.views.job_rows(filter_of(query, caller), before=before, limit=query.limit + 1)
    page, following = cut_page(found, query.limit, lambda row: row.id)
    items = tuple(job_row_answer(row, start_of_row(context.forecaster, row)) for row in page)
    return sparse(JobRowPage(items=items, next=following), query.fields)


def filter_of(query: JobFilterQuery, caller: Principal) -> JobFilter:
    """Return what a caller may ask for of what is asked."""
    return JobFilter(
        tenant=caller.tenant or query.tenant,
        states=None if query.state is None else frozenset(query.state),
        name=query.name,
        chip=query.chip,
        submitted_by=query.submitted_by,
        label=query.label_pair,
        array=query.array,
        in_array=query.in_array,
    )


@router.get("/{job}", operation_id="show_job")
def show_job(job: JobPath, context: Context, caller: Caller, response: Response) -> JobAnswer:
    """Show a job with its latest 20 attempts. The ETag is that of what can be changed in it.

    That is the priority and, of a server, how many replicas are wanted and its version.
    """
    view = find_job(context, caller, job)
    response.headers["ETag"] = etag_of(view.job.edited)
    return _answer_with_start(context, view, reasons_of(context, view), caller)


@router.post("/{job}/cancel", operation_id="cancel_job")
def cancel_job(job: JobPath, context: Context, caller: Caller) -> JobAnswer:
    """Ask a job to stop. A waiting one is cancelled at once, a running one when its workers are gone."""
    outcome = stop_job(context.journal, context.clock, job=job, tenant=caller.tenant, by=caller.name)
    if isinstance(outcome, Rejected):
        raise refuse_job_write(outcome)
    return _answer(context, find_job(context, caller, job), (), caller)


@router.get("/{job}/why", operation_id="explain_job")
def explain_job(job: JobPath, context: Context, caller: Caller) -> WhyAnswer:
    """Say why a job is where it is: what it waits for, with numbers, and what would help."""
    view = find_job(context, caller, job)
    explained = explain(context.followed, context.clock, job, context.forecaster)
    if explained.explanations:
        reasons = explained.explanations[0].reasons
        advised = advise(context.followed, view.job, reasons, context.clock.now(), waits=True)
        return waiting_answer(view, explained, caller.tenant, advised)
    if view.state is State.QUEUED:
        # It was placed or refused between the two reads.
        view = find_job(context, caller, job)
    refusal = refusal_of(context, view)
    advised = advise(context.followed, view.job, refusal, context.clock.now())
    return settled_answer(view, refusal, explained, caller.tenant, advised)


@router.get("/{job}/why-before", operation_id="compare_jobs")
def compare_jobs(job: JobPath, other: OtherJob, context: Context, caller: Caller) -> ComparisonAnswer:
    """Say why a job was placed before another one, by what was noted when it was."""
    return comparison_answer(
        compare(context.followed, find_job(context, caller, job), find_job(context, caller, other))
    )
